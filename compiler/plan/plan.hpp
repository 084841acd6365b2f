/// \file
/// Where every tensor lies in the arena.
#pragma once

#include <vector>

#include "compiler/cmsis_nn.hpp"
#include "compiler/graph.hpp"
#include "compiler/numbers.hpp"
#include "compiler/op_table.hpp"

namespace nnomc {

/// A memory plan. All sizes and offsets in bytes.
struct Plan {
  int arena_bytes = 0;
  std::vector<int> tensor;  ///< offset of each tensor; a variable's next content lies in its place
  std::vector<NodePlace> nodes;  ///< the same, by node
  /// Bytes that no plan can do without: the most that live at once, overlaps taken into account.
  int lower_bound = 0;
  int peak_node = -1;  ///< the node that sets lower_bound
  bool state = false;  ///< something keeps its content from one run to the next
};

/// Bytes a tensor takes.
int tensor_bytes(const Graph& graph, int tensor, const Numbers& numbers);

/// Plans the arena of `graph`: tensors that live at different times share memory, and an op's
/// output lies over its input as far as the op allows. `separate` gives every tensor memory of its
/// own, for tests and for looking at every tensor after a run.
Plan plan_memory(const Graph& graph, const Numbers& numbers, bool separate = false,
                 Kernels kernels = Kernels::own);

}  // namespace nnomc
