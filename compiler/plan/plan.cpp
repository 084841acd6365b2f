#include "compiler/plan/plan.hpp"

#include <algorithm>
#include <climits>

#include "compiler/error.hpp"
#include "compiler/node_numbers.hpp"
#include "compiler/plan/blocks.hpp"
#include "compiler/plan/place.hpp"

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

Plan plan_memory(const Graph& graph, const Numbers& numbers, bool separate) {
  const Blocks blocks = blocks_of(graph, numbers, separate);
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
  for (const size_t b : blocks.of_tensor) plan.tensor.push_back(offsets[b]);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    NodePlace n;
    for (const int t : graph.nodes[i].inputs) n.in.push_back(plan.tensor[static_cast<size_t>(t)]);
    n.out = plan.tensor[static_cast<size_t>(graph.nodes[i].output)];
    const auto offset = [&](int b) { return b < 0 ? 0 : offsets[static_cast<size_t>(b)]; };
    n.scratch = offset(blocks.of_scratch[i]);
    n.state = offset(blocks.of_state[i]);
    plan.state |= blocks.of_state[i] >= 0;
    plan.nodes.push_back(n);
  }
  return plan;
}

}  // namespace nnomc
