/// \file
/// A graph laid out in ranks, from top to bottom.
#pragma once

#include <utility>
#include <vector>

namespace nnomc {

struct Spacing {
  double width = 0, gap = 0;  ///< of a vertex, and between two of one rank
  double thread = 0;          ///< what an edge takes where it passes a rank
};

struct Placement {
  std::vector<int> rank;    ///< of each vertex
  std::vector<double> x{};  ///< middle of each vertex
  /// For each edge: the middles of where it passes the ranks between its ends.
  std::vector<std::vector<double>> bends{};
  int ranks = 0;
  double width = 0;
};

/// Lays out vertices [0, count), so that every edge {from, to} (from < to) goes down. Vertices
/// without an edge to them stand right above the first that they lead to.
Placement lay_out(int count, const std::vector<std::pair<int, int>>& edges, const Spacing& size);

}  // namespace nnomc
