/// \file
/// Where every tensor lies in the arena.
#pragma once

#include <vector>

#include "compiler/graph.hpp"
#include "compiler/numbers.hpp"
#include "compiler/op_table.hpp"

namespace nnomc {

/// A memory plan. All sizes and offsets in bytes.
struct Plan {
  int arena_bytes = 0;
  std::vector<int> tensor;  ///< offset of each tensor; a variable's next content lies in its place
  std::vector<NodePlace> nodes;  ///< the same, by node
  /// Bytes that no plan of nodes in this order can do without: the most that live at once, overlaps
  /// taken into account.
  int lower_bound = 0;
  int peak_node = -1;  ///< the node that sets lower_bound
  bool state = false;  ///< something keeps its content from one run to the next
  /// So many nodes, the first, run row by row, in turns: what lies between them is in rings of
  /// rows.
  size_t in_turns = 0;
  bool input_by_rows = false;  ///< the first input is a ring too, filled as the nodes go on
  std::vector<int> ring{};     ///< rows of each tensor that there is room for; 0: all
};

/// Bytes a tensor takes.
int tensor_bytes(const Graph& graph, int tensor, const Numbers& numbers);

/// Plans the arena of `graph`, whose nodes run in the order they stand in: tensors that live at
/// different times share memory, and an op's output lies over its inputs as far as the op allows.
/// `separate` gives every tensor memory of its own, for tests and for looking at every tensor after
/// a run.
Plan plan_memory(const Graph& graph, const Numbers& numbers, bool separate = false);

struct Turns;

/// The same with the first nodes in turns.
Plan plan_memory(const Graph& graph, const Numbers& numbers, const Turns& turns);

/// What a model must not exceed.
struct MemoryLimits {
  int ram = 0;                 ///< bytes of arena; 0: no limit
  int flash = 0;               ///< bytes of constants; 0: no limit
  bool input_by_rows = false;  ///< the first input comes from a callback, row by row
};

/// The plan with the fewest nodes in turns that keeps within `limits`; without a limit of RAM, the
/// one of the smallest arena. Throws an Error that names the layer in the way, and the least that a
/// plan takes.
Plan plan_within(const Graph& graph, const Numbers& numbers, const MemoryLimits& limits);

}  // namespace nnomc
