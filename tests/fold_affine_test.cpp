// A scale and shift of channels behind a sum goes into what is added, where that is exact; what
// comes out stays the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "compiler/passes/passes.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/random_layers.hpp"

namespace nnomc {
namespace {

constexpr int kSize = 4, kChannels = 3;

std::vector<float> random_values(Random& random, int n) {
  std::vector<float> values;
  for (int i = 0; i < n; ++i) values.push_back(static_cast<float>(random.real(-1, 1)));
  return values;
}

/// Two convolutions of one input, one at half the size and resized if `resized`; their sum or
/// difference, scaled, shifted and limited to 0 and above.
struct Sum {
  bool resized = false, minus = false, same = false;
  bool read_twice = false;  ///< one convolution is an output too
  bool convolved = true;    ///< the second operand comes from a convolution
  Range first{};            ///< of the first convolution
  bool folds = true;
};

int convolution(Graph& graph, int input, int stride, Range range, Random& random) {
  nnom::Conv2D op;
  op.out.c = kChannels;
  op.kernel = {1, 1};
  op.stride = {stride, stride};
  Node node{.name = "conv", .source = "Conv2D", .op = op, .inputs = {input}};
  node.weights = random_values(random, kChannels * kChannels);
  node.bias = random_values(random, kChannels);
  node.range = range;
  return graph.add(node);
}

Graph graph_of(const Sum& c, Random& random) {
  Graph graph;
  graph.name = "sum";
  const int input = graph.add_input("x", {3, {kSize, kSize, kChannels}});
  const int a = convolution(graph, input, 1, c.first, random);
  int b = input;
  if (c.same)
    b = a;
  else if (c.convolved)
    b = convolution(graph, input, c.resized ? 2 : 1, {}, random);
  if (c.resized) {
    nnom::Resize op;
    op.out.h = op.out.w = kSize;
    b = graph.add({.name = "resize", .source = "UpSampling2D", .op = op, .inputs = {b}});
  }
  nnom::Add add;
  add.rule.minus = c.minus;
  const int sum = graph.add({.name = "add", .source = "Add", .op = add, .inputs = {a, b}});
  nnom::DepthwiseConv2D affine;
  affine.kernel = affine.stride = {1, 1};
  Node node{.name = "norm", .source = "BatchNormalization", .op = affine, .inputs = {sum}};
  node.weights = random_values(random, kChannels);
  node.bias = random_values(random, kChannels);
  node.range = {0, std::numeric_limits<float>::infinity()};
  graph.outputs = {graph.add(node)};
  if (c.read_twice) graph.outputs.push_back(a);
  return graph;
}

bool is_scaled(const Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const Node& n) {
    return std::holds_alternative<nnom::DepthwiseConv2D>(n.op);
  });
}

TEST(FoldAffine, BehindASum) {
  const Range relu{0, std::numeric_limits<float>::infinity()};
  Random random(7);
  for (const Sum& c : std::vector<Sum>{{},
                                       {.minus = true},
                                       {.resized = true},
                                       {.resized = true, .minus = true},
                                       {.same = true, .folds = false},
                                       {.read_twice = true, .folds = false},
                                       {.convolved = false, .folds = false},
                                       {.first = relu, .folds = false}}) {
    SCOPED_TRACE(testing::Message()
                 << "resized " << c.resized << ", minus " << c.minus << ", same " << c.same
                 << ", read twice " << c.read_twice << ", convolved " << c.convolved);
    const Graph before = graph_of(c, random);
    Graph after = before;
    optimise(after);
    EXPECT_NE(is_scaled(after), c.folds);
    const auto x = random_values(random, kSize * kSize * kChannels);
    const auto want = run_float(before, {x}), got = run_float(after, {x});
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < want[0].size(); ++i) EXPECT_NEAR(got[0][i], want[0][i], 1e-5);
  }
}

}  // namespace
}  // namespace nnomc
