#include "compiler/plan/order.hpp"

#include <algorithm>
#include <climits>
#include <random>
#include <tuple>
#include <unordered_set>

#include "compiler/cmsis_nn.hpp"
#include "compiler/node_numbers.hpp"
#include "compiler/op_table.hpp"
#include "compiler/plan/blocks.hpp"
#include "compiler/plan/turns.hpp"

namespace nnomc {
namespace {

constexpr size_t kStates = 65'536;  // kept in all; more make the search exact for larger graphs

/// What running a node does to the blocks that live.
struct Step {
  struct Read {
    size_t block;
    int saved;  ///< bytes that the output may share with it, if nobody reads it later
  };
  std::vector<Read> reads{};
  size_t out = 0;
  bool makes = false;  ///< the output is a block that nothing lived in before
  int scratch = 0;
  std::vector<size_t> next{};  ///< nodes that wait for this one
  int waits = 0;               ///< for so many
};

struct Problem {
  std::vector<Step> steps;
  std::vector<int> bytes, readers;  // of each block; one that stays has a reader that never comes
  int64_t begin = 0;                // bytes that live before the first step
};

Problem problem_of(const Graph& graph, const Numbers& numbers) {
  const Blocks blocks = blocks_of(graph, numbers, {}, false);
  const Flow flow(graph);
  const int end = static_cast<int>(graph.nodes.size());
  Problem p;
  p.steps.resize(graph.nodes.size());
  p.readers.assign(blocks.all.size(), 0);
  std::vector<char> made(blocks.all.size());
  for (const Block& b : blocks.all) p.bytes.push_back(b.bytes);
  const auto wait = [&](size_t before, size_t after) {
    std::vector<size_t>& next = p.steps[before].next;
    if (before == after || std::ranges::count(next, after)) return;
    next.push_back(after);
    ++p.steps[after].waits;
  };
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    Step& step = p.steps[i];
    const int scratch = blocks.of_scratch[i];
    step.scratch = scratch < 0 ? 0 : p.bytes[static_cast<size_t>(scratch)];
    step.out = blocks.of_tensor[static_cast<size_t>(node.output)];
    step.makes = !info(node.op).alias && !blocks.all[step.out].kept;
    made[step.out] |= step.makes;
    const nnom::Memory memory = memory_of(node, numbers_of(graph, node, numbers));
    for (size_t k = 0; k < node.inputs.size(); ++k) {
      const auto t = static_cast<size_t>(node.inputs[k]);
      const size_t in = blocks.of_tensor[t];
      if (flow.producer[t] >= 0) wait(static_cast<size_t>(flow.producer[t]), i);
      const int lead = memory.lead[static_cast<int>(k)];
      const auto same = std::ranges::find(step.reads, in, &Step::Read::block);
      if (same != step.reads.end()) {
        same->saved = 0;
        continue;
      }
      const bool may = step.makes && in != step.out && lead < p.bytes[step.out];
      step.reads.push_back({in, may ? saved_by({in, step.out, lead}, blocks.all) : 0});
      ++p.readers[in];
    }
  }
  for (size_t b = 0; b < blocks.all.size(); ++b)
    if (blocks.all[b].last == end) ++p.readers[b];
  for (const size_t b : blocks.of_tensor)  // an input that nobody reads matters to no order
    if (!made[b] && p.readers[b] > 0) p.begin += p.bytes[b], made[b] = true;
  for (const int b : blocks.of_state) p.begin += b < 0 ? 0 : p.bytes[static_cast<size_t>(b)];
  // What becomes the content of a variable is written when nothing reads the last any more.
  for (const Variable& v : graph.variables) {
    if (v.next < 0) continue;
    const auto writer = static_cast<size_t>(flow.producer[static_cast<size_t>(v.next)]);
    const size_t block = blocks.of_tensor[static_cast<size_t>(v.tensor)];
    for (size_t i = 0; i < writer; ++i)
      if (std::ranges::count(p.steps[i].reads, block, &Step::Read::block)) wait(i, writer);
  }
  return p;
}

/// A set of nodes that have run. What lives depends on the set only; the peak on their order.
struct State {
  std::vector<int> readers, waits;  // still to come, of each block and node
  std::vector<size_t> ready;
  int64_t live = 0, peak = 0;
  uint64_t key = 0;  ///< of the set
  int path = -1;     ///< the last step
};

struct Path {
  size_t node;
  int before;
};

/// What becomes of a state by one more node.
struct Move {
  size_t from, node;
  int64_t peak, live;
  uint64_t key;
};

Move move_of(const Problem& p, const State& s, size_t from, size_t node, uint64_t key) {
  const Step& step = p.steps[node];
  int64_t out = step.makes ? p.bytes[step.out] : 0, saved = 0, gone = 0;
  for (const Step::Read& r : step.reads)
    if (s.readers[r.block] == 1) gone += p.bytes[r.block], saved += r.saved;
  const int64_t peak = s.live + out + step.scratch - std::min(saved, out);
  if (step.makes && p.readers[step.out] == 0) out = 0;  // nobody reads it
  return {from, node, std::max(s.peak, peak), s.live + out - gone, s.key ^ key};
}

State after(const Problem& p, const State& s, const Move& m, int path) {
  State t = s;
  t.live = m.live, t.peak = m.peak, t.key = m.key, t.path = path;
  std::erase(t.ready, m.node);
  for (const Step::Read& r : p.steps[m.node].reads) --t.readers[r.block];
  for (const size_t n : p.steps[m.node].next)
    if (--t.waits[n] == 0) t.ready.push_back(n);
  return t;
}

State start(const Problem& p) {
  State s;
  s.readers = p.readers;
  for (size_t i = 0; i < p.steps.size(); ++i) {
    s.waits.push_back(p.steps[i].waits);
    if (p.steps[i].waits == 0) s.ready.push_back(i);
  }
  s.live = s.peak = p.begin;
  return s;
}

/// The peak of the order that the nodes stand in.
int64_t peak_as_it_is(const Problem& p) {
  State s = start(p);
  for (size_t i = 0; i < p.steps.size(); ++i) s = after(p, s, move_of(p, s, 0, i, 0), 0);
  return s.peak;
}

/// No order can do with less: what each node needs by itself.
int64_t least(const Problem& p) {
  int64_t most = 0;
  for (const Step& step : p.steps) {
    int64_t bytes = step.scratch + (step.makes ? p.bytes[step.out] : 0), saved = 0;
    for (const Step::Read& r : step.reads) bytes += p.bytes[r.block], saved += r.saved;
    most = std::max(most, bytes - (step.makes ? std::min<int64_t>(saved, p.bytes[step.out]) : 0));
  }
  return most;
}

}  // namespace

