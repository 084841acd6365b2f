/// \file
/// The order in which the nodes of a graph run.
#pragma once

#include <vector>

#include "compiler/graph.hpp"
#include "compiler/numbers.hpp"

namespace nnomc {

/// An order of the nodes of `graph` in which fewer bytes live at once than in the one they stand in
/// (overlaps of inputs and outputs taken off); empty if none was found. For graphs with few ways to
/// go on at each step it is the best there is.
std::vector<size_t> better_order(const Graph& graph, const Numbers& numbers);

/// `graph` with its nodes in `order`.
Graph in_order(const Graph& graph, const std::vector<size_t>& order);

}  // namespace nnomc
