/// \file
/// Where every tensor lies in the arena, decided at compile time.
#pragma once

#include "nnom/network/network.hpp"

namespace nnom {

/// Places in the arena, in bytes.
struct MemoryPlan {
  int arena_bytes = 0;
  int tensor[Network::most_tensors]{};
  int scratch[Network::most_nodes]{}, state[Network::most_nodes]{};
  bool has_state = false;
};

/// Places blocks of memory that are needed at different times. Compilers limit the steps of a
/// constant: orders are tried while `budget` lasts, at least one.
class Planner {
 public:
  static constexpr int align = 16;  ///< of every block: vectors and widened lines want it

  /// A piece of the arena that is needed while nodes [first, last] run.
  struct Block {
    int bytes = 0, first = 0, last = 0;
    /// It may lie over block `over` if it begins at least `lead` bytes before it; exactly so many
    /// if `exact`.
    int over = -1, lead = 0;
    bool exact = false;
    int offset = -1;
  };

  constexpr int add(int bytes, int first, int last) {
    block[count] = {bytes, first, last};
    return count++;
  }
  constexpr Block& operator[](int i) { return block[i]; }

  /// Gives each block its offset; returns the size of all.
  constexpr int place() {
    int best = INT_MAX, chosen[most]{};
    uint32_t random = 1;
    const auto any = [&] {  // constants: Numerical Recipes
      random = random * 1664525 + 1013904223;
      return static_cast<int>((random >> 8) % static_cast<uint32_t>(max(count, 1)));
    };
    for (int attempt = 0; attempt < orders + swaps; ++attempt) {
      if (attempt && steps_ > budget) break;
      int a = 0, b = 0;
      if (attempt < orders)
        sort(attempt);
      else
        a = any(), b = any(), swap(a, b);
      const int top = place_in_order();
      if (top < best) {
        best = top;
        for (int i = 0; i < count; ++i) chosen[i] = block[i].offset, best_order_[i] = order_[i];
      }
      if (attempt + 1 >= orders)
        for (int i = 0; i < count; ++i) order_[i] = best_order_[i];
    }
    for (int i = 0; i < count; ++i) block[i].offset = chosen[i];
    return best;
  }

 private:
  static constexpr int most = 2 * Network::most_nodes + Network::most_tensors;
  static constexpr int budget = 300000, orders = 4, swaps = 40;

  struct Span {
    int from, to;
  };

  /// Largest first; those of the most bytes times time first; as they are needed; the last first.
  constexpr int64_t key(int order, const Block& b) const {
    switch (order) {
      case 0:
        return b.bytes;
      case 1:
        return int64_t{b.bytes} * (b.last - b.first + 1);
      case 2:
        return -b.first;
      default:
        return b.last;
    }
  }
  constexpr void swap(int a, int b) {
    const int first = order_[a];
    order_[a] = order_[b], order_[b] = first;
  }
  constexpr void sort(int order) {
    for (int i = 0; i < count; ++i) {
      const int64_t own = key(order, block[i]);
      int k = i;
      for (; k > 0 && key(order, block[order_[k - 1]]) < own; --k, ++steps_)
        order_[k] = order_[k - 1];
      order_[k] = i;
    }
  }
  /// Calls forbid(span) with offsets at which block `i` must not begin because of the placed block
  /// `k`.
  constexpr void forbidden(int i, int k, auto forbid) const {
    const Block &b = block[i], &o = block[k];
    const int from = o.offset - b.bytes + 1, to = o.offset + o.bytes;
    if (b.over == k) {
      const int at = o.offset - b.lead;
      forbid(Span{max(from, at + 1), to});
      if (b.exact) forbid(Span{from, min(at, to)});
    } else if (o.over == i) {
      const int at = o.offset + o.lead;
      forbid(Span{from, min(at, to)});
      if (o.exact) forbid(Span{max(from, at + 1), to});
    } else {
      forbid(Span{from, to});
    }
  }
  constexpr int place_in_order() {
    int top = 0;
    for (int n = 0; n < count; ++n) {
      Block& b = block[order_[n]];
      Span taken[2 * most];
      int spans = 0;
      for (int m = 0; m < n; ++m) {
        const Block& o = block[order_[m]];
        ++steps_;
        if (b.first > o.last || o.first > b.last) continue;
        forbidden(order_[n], order_[m], [&](Span s) {
          if (s.from >= s.to) return;
          int k = spans++;
          for (; k > 0 && taken[k - 1].from > s.from; --k, ++steps_) taken[k] = taken[k - 1];
          taken[k] = s;
        });
      }
      int offset = 0;
      for (int k = 0; k < spans && taken[k].from <= offset; ++k)
        if (offset < taken[k].to) offset = round_up(taken[k].to, align);
      b.offset = offset;
      top = max(top, offset + b.bytes);
    }
    return top;
  }

