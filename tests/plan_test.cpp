// The memory plan, on random graphs: what overlaps must not change a bit.
#include "compiler/plan/plan.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <ctime>

#include "compiler/error.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/random_layers.hpp"

namespace nnomc {
namespace {

using Bytes = std::vector<unsigned char>;

/// What every node gave, and the outputs after the last.
struct Trace {
  std::vector<Bytes> nodes, outputs;
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
    t.nodes.emplace_back(
        bytes,
        bytes + tensor_bytes(program.graph, program.graph.nodes[node].output, program.numbers));
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
    const Lowering lowering{.numbers = numbers[seed % numbers.size()]};
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
    for (size_t i = 0; i < want.nodes.size(); ++i)
      ASSERT_EQ(got.nodes[i], want.nodes[i]) << "node " << i;
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

/// `blocks` residual blocks of five layers, as in a deep network.
Graph deep(int blocks) {
  Graph g;
  Random r(1);
  int t = g.add_input("input", {3, {8, 8, 8}});
  for (int i = 0; i < blocks; ++i) {
    int branch = t;
    for (const char* op : {"Activation", "Activation", "Softmax", "Activation"})
      branch = add_random(g, op, {branch}, r);
    t = add_random(g, "Add", {t, branch}, r);
  }
  g.outputs = {t};
  return g;
}

TEST(Plan, ResidualBlocksTakeTwoTensors) {
  for (const int blocks : {1, 2, 10, 60}) {
    const Plan plan = plan_memory(deep(blocks), {true, {}, Layout::plain});
    EXPECT_EQ(plan.arena_bytes, 2 * 8 * 8 * 8) << blocks;
    EXPECT_EQ(plan.lower_bound, 2 * 8 * 8 * 8) << blocks;
  }
}

/// Only prints: how long planning takes as graphs grow.
TEST(SlowPlan, Time) {
  for (const int layers : {10, 30, 100, 300, 1000}) {
    Random r(7);
    for (const auto& [name, graph] :
         {std::pair("residual", deep(layers / 5)), std::pair("random", random_graph(layers, r))}) {
      const std::clock_t begin = std::clock();
      plan_memory(graph, {true, {}, Layout::dsp});
      const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
      fmt::print("{} of {} layers: {:.1f} ms\n", name, layers, seconds * 1e3);
    }
  }
}

}  // namespace
}  // namespace nnomc
