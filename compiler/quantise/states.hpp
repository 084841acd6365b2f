/// \file
/// The ranges of what recurrent layers keep to themselves, from samples.
#pragma once

#include "compiler/data/samples.hpp"
#include "compiler/graph.hpp"

namespace nnomc {

/// Fills `inner` of the nodes that need it for int8: runs the graph on `samples`.
void measure_states(Graph& graph, const Samples& samples);

}  // namespace nnomc
