/// \file
/// A graph without the channels that don't matter.
#pragma once

#include <vector>

#include "compiler/graph.hpp"
#include "compiler/numbers.hpp"

namespace nnomc {

/// Leaves out the channels that nothing reads, and those that are constant where what they add can
/// go into the biases of the layers that read them. Every value of the others stays as it was: in a
/// quantised graph each byte, for `rounding`. Inputs and outputs of the network keep all their
/// channels. Some that could go stay, without weights, where that makes their number a `multiple`.
/// Returns, for each tensor, which of its channels are still there.
std::vector<std::vector<bool>> drop_channels(Graph& graph, Rounding rounding, int multiple = 1);

/// Leaves out so many of a quantised graph that kernels, which take several channels at a time,
/// have whole tiles; else where that saves a twentieth of the products or more: what is calibrated
/// must not depend on the target.
void drop_many_channels(Graph& graph, const Numbers& numbers);

/// Channels of the layers that multiply by weights, together.
int64_t channels(const Graph& graph);

}  // namespace nnomc
