// The memory plan, on random graphs: what overlaps must not change a bit.
#include "compiler/plan/plan.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <climits>
#include <ctime>
#include <map>

#include "compiler/emit/emit.hpp"
#include "compiler/error.hpp"
#include "compiler/plan/order.hpp"
#include "compiler/plan/place.hpp"
#include "compiler/plan/turns.hpp"
#include "compiler/simulate/simulate.hpp"
#include "nnom/network/network.hpp"
#include "tests/random_layers.hpp"

namespace nnomc {
namespace {

using Bytes = std::vector<unsigned char>;

/// What every node gave, by tensor, and the outputs after the last.
struct Trace {
  std::map<int, Bytes> tensors;
  std::vector<Bytes> outputs;
};

Trace trace(const Program& program, unsigned seed) {
  Random r(seed);
  Simulator simulator(program);
  for (size_t i = 0; i < program.graph.inputs.size(); ++i) {
    std::vector<float> values;
    for (int k = program.graph.shape(program.graph.inputs[i]).size(); k > 0; --k)
      values.push_back(static_cast<float>(r.real(-3, 3)));
    simulator.set_input(i, values);
  }
  Trace t;
  simulator.run([&](size_t node, const void* output) {
    const auto* bytes = static_cast<const unsigned char*>(output);
    const int tensor = program.graph.nodes[node].output;
    t.tensors[tensor] = {bytes, bytes + tensor_bytes(program.graph, tensor, program.numbers)};
  });
  for (size_t i = 0; i < program.graph.outputs.size(); ++i) {
    const auto bytes = simulator.output_bytes(i);
    t.outputs.emplace_back(bytes.begin(), bytes.end());
  }
  return t;
}

std::string describe(const Graph& graph) {
  std::string text;
  for (const int t : graph.inputs)
    text += fmt::format("\n  {} = input {}", t, to_string(graph.shape(t)));
  for (const Node& n : graph.nodes)
    text += fmt::format("\n  {} = {}({})", n.output, describe(n), fmt::join(n.inputs, ", "));
  return text + fmt::format("\n  outputs {}", fmt::join(graph.outputs, ", "));
}

/// Alignment, bounds and sizes of a plan.
void check_layout(const Program& program, const Plan& separate) {
  const Plan& plan = program.plan;
  const auto inside = [&](int offset, int bytes) {
    EXPECT_GE(offset, 0);
    EXPECT_EQ(offset % 16, 0);
    EXPECT_LE(offset + bytes, plan.arena_bytes);
  };
  for (size_t t = 0; t < program.graph.tensors.size(); ++t)
    inside(plan.tensor[t], tensor_bytes(program.graph, static_cast<int>(t), program.numbers));
  for (size_t i = 0; i < program.graph.nodes.size(); ++i) {
    const Op& op = program.graph.nodes[i].op;
    if (const int bytes = info(op).memory(op, program.numbers).scratch)
      inside(plan.nodes[i].scratch, bytes);
  }
  EXPECT_GE(plan.arena_bytes, plan.lower_bound);
  EXPECT_LE(plan.arena_bytes, separate.arena_bytes);
  EXPECT_EQ(plan.arena_bytes % 16, 0);
}

void check_graphs(unsigned first_seed, unsigned count, int most_layers) {
  int64_t together = 0, apart = 0, bound = 0;
  unsigned refused = 0;
  for (unsigned seed = first_seed; seed < first_seed + count && !testing::Test::HasFailure();
       ++seed) {
    Random r(seed);
    const Graph graph = random_graph(r.whole(1, most_layers), r);
    const std::vector<Numbers> numbers = all_numbers();
    const Lowering lowering{.numbers = numbers[seed % numbers.size()], .reorder = seed % 2 == 0};
    SCOPED_TRACE(fmt::format("seed {}, {}:{}", seed, describe(lowering.numbers), describe(graph)));
    const auto scales = usual_scales(graph, lowering.numbers.scheme());
    Program program;
    try {
      program = lower(graph, scales, lowering);
    } catch (const Error& e) {  // a sum of places beyond 128 has no scale that is a power of two
      ASSERT_NE(std::string(e.what()).find("leave out --scheme power-of-two"), std::string::npos)
          << e.what();
      ++refused;
      continue;
    }
    const Program separate = lower(graph, scales, {lowering.numbers, true, true});
    check_layout(program, separate.plan);
    const Trace got = trace(program, seed), want = trace(separate, seed);
    for (const auto& [tensor, bytes] : want.tensors)
      ASSERT_EQ(got.tensors.at(tensor), bytes) << "tensor " << tensor;
    for (size_t i = 0; i < want.outputs.size(); ++i)
      ASSERT_EQ(got.outputs[i], want.outputs[i]) << "output " << i;
    together += program.plan.arena_bytes, apart += separate.plan.arena_bytes;
    bound += program.plan.lower_bound;
  }
  EXPECT_LE(refused * 500, count);
  // The tests would pass a plan that never shares: see that it does.
  EXPECT_LT(together, apart * 3 / 4);
  EXPECT_LT(together, bound * 5 / 4);
}

TEST(Plan, SharingMemoryChangesNothing) { check_graphs(1, 3000, 25); }
TEST(Plan, SharingMemoryChangesNothingInLargeGraphs) { check_graphs(5001, 50, 150); }
TEST(SlowPlan, SharingMemoryChangesNothing) { check_graphs(10'000, 50'000, 40); }

/// A graph whose nodes can all run in turns: convolutions, pools, and sums of branches of one
/// shape.
Graph rows_graph(Random& r, const std::vector<std::string>& ops) {
  Graph g;
  g.file = "rows";
  const Shape input{3, {r.whole(4, 14), r.whole(2, 6), r.whole(1, 5)}};
  std::vector<int> tensors = {g.add_input("input", input)};
  for (int layers = r.whole(1, 9); layers > 0; --layers) {
    const int t = r.one_in(3) ? r.of(tensors) : tensors.back();
    std::vector<int> same;  // as large as t
    for (const int other : tensors)
      if (g.shape(other) == g.shape(t)) same.push_back(other);
    const std::string op = r.of(ops);
    const bool two = op == "Add" || op == "Mul" || op == "Maximum";
    const int out = add_random(g, op, two ? std::vector{t, r.of(same)} : std::vector{t}, r);
    if (out >= 0) tensors.push_back(out);
  }
  for (const int t : tensors)
    if (g.consumers(t).empty() || (t == tensors[tensors.size() / 2] && r.one_in(3)))
      g.outputs.push_back(t);
  return g;
}

TEST(Plan, TurnsChangeNothing) {
  int64_t rings = 0, together = 0;
  size_t graphs = 0;
  for (unsigned seed = 1; seed <= 4000 && !testing::Test::HasFailure(); ++seed) {
    Random r(seed);
    const Graph graph = rows_graph(r, {"Conv2D", "Conv2D", "DepthwiseConv2D", "MaxPool2D",
                                       "AveragePool2D", "Add", "Mul", "Maximum"});
    const size_t most = most_turns(graph);
    if (most == 0) continue;
    const std::vector<Numbers> numbers = all_numbers();
    const Lowering lowering{.numbers = numbers[seed % numbers.size()]};
    SCOPED_TRACE(fmt::format("seed {}, {}:{}", seed, describe(lowering.numbers), describe(graph)));
    const auto scales = usual_scales(graph, lowering.numbers.scheme());
    Program program = lower(graph, scales, lowering);
    const Trace want = trace(lower(graph, scales, {lowering.numbers, true, true}), seed);
    const size_t nodes = static_cast<size_t>(r.whole(1, static_cast<int>(most)));
    together += program.plan.arena_bytes;
    program.plan =
        plan_memory(graph, program.numbers, take_turns(graph, program.numbers, nodes, r.one_in(2)));
    rings += program.plan.arena_bytes;
    ++graphs;
    const Trace got = trace(program, seed);
    for (const auto& [tensor, bytes] : got.tensors)
      ASSERT_EQ(bytes, want.tensors.at(tensor)) << "tensor " << tensor;
    for (size_t i = 0; i < want.outputs.size(); ++i)
      ASSERT_EQ(got.outputs[i], want.outputs[i]) << "output " << i;
  }
  EXPECT_GT(graphs, 2000u);
  EXPECT_LT(rings, together) << "rings should be smaller";
}

/// With a row less in any ring, something is overwritten that is still read.
TEST(Plan, RingsAreNoLargerThanNeeded) {
  int tight = 0, slack = 0;
  for (unsigned seed = 1; seed <= 400; ++seed) {
    Random r(seed);
    Graph graph = rows_graph(r, {"Conv2D", "Mul"});
    for (Node& node : graph.nodes) node.range = {};  // what is wrong must show
    const size_t most = most_turns(graph);
    if (most == 0) continue;
    Program program = lower_float(graph);
    const Trace want = trace(program, seed);
    Turns turns = take_turns(graph, program.numbers, most, true);
    const auto ring = std::max_element(turns.ring.begin(), turns.ring.end());
    if (*ring < 2) continue;
    const auto place = turns.place[static_cast<size_t>(ring - turns.ring.begin())];
    for (size_t t = 0; t < turns.ring.size(); ++t)
      if (turns.place[t] == place) --turns.ring[t];
    program.plan = plan_memory(graph, program.numbers, turns);
    ++(trace(program, seed).outputs == want.outputs ? slack : tight);
  }
  EXPECT_GT(tight, 5 * slack) << "rings are larger than they need to be";
}

/// The layer API's planner does less: it is never ahead.
TEST(Plan, IsAtLeastAsGoodAsTheLayerApis) {
  int64_t own = 0, other = 0;
  for (unsigned seed = 1; seed <= 300; ++seed) {
    Random r(seed);
    const Graph graph = random_graph(r.whole(1, 25), r);
    if (graph.nodes.size() > nnom::Network::most_nodes) continue;
    const Program program = lower(graph, usual_scales(graph), {.numbers = {true, {}, Layout::dsp}});
    const int layers = layers_plan(program).arena_bytes;
    EXPECT_LE(program.plan.arena_bytes, layers) << "seed " << seed;
    own += program.plan.arena_bytes, other += layers;
  }
  EXPECT_LT(own, other);
}

TEST(Plan, ResidualBlocksTakeTwoTensors) {
  for (const int blocks : {1, 2, 10, 60}) {
    const Plan plan = plan_memory(residual_blocks(blocks), {true, {}, Layout::plain});
    EXPECT_EQ(plan.arena_bytes, 2 * 8 * 8 * 8) << blocks;
    EXPECT_EQ(plan.lower_bound, 2 * 8 * 8 * 8) << blocks;
  }
}

/// Whether `blocks` from `i` on fit below `top`, at any multiples of kAlign.
bool fits(const std::vector<Block>& blocks, std::vector<int>& offset, size_t i, int top) {
  if (i == blocks.size()) return true;
  const Block& b = blocks[i];
  for (int at = 0; at + b.bytes <= top; at += kAlign) {
    const auto meets = [&](size_t k) {
      const Block& o = blocks[k];
      if (b.first > o.last || o.first > b.last) return false;
      if (at >= offset[k] + o.bytes || offset[k] >= at + b.bytes) return false;
      return std::none_of(b.overlaps.begin(), b.overlaps.end(), [&](const Overlap& v) {
        if (v.before != k && v.after != k) return false;
        const int lead = v.before == k ? offset[k] - at : at - offset[k];
        return v.exact ? lead == v.lead : lead >= v.lead;
      });
    };
    bool free = true;
    for (size_t k = 0; k < i && free; ++k) free = !meets(k);
    offset[i] = at;
    if (free && fits(blocks, offset, i + 1, top)) return true;
  }
  return false;
}

TEST(Plan, OffsetsOfFewBlocksAreTheBest) {
  int above_bound = 0;
  for (unsigned seed = 1; seed <= 2000; ++seed) {
    Random r(seed);
    std::vector<Block> blocks;
    for (int n = r.whole(1, 7), i = 0; i < n; ++i) {
      const int first = r.whole(0, 5);
      blocks.push_back({kAlign * r.whole(1, 6) - r.whole(0, 3), first, first + r.whole(0, 3)});
    }
    for (size_t in = 0; in < blocks.size(); ++in)
      for (size_t out = 0; out < blocks.size(); ++out)
        if (blocks[in].last == blocks[out].first && blocks[in].first < blocks[in].last &&
            r.one_in(2)) {
          const bool exact = r.one_in(4);
          const int lead = exact ? 0 : r.whole(0, 60);
          for (const size_t b : {in, out}) blocks[b].overlaps.push_back({in, out, lead, exact});
        }
    const int bound = peak_of(blocks, 10).bytes;
    const std::vector<int> offset = place(blocks, bound).offset;
    int top = 0;
    for (size_t i = 0; i < blocks.size(); ++i) top = std::max(top, offset[i] + blocks[i].bytes);
    ASSERT_GE(top, bound) << "seed " << seed;
    std::vector<int> any(blocks.size());
    // Arenas come in multiples of kAlign.
    top = nnom::round_up(top, kAlign);
    ASSERT_FALSE(fits(blocks, any, 0, top - kAlign)) << "seed " << seed << ": below " << top;
    above_bound += top > nnom::round_up(bound, kAlign);
  }
  EXPECT_GT(above_bound, 50) << "too easy to tell";
}

/// The least bytes that live at once, over all orders that go on from `order`.
int least_peak(const Graph& graph, const Numbers& numbers, std::vector<size_t>& order) {
  if (order.size() == graph.nodes.size()) {
    const Graph g = in_order(graph, order);
    return peak_of(blocks_of(g, numbers, {}, false).all, static_cast<int>(order.size())).bytes;
  }
  int best = INT_MAX;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto has_run = [&](int t) {
      const int p = graph.producer(t);
      return p < 0 || std::count(order.begin(), order.end(), static_cast<size_t>(p));
    };
    const std::vector<int>& inputs = graph.nodes[i].inputs;
    if (std::count(order.begin(), order.end(), i) ||
        !std::all_of(inputs.begin(), inputs.end(), has_run))
      continue;
    order.push_back(i);
    best = std::min(best, least_peak(graph, numbers, order));
    order.pop_back();
  }
  return best;
}

TEST(Plan, OrderOfFewNodesIsTheBest) {
  const Numbers numbers{true, {}, Layout::dsp};
  int better = 0;
  for (unsigned seed = 1; seed <= 300; ++seed) {
    Random r(seed);
    const Graph graph = random_graph(r.whole(1, 5), r);
    const auto unread = [&](int t) { return graph.consumers(t).empty(); };
    if (graph.nodes.size() > 7 || std::any_of(graph.inputs.begin(), graph.inputs.end(), unread))
      continue;
    std::vector<size_t> order;
    const int least = least_peak(graph, numbers, order);
    const std::vector<size_t> found = better_order(graph, numbers);
    const Graph g = found.empty() ? graph : in_order(graph, found);
    const Peak peak =
        peak_of(blocks_of(g, numbers, {}, false).all, static_cast<int>(g.nodes.size()));
    ASSERT_EQ(peak.bytes, least) << "seed " << seed << describe(graph);
    better += !found.empty();
  }
  EXPECT_GT(better, 10) << "too few graphs gain by another order";
}

/// `count` layers as in the kinds of networks there are.
std::vector<std::pair<std::string, Graph>> graphs_of(int count) {
  Random r(7);
  Graph wide;  // branches from one input, joined by sums at the end
  const int input = wide.add_input("input", {3, {8, 8, 8}});
  std::vector<int> ends;
  while (static_cast<int>(wide.nodes.size()) + static_cast<int>(ends.size()) < count) {
    int t = input;
    for (int k = 0; k < 3; ++k) t = add_random(wide, "Activation", {t}, r);
    ends.push_back(t);
  }
  int sum = ends[0];
  for (size_t i = 1; i < ends.size(); ++i) sum = add_random(wide, "Add", {sum, ends[i]}, r);
  wide.outputs = {sum};
  return {{"residual", residual_blocks(std::max(count / 5, 1))},
          {"wide", std::move(wide)},
          {"random", random_graph(count, r)}};
}

/// The effort of finding offsets is limited, beyond what each block takes to look at.
TEST(Plan, EffortGrowsWithTheGraph) {
  const Numbers numbers{true, {}, Layout::dsp};
  for (const int count : {10, 100, 500, 2000})
    for (const auto& [name, graph] : graphs_of(count)) {
      const std::vector<Block> blocks = blocks_of(graph, numbers, {}, false).all;
      const Peak peak = peak_of(blocks, static_cast<int>(graph.nodes.size()));
      int64_t pairs = 0;
      for (const Block& a : blocks)
        for (const Block& b : blocks) pairs += a.first <= b.last && b.first <= a.last;
      const int64_t steps = place(blocks, peak.bytes).steps;
      EXPECT_LE(steps, 1'000'000 + 8 * pairs) << name << " of " << count;
    }
}

/// Only prints: how long planning takes as graphs grow.
TEST(SlowPlan, Time) {
  const Numbers numbers{true, {}, Layout::dsp};
  for (const int count : {10, 30, 100, 300, 1000, 2000})
    for (const auto& [name, graph] : graphs_of(count)) {
      const std::clock_t begin = std::clock();
      const Plan plan = plan_memory(graph, numbers);
      const std::clock_t middle = std::clock();
      const std::vector<size_t> order = better_order(graph, numbers);
      const std::clock_t end = std::clock();
      const auto ms = [](std::clock_t t) { return static_cast<double>(t) * 1e3 / CLOCKS_PER_SEC; };
      const Plan other = plan_memory(order.empty() ? graph : in_order(graph, order), numbers);
      fmt::print("{} of {} layers: offsets {:.1f} ms, {} of at least {}; order {:.1f} ms, {}\n",
                 name, count, ms(middle - begin), plan.arena_bytes, plan.lower_bound,
                 ms(end - middle), other.arena_bytes);
    }
}

}  // namespace
}  // namespace nnomc
