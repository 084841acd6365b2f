#include "compiler/plan/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <climits>

#include "compiler/error.hpp"
#include "compiler/node_numbers.hpp"
#include "compiler/plan/blocks.hpp"
#include "compiler/plan/place.hpp"
#include "compiler/plan/turns.hpp"

namespace nnomc {
namespace {

/// One after the other.
std::vector<int> in_a_row(const std::vector<Block>& blocks) {
  std::vector<int> offsets;
  int end = 0;
  for (const Block& b : blocks) {
    offsets.push_back(end);
    end = nnom::round_up(end + b.bytes, kAlign);
  }
  return offsets;
}

}  // namespace

int tensor_bytes(const Graph& graph, int tensor, const Numbers& numbers) {
  return graph.shape(tensor).size() * (numbers.quantised ? bits_of(graph, tensor) / 8 : 4);
}

namespace {

Plan plan_blocks(const Graph& graph, const Numbers& numbers, const Turns& turns, bool separate) {
  const Blocks blocks = blocks_of(graph, numbers, turns, separate);
  int64_t total = 0;
  for (const Block& b : blocks.all) total += b.bytes + kAlign;
  if (total > INT_MAX) throw Error("{}: its tensors take more than 2 GiB", graph.file);

  Plan plan;
  const Peak peak = peak_of(blocks.all, static_cast<int>(graph.nodes.size()));
  plan.lower_bound = peak.bytes, plan.peak_node = peak.node;
  const std::vector<int> offsets =
      separate ? in_a_row(blocks.all) : place(blocks.all, peak.bytes).offset;
  int top = 1;
  for (size_t i = 0; i < offsets.size(); ++i) top = std::max(top, offsets[i] + blocks.all[i].bytes);
  plan.arena_bytes = nnom::round_up(top, kAlign);
  plan.state = !graph.variables.empty();
  plan.in_turns = turns.nodes, plan.input_by_rows = turns.input_by_rows, plan.ring = turns.ring;
  for (const size_t b : blocks.of_tensor) plan.tensor.push_back(offsets[b]);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto of = [&](const std::vector<int>& list, int t) {
      return list.empty() ? 0 : list[static_cast<size_t>(t)];
    };
    NodePlace n;
    for (const int t : graph.nodes[i].inputs) {
      n.in.push_back(of(plan.tensor, t));
      n.in_ring.push_back(of(plan.ring, t));
    }
    n.out = of(plan.tensor, graph.nodes[i].output);
    n.out_ring = of(plan.ring, graph.nodes[i].output);
    const auto offset = [&](int b) { return b < 0 ? 0 : offsets[static_cast<size_t>(b)]; };
    n.scratch = offset(blocks.of_scratch[i]);
    n.state = offset(blocks.of_state[i]);
    plan.state |= blocks.of_state[i] >= 0;
    plan.nodes.push_back(n);
  }
  return plan;
}

}  // namespace

Plan plan_memory(const Graph& graph, const Numbers& numbers, bool separate) {
  return plan_blocks(graph, numbers, {}, separate);
}

Plan plan_memory(const Graph& graph, const Numbers& numbers, const Turns& turns) {
  return plan_blocks(graph, numbers, turns, false);
}

namespace {

/// The plan with the fewest nodes in turns that keeps within `limits`, else the smallest; an arena
/// of 0 bytes if nothing can come by rows.
Plan fewest_turns(const Graph& graph, const Numbers& numbers, const MemoryLimits& limits) {
  const bool by_rows = limits.input_by_rows;
  Plan best;
  if (by_rows && graph.inputs.size() != 1) return best;
  for (size_t nodes = by_rows ? 1 : 0, most = most_turns(graph); nodes <= most; ++nodes) {
    if (nodes == 1 && !by_rows) continue;  // one layer alone has no turns to take
    Plan plan = plan_memory(graph, numbers, take_turns(graph, numbers, nodes, by_rows));
    if (best.arena_bytes == 0 || plan.arena_bytes < best.arena_bytes) best = std::move(plan);
    if (best.arena_bytes <= limits.ram) break;
  }
  return best;
}

}  // namespace

Plan plan_within(const Graph& graph, const Numbers& numbers, const MemoryLimits& limits) {
  Plan plan = fewest_turns(graph, numbers, limits);
  const auto layer = [&](int node) {
    const Node& n = graph.nodes[static_cast<size_t>(std::max(node, 0))];
    return fmt::format("layer '{}' ({})", n.name, n.source);
  };
  if (plan.arena_bytes == 0)
    throw Error("{}: --input-by-rows: {}", graph.file,
                graph.inputs.size() != 1 ? "is for models of one input"
                                         : layer(0) + " needs all of the input at once");
  if (limits.ram == 0 || plan.arena_bytes <= limits.ram) return plan;
  std::string less;
  if (!limits.input_by_rows) {
    const Plan other = fewest_turns(graph, numbers, {.input_by_rows = true});
    if (other.arena_bytes > 0 && other.arena_bytes < plan.arena_bytes)
      less = fmt::format(", and {} with --input-by-rows", other.arena_bytes);
  }
  throw Error("{}: it does not fit into --ram-limit {}: {} is in the way; the least is {} bytes{}",
              graph.file, limits.ram, layer(plan.peak_node), plan.arena_bytes, less);
}

}  // namespace nnomc
