/// \file
/// Models whose layers CMSIS-NN runs on the board (--kernels cmsis-nn, runtime/nnom/cmsis_nn/).
#pragma once

#include <string>

#include "compiler/graph.hpp"
#include "compiler/numbers.hpp"
#include "compiler/op_table.hpp"

namespace nnomc {

/// What CMSIS-NN is built for on a target. Error if it is for none of Arm's Cortex-M.
Kernels cmsis_nn_kernels(const std::string& target);

/// Whose kernel runs a node that computes with `numbers`: `wanted`, or NNoM's where that has none.
Kernels kernels_for(const Node& node, const Numbers& numbers, Kernels wanted);

bool runs_cmsis_nn(const Graph& graph);

/// What a node says of its memory, to whoever runs it.
nnom::Memory memory_of(const Node& node, const Numbers& numbers);

/// Takes the zero point of the input out of the biases of a convolution that CMSIS-NN runs, as it
/// adds it itself. `data` is packed as Plain.
void keep_zero_apart(const Node& node, NodeData& data);

}  // namespace nnomc
