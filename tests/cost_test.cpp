// Cost grows with size as it should: instructions with the MACs of a layer, planning with the nodes
// of a graph. Nothing here is measured against a clock of the outside.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ctime>

#include "compiler/compile.hpp"
#include "compiler/firmware/boards.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/measure/measure.hpp"
#include "tests/random_layers.hpp"

namespace nnomc {
namespace {

/// Layers of one kind, each larger than the one before.
struct Family {
  std::string name;
  std::vector<size_t> nodes;
};

/// A graph of layers that have nothing to do with each other, so that one run measures them all.
struct Layers {
  Graph graph;
  std::vector<Family> families;
  Random random{1};

  void family(const std::string& name) { families.push_back({name, {}}); }

  void add(Op op, const Shape& in, size_t weights, size_t biases) {
    Node node;
    node.name = fmt::format("{}_{}", families.back().name, families.back().nodes.size());
    node.source = info(op).name;
    node.op = std::move(op);
    node.inputs = {graph.add_input(node.name + "_input", in)};
    const double size = 1 / std::sqrt(static_cast<double>(weights) / static_cast<double>(biases));
    for (size_t i = 0; i < weights; ++i)
      node.weights.push_back(static_cast<float>(random.normal() * size));
    node.bias.assign(biases, 0.5f);
    families.back().nodes.push_back(graph.nodes.size());
    graph.outputs.push_back(graph.add(std::move(node)));
  }
  void convolution(const Shape& in, int kernel, int channels) {
    nnom::Conv2D op;
    op.out.c = channels, op.kernel = {kernel, kernel}, op.stride = op.dilation = {1, 1};
    op.pad = {kernel / 2, kernel / 2, kernel / 2, kernel / 2};
    add(op, in, static_cast<size_t>(kernel * kernel * in.back() * channels),
        static_cast<size_t>(channels));
  }
  void depthwise(const Shape& in) {
    nnom::DepthwiseConv2D op;
    op.kernel = {3, 3}, op.stride = op.dilation = {1, 1}, op.pad = {1, 1, 1, 1};
    add(op, in, static_cast<size_t>(9 * in.back()), static_cast<size_t>(in.back()));
  }
  void dense(int in, int out) {
    nnom::Dense op;
    op.out = out;
    add(op, {1, {in}}, static_cast<size_t>(in * out), static_cast<size_t>(out));
  }
};

Layers growing_layers() {
  Layers l;
  const std::vector<int> sizes = {16, 32, 48, 64};
  l.family("convolution_height");
  for (const int n : sizes) l.convolution({3, {n / 2, 8, 16}}, 3, 16);
  l.family("convolution_inputs");
  for (const int n : sizes) l.convolution({3, {8, 8, n}}, 3, 16);
  l.family("convolution_outputs");
  for (const int n : sizes) l.convolution({3, {8, 8, 16}}, 3, n);
  l.family("pointwise_height");
  for (const int n : sizes) l.convolution({3, {n, 8, 16}}, 1, 16);
  l.family("pointwise_inputs");
  for (const int n : sizes) l.convolution({3, {8, 8, n}}, 1, 16);
  l.family("depthwise_height");
  for (const int n : sizes) l.depthwise({3, {n, 16, 16}});
  l.family("depthwise_channels");
  for (const int n : sizes) l.depthwise({3, {16, 16, n}});
  l.family("dense_inputs");
  for (const int n : sizes) l.dense(8 * n, 32);
  l.family("dense_outputs");
  for (const int n : sizes) l.dense(128, 2 * n);
  return l;
}

/// The straight line with the least squares of relative errors.
struct Line {
  double start = 0, slope = 0;

