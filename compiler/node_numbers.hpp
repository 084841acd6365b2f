/// \file
/// Which arithmetic each node of a model computes in: tensors are int8 or int16.
#pragma once

#include <string>

#include "compiler/graph.hpp"
#include "compiler/numbers.hpp"

namespace nnomc {

/// Bits of an element of `tensor` where the graph is quantised.
int bits_of(const Graph& graph, int tensor);

/// The arithmetic of a node in a model of `numbers`. Throws an Error if it is given tensors of
/// different bits.
Numbers numbers_of(const Graph& graph, const Node& node, Numbers numbers);

/// "int8", "int16", "int8 to int16"
const char* width_text(const Numbers& numbers);

/// The same as the runtime's type, in C++.
std::string type_text(const Numbers& numbers);

}  // namespace nnomc
