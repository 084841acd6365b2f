/// \file
/// What TensorFlow Lite's two dialects don't share.
#pragma once

#include "compiler/graph.hpp"
#include "compiler/numbers.hpp"

namespace nnomc {

/// Throws an Error that names the layer where the scales of a quantised model lie outside of what
/// the dialect of `rounding` defines, or leaves to a kernel of the other one: to compute on would
/// give other bytes than TFLite's.
void check_dialect(const Graph& graph, Rounding rounding);

/// Whether XNNPACK leaves an int8 node to a kernel of desktop TFLite's that rounds as TFLite Micro
/// does.
bool rounds_twice(const Graph& graph, const Node& node);

}  // namespace nnomc