  Line(const std::vector<double>& x, const std::vector<double>& y) {
    double s = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double w = 1 / (y[i] * y[i]);
      s += w, sx += w * x[i], sy += w * y[i], sxx += w * x[i] * x[i], sxy += w * x[i] * y[i];
    }
    slope = (s * sxy - sx * sy) / (s * sxx - sx * sx);
    start = (sy - slope * sx) / s;
  }
  double at(double x) const { return start + slope * x; }
};

class Cost : public testing::TestWithParam<std::string> {};

TEST_P(Cost, GrowsWithMacs) {
  const std::string& core = GetParam();
  const Board board = find_board(core);
  if (find_program(board.compiler).empty() || find_program(board.emulator).empty())
    GTEST_SKIP() << "needs " << board.compiler << " and " << board.emulator;
  const Layers layers = growing_layers();
  const Numbers numbers{true, Rounding::double_rounding,
                        layout_of(core == "cortex-m0plus" ? "cortex-m0" : core)};
  const Program program =
      lower(layers.graph, usual_scales(layers.graph), {.numbers = numbers, .per_channel = true});
  EmitOptions options;
  options.optimise = Optimise::speed;
  const Measured m = run_on_core(program, noise_for(program), core, options, true);
  for (const Family& family : layers.families) {
    std::vector<double> macs, cost;
    for (const size_t n : family.nodes) {
      const Op& op = program.graph.nodes[n].op;
      macs.push_back(static_cast<double>(info(op).macs(op)));
      cost.push_back(static_cast<double>(m.layers[n].instructions.value()));
    }
    const Line line(macs, cost);
    EXPECT_GT(line.slope, 0) << family.name;
    // What a layer costs before its first MAC is less than the smallest of them does.
    EXPECT_LT(line.start, cost[0]) << family.name;
    for (size_t i = 0; i < cost.size(); ++i)
      EXPECT_NEAR(cost[i] / line.at(macs[i]), 1, 0.04)
          << family.name << " of " << macs[i] << " MACs: " << cost[i] << " instructions, line "
          << line.start << " + " << line.slope << " a MAC";
  }
}

std::string name_of(const testing::TestParamInfo<std::string>& core) {
  std::string name = core.param;
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Cores, Cost, testing::ValuesIn(core_names()), name_of);

/// What a picture's classifier takes of flash besides its weights: one loop for each kind of layer.
TEST(CostOfCode, IsSmallForSize) {
  const Board board = find_board("cortex-m4");
  if (find_program(board.compiler).empty() || find_program(board.emulator).empty())
    GTEST_SKIP() << "needs " << board.compiler << " and " << board.emulator;
  Layers layers;
  layers.family("conv");
  for (const int channels : {4, 8, 12}) layers.convolution({3, {8, 8, channels}}, 3, 8);
  layers.family("depthwise");
  layers.depthwise({3, {8, 8, 8}});
  layers.family("dense");
  layers.dense(64, 10);
  CompileOptions options;
  options.target = "cortex-m4", options.optimise = Optimise::size;
  options.rounding = Rounding::double_rounding;
  const Program program = lower(layers.graph, usual_scales(layers.graph), lowering_of(options));
  EmitOptions emitting;
  emitting.optimise = Optimise::size;
  const Measured m = run_on_core(program, noise_for(program), "cortex-m4", emitting, true);
  EXPECT_LT(m.code_bytes, 4'000);
  EXPECT_GT(m.code_bytes, 1'000);
}

/// Processor time that planning takes, the least of three.
double planning_time(const Graph& graph) {
  double least = 1e9;
  for (int i = 0; i < 3; ++i) {
    const std::clock_t begin = std::clock();
    plan_memory(graph, {true, {}, Layout::plain});
    least = std::min(least, static_cast<double>(std::clock() - begin));
  }
  return least;
}

/// Twice as many nodes take at most 2^2.5 times as long: a plan looks at pairs of tensors, and
/// large ones leave the caches.
void expect_planning_grows_with_pairs(const std::string& kind, auto graph_of) {
  double fewer = 10, before = planning_time(graph_of(10));
  for (const int nodes : {50, 200, 500, 1000, 2000}) {
    const double now = planning_time(graph_of(nodes));
    EXPECT_LT(now, before * std::pow(nodes / fewer, 2.5)) << kind << ", " << nodes << " nodes";
    before = now, fewer = nodes;
  }
}

TEST(CostOfPlanning, GrowsWithPairsOfTensors) {
  expect_planning_grows_with_pairs("residual",
                                   [](int nodes) { return residual_blocks(nodes / 5); });
}

TEST(SlowCostOfPlanning, GrowsWithPairsOfTensors) {
  expect_planning_grows_with_pairs("random", [](int nodes) {
    Random r(7);
    return random_graph(nodes, r);
  });
}

}  // namespace
}  // namespace nnomc
