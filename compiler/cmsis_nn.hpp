/// \file
/// Models whose layers CMSIS-NN runs on the board (--kernels cmsis-nn, runtime/nnom/cmsis_nn/).
#pragma once

#include <string>

#include "compiler/graph.hpp"
#include "compiler/numbers.hpp"
#include "compiler/op_table.hpp"

namespace nnomc {

/// Whose kernels run layers on the board: NNoM's, or CMSIS-NN's where it has one, as it is built
/// for cores without the DSP extension, with it, or with Helium.
enum class Kernels { own, cmsis_nn, cmsis_nn_dsp, cmsis_nn_helium };

/// What CMSIS-NN is built for on a target. Error if it is for none of Arm's Cortex-M.
Kernels cmsis_nn_kernels(const std::string& target);

/// What a node that computes with `numbers` says of its memory.
nnom::Memory memory_of(const Node& node, const Numbers& numbers, Kernels kernels);

/// Takes the zero point of the input out of the biases of a convolution that CMSIS-NN runs, as it
/// adds it itself. `data` is packed as Plain.
void keep_zero_apart(const Node& node, const Numbers& numbers, Kernels kernels, NodeData& data);

}  // namespace nnomc
