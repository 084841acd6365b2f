#include "compiler/plan/plan.hpp"

#include <algorithm>
#include <climits>
#include <numeric>
#include <random>

#include "compiler/error.hpp"
#include "compiler/node_numbers.hpp"
#include "compiler/op_table.hpp"

namespace nnomc {
namespace {

constexpr int kAlign = 16;     // of every block: vectors and widened lines want it
constexpr int kAttempts = 64;  // orders of placing tried

/// Blocks `before` and `after` may overlap if before.offset - after.offset >= lead.
struct Overlap {
  size_t before = 0, after = 0;
  int lead = 0;
};

/// A piece of the arena, needed while nodes [first, last] run.
struct Block {
  int bytes = 0, first = 0, last = 0;
  int offset = -1;
  bool kept = false;                // until the next run
  std::vector<Overlap> overlaps{};  ///< those it has a part in
};

struct Problem {
  std::vector<Block> blocks;
  std::vector<size_t> of_tensor;  // block of each tensor; aliases share one
  std::vector<int> of_scratch;    // block of each node's scratch, or -1
  std::vector<int> of_state;      // block of each node's state, or -1
};

bool meet(const Block& a, const Block& b) { return a.first <= b.last && b.first <= a.last; }

/// The blocks of `graph`, and which may lie over each other.
Problem blocks_of(const Graph& graph, const Numbers& numbers, bool separate, Kernels kernels) {
  Problem p;
  const int end = static_cast<int>(graph.nodes.size());
  const auto block = [&](int tensor) -> Block& {
    return p.blocks[p.of_tensor[static_cast<size_t>(tensor)]];
  };
  p.of_tensor.assign(graph.tensors.size(), SIZE_MAX);
  for (size_t t = 0; t < graph.tensors.size(); ++t) {
    const int tensor = static_cast<int>(t), producer = graph.producer(tensor);
    const Node* node = producer < 0 ? nullptr : &graph.nodes[static_cast<size_t>(producer)];
    const auto kept = std::find_if(graph.variables.begin(), graph.variables.end(),
                                   [&](const Variable& v) { return v.next == tensor; });
    if (node && info(node->op).alias) {
      p.of_tensor[t] = p.of_tensor[static_cast<size_t>(node->inputs[0])];
    } else if (kept != graph.variables.end()) {  // made before it: no node makes a variable
      p.of_tensor[t] = p.of_tensor[static_cast<size_t>(kept->tensor)];
    } else {
      p.of_tensor[t] = p.blocks.size();
      p.blocks.push_back(
          {tensor_bytes(graph, tensor, numbers), std::max(producer, 0), std::max(producer, 0)});
    }
    Block& b = block(tensor);
    for (const int c : graph.consumers(tensor)) b.last = std::max(b.last, c);
    if (graph.is_output(tensor)) b.last = end;
    if (graph.is_variable(tensor)) b.first = 0, b.last = end, b.kept = true;
  }
  for (int i = 0; i < end; ++i) {
    const Node& node = graph.nodes[static_cast<size_t>(i)];
    const nnom::Memory memory = memory_of(node, numbers_of(graph, node, numbers), kernels);
    const auto own = [&](int bytes, int first, int last) {
      if (bytes == 0) return -1;
      p.blocks.push_back({bytes, first, last});
      return static_cast<int>(p.blocks.size()) - 1;
    };
    p.of_scratch.push_back(own(memory.scratch, i, i));
    p.of_state.push_back(own(memory.state, 0, end));
    const size_t out = p.of_tensor[static_cast<size_t>(node.output)];
    if (node.inputs.empty() || p.blocks[out].kept) continue;
    const size_t in = p.of_tensor[static_cast<size_t>(node.inputs[0])];
    // Only an input that nobody reads later, and that is not read twice here, may be overwritten.
    const bool once = std::count_if(node.inputs.begin(), node.inputs.end(), [&](int t) {
                        return p.of_tensor[static_cast<size_t>(t)] == in;
                      }) == 1;
    if (memory.lead != nnom::Memory::never && in != out && p.blocks[in].last == i && once)
      for (const size_t b : {in, out}) p.blocks[b].overlaps.push_back({in, out, memory.lead});
  }
  if (separate)
    for (Block& b : p.blocks) b.first = 0, b.last = end, b.overlaps.clear();
  return p;
}

/// Offsets [first, second) at which `block` must not begin because of the placed block `other`.
std::pair<int, int> forbidden(const Problem& p, size_t block, size_t other) {
  const Block &b = p.blocks[block], &o = p.blocks[other];
  int from = o.offset - b.bytes + 1, to = o.offset + o.bytes;
  for (const Overlap& v : b.overlaps) {
    if (v.before == other && v.after == block) from = std::max(from, o.offset - v.lead + 1);
    if (v.before == block && v.after == other) to = std::min(to, o.offset + v.lead);
  }
  return {from, to};
}

/// Places the blocks in `order`, each as low as those before it allow. Returns the arena's size.
int place(Problem& p, const std::vector<size_t>& order) {
  int top = 0;
  for (Block& b : p.blocks) b.offset = -1;
  for (const size_t i : order) {
    Block& b = p.blocks[i];
    std::vector<std::pair<int, int>> taken;
    for (size_t k = 0; k < p.blocks.size(); ++k)
      if (k != i && p.blocks[k].offset >= 0 && meet(b, p.blocks[k]))
        if (const auto range = forbidden(p, i, k); range.first < range.second)
          taken.push_back(range);
    std::sort(taken.begin(), taken.end());
    int offset = 0;
    // A range passed over may have begun before one that ended later: check until none holds.
    for (bool moved = true; moved;) {
      moved = false;
      for (const auto& [from, to] : taken)
        if (offset >= from && offset < to) offset = nnom::round_up(to, kAlign), moved = true;
    }
    b.offset = offset;
    top = std::max(top, offset + b.bytes);
  }
  return top;
}

/// The bytes that live while a node runs, overlaps taken off.
void bound(const Problem& p, int nodes, Plan& plan) {
  for (int i = 0; i < nodes; ++i) {
    int bytes = 0;
    for (size_t k = 0; k < p.blocks.size(); ++k) {
      const Block& in = p.blocks[k];
      if (in.first > i || i > in.last) continue;
      bytes += in.bytes;
      for (const Overlap& v : in.overlaps) {
        const Block& out = p.blocks[v.after];
        if (v.before != k || in.last != i || out.first != i) continue;
        // Together they take as much as from the lower beginning to the higher end.
        const int together = std::max(
            {in.bytes, out.bytes, std::min(in.bytes + out.bytes, std::max(v.lead, 0) + in.bytes)});
        bytes -= in.bytes + out.bytes - together;
      }
    }
    if (bytes > plan.lower_bound) plan.lower_bound = bytes, plan.peak_node = i;
  }
}

}  // namespace

int tensor_bytes(const Graph& graph, int tensor, const Numbers& numbers) {
  return graph.shape(tensor).size() * (numbers.quantised ? bits_of(graph, tensor) / 8 : 4);
}

Plan plan_memory(const Graph& graph, const Numbers& numbers, bool separate, Kernels kernels) {
  Problem p = blocks_of(graph, numbers, separate, kernels);
  int64_t total = 0;
  for (const Block& b : p.blocks) total += b.bytes + kAlign;
  if (total > INT_MAX) throw Error("{}: its tensors take more than 2 GiB", graph.file);

  std::vector<size_t> order(p.blocks.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::vector<size_t> best_order = order;
  int best = separate ? place(p, order) : INT_MAX;
  std::mt19937 random(1);
  Plan plan;
  plan.state = !graph.variables.empty();
  bound(p, static_cast<int>(graph.nodes.size()), plan);
  const auto attempt = [&](auto less) {
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return less(p.blocks[a], p.blocks[b]); });
    if (const int top = place(p, order); top < best) best = top, best_order = order;
  };
  if (!separate) {
    attempt([](const Block& a, const Block& b) { return a.first < b.first; });
    attempt([](const Block& a, const Block& b) { return a.last > b.last; });
    attempt([](const Block& a, const Block& b) {
      return int64_t{a.bytes} * (a.last - a.first + 1) > int64_t{b.bytes} * (b.last - b.first + 1);
    });
    attempt([](const Block& a, const Block& b) { return a.bytes > b.bytes; });
    order = best_order;
    for (int i = 0; i < kAttempts && best > plan.lower_bound && order.size() > 1; ++i) {
      std::swap(order[random() % order.size()], order[random() % order.size()]);
      if (const int top = place(p, order); top < best)
        best = top, best_order = order;
      else
        order = best_order;
    }
    best = place(p, best_order);
  }
  plan.arena_bytes = nnom::round_up(std::max(best, 1), kAlign);
  for (const size_t b : p.of_tensor) plan.tensor.push_back(p.blocks[b].offset);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    NodePlace n;
    for (const int t : graph.nodes[i].inputs) n.in.push_back(plan.tensor[static_cast<size_t>(t)]);
    n.out = plan.tensor[static_cast<size_t>(graph.nodes[i].output)];
    const auto offset = [&](int b) { return b < 0 ? 0 : p.blocks[static_cast<size_t>(b)].offset; };
    n.scratch = offset(p.of_scratch[i]);
    n.state = offset(p.of_state[i]);
    plan.state |= p.of_state[i] >= 0;
    plan.nodes.push_back(n);
  }
  return plan;
}

}  // namespace nnomc
