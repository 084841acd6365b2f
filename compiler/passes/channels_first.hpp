/// \file
/// Inputs and outputs with their channels first, for boards that have them so.
#pragma once

#include "compiler/graph.hpp"

namespace nnomc {

/// The same network with each input and output of two or three axes turned round: [c, w], [c, h,
/// w]. Inside it stays as it is, so a Transpose stands at the border; a Reshape, which costs
/// nothing, where no element moves.
Graph channels_first(Graph graph);

}  // namespace nnomc