  Block block[most]{};
  int order_[most]{}, best_order_[most]{};
  int count = 0, steps_ = 0;
};

/// The variable that tensor `t` becomes at the end of a run; -1: none.
constexpr int kept_in(const Network& net, int t) {
  for (int i = 0; i < net.variables; ++i)
    if (net.variable_of[i].next == t) return net.variable_of[i].tensor;
  return -1;
}

/// Plans the memory of a network whose layers need `memory`; `element` is the size of an element
/// where a tensor doesn't say it. Only what nobody reads any more is overwritten.
constexpr MemoryPlan plan_memory(const Network& net, const Memory* memory, int element) {
  MemoryPlan plan;
  Planner blocks;
  int block[Network::most_tensors]{};
  for (int t = 0; t < net.tensors; ++t) {
    const TensorInfo& info = net.tensor[t];
    const int made = max(info.producer, 0), variable = kept_in(net, t);
    const int bytes = info.shape.size() * (info.bytes ? info.bytes : element);
    block[t] = variable >= 0    ? block[variable]
               : info.root != t ? block[info.root]
                                : blocks.add(bytes, made, made);
  }
  for (int i = 0; i < net.nodes; ++i)
    for (int k = 0; k < net.node[i].inputs; ++k) {
      Planner::Block& b = blocks[block[net.node[i].in[k]]];
      b.last = max(b.last, i);
    }
  for (int i = 0; i < net.variables; ++i) {
    Planner::Block& b = blocks[block[net.variable_of[i].tensor]];
    b.first = 0, b.last = net.nodes;
    plan.has_state = true;
  }
  for (int i = 0; i < net.outputs; ++i) blocks[block[net.output_of[i]]].last = net.nodes;

  int scratch[Network::most_nodes]{}, state[Network::most_nodes]{};
  for (int i = 0; i < net.nodes; ++i) {
    const Node& n = net.node[i];
    scratch[i] = memory[i].scratch && !n.alias ? blocks.add(memory[i].scratch, i, i) : -1;
    state[i] = memory[i].state ? blocks.add(memory[i].state, 0, net.nodes) : -1;
    if (n.alias || kept_in(net, n.out) >= 0) continue;
    const int out = block[n.out];
    for (int k = 0; k < n.inputs && blocks[out].over < 0; ++k) {
      const int in = block[n.in[k]];
      int times = 0;
      for (int j = 0; j < n.inputs; ++j) times += block[n.in[j]] == in;
      if (memory[i].lead[k] != Memory::never && blocks[in].last == i && times == 1 && in != out)
        blocks[out].over = in, blocks[out].lead = memory[i].lead[k],
        blocks[out].exact = memory[i].exact;
    }
  }
  plan.arena_bytes = round_up(max(blocks.place(), 1), Planner::align);
  for (int t = 0; t < net.tensors; ++t) plan.tensor[t] = blocks[block[t]].offset;
  for (int i = 0; i < net.nodes; ++i) {
    if (scratch[i] >= 0) plan.scratch[i] = blocks[scratch[i]].offset;
    if (state[i] >= 0) plan.state[i] = blocks[state[i]].offset, plan.has_state = true;
  }
  return plan;
}

}  // namespace nnom
