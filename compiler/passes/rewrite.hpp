/// \file
/// What rewrites are made of.
#pragma once

#include <variant>

#include "compiler/graph.hpp"

namespace nnomc {

inline Node& node_of(Graph& graph, int index) { return graph.nodes[static_cast<size_t>(index)]; }

/// The node that makes the first input of `node`, if nothing else reads that input and it is no
/// output of the network; else null.
Node* sole_producer(Graph& graph, const Node& node);

/// Removes the node at `index`; what read its output reads `replacement` instead. The replacement
/// takes over where the output was one of the network's.
void bypass(Graph& graph, size_t index, int replacement);

/// Removes the node `after`, which reads nothing but the output of `before`: from now on `before`
/// makes the output of `after`.
void absorb(Graph& graph, Node& before, const Node& after);

}  // namespace nnomc