std::vector<size_t> better_order(const Graph& graph, const Numbers& numbers) {
  const Problem p = problem_of(graph, numbers);
  const size_t nodes = p.steps.size();
  const int64_t to_beat = peak_as_it_is(p);
  if (to_beat <= least(p)) return {};
  std::mt19937_64 random(1);
  std::vector<uint64_t> keys(nodes);
  for (uint64_t& k : keys) k = random();

  // Step by step, the best states of each size; of two that are one set, the one of lower peak.
  std::vector<Path> paths;
  std::vector<State> states = {start(p)}, next;
  std::vector<Move> moves;
  for (size_t n = 0; n < nodes; ++n) {
    moves.clear();
    size_t ready = 1;
    for (size_t i = 0; i < states.size(); ++i) {
      for (const size_t node : states[i].ready)
        if (const Move m = move_of(p, states[i], i, node, keys[node]); m.peak < to_beat)
          moves.push_back(m);
      ready = std::max(ready, states[i].ready.size());
    }
    std::ranges::sort(moves, {},
                      [](const Move& m) { return std::tuple(m.peak, m.live, m.from, m.node); });
    const size_t width = std::max(size_t{1}, kStates / (nodes * ((ready + 7) / 8)));
    std::unordered_set<uint64_t> seen;
    next.clear();
    for (const Move& m : moves) {
      if (next.size() >= width) break;
      if (!seen.insert(m.key).second) continue;
      paths.push_back({m.node, states[m.from].path});
      next.push_back(after(p, states[m.from], m, static_cast<int>(paths.size()) - 1));
    }
    states.swap(next);
    if (states.empty()) return {};
  }
  std::vector<size_t> order;
  for (int at = states[0].path; at >= 0; at = paths[static_cast<size_t>(at)].before)
    order.push_back(paths[static_cast<size_t>(at)].node);
  std::ranges::reverse(order);
  return order;
}

Graph in_order(const Graph& graph, const std::vector<size_t>& order) {
  Graph g = graph;
  g.nodes.clear();
  for (const size_t i : order) g.nodes.push_back(graph.nodes[i]);
  return g;
}

}  // namespace nnomc
