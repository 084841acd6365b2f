/// \file
/// The first nodes of a graph, run row by row in turns (nnom/turns.hpp): how many rows of what lies
/// between them there must be room for.
#pragma once

#include <vector>

#include "compiler/plan/blocks.hpp"

namespace nnomc {

/// Tensor `output` may lie over `input`, an input of the graph: see Overlap. Both have all rows.
struct TurnsOverlap {
  int input = 0, output = 0, lead = 0;
};

struct Turns {
  size_t nodes = 0;            ///< the first so many
  bool input_by_rows = false;  ///< the first input comes row by row, one a pass over the nodes
  std::vector<int> ring{};     ///< rows of each tensor that there is room for; 0: all
  std::vector<int> place{};    ///< of each tensor: the one whose memory it is made in, or itself
  std::vector<TurnsOverlap> overlaps{};
};

/// How many nodes, from the first on, can run in turns.
size_t most_turns(const Graph& graph);

/// The first `nodes` nodes in turns.
Turns take_turns(const Graph& graph, const Numbers& numbers, size_t nodes, bool input_by_rows);

}  // namespace nnomc
