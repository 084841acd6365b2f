// The layer API: how layers are put together, what shares memory, and what stays between runs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "nnom/build.hpp"
#include "tests/fixtures/layers/keras_layers.hpp"

namespace nnomc {
namespace {

using namespace nnom::layers;
using nnom::Network, nnom::range;

constexpr auto kUnit = range(-1, 1), kWide = range(-6, 6);
constexpr float kFilters[] = {0.5f, -0.25f, 1, 0, 0.75f, -1, 0.1f, 0.2f, -0.3f};
constexpr float kScores[] = {0.5f, -0.25f, 1, 0.75f, -1, 0.1f, 0.2f, -0.3f,
                             1,    0.5f,   0, 1,     0,  -1,   0.3f, 0.4f};

/// What a model gives for one input of stored values.
template <class Graph>
std::vector<int> run(nnom::Model<Graph>& model, const std::vector<int>& input) {
  std::copy(input.begin(), input.end(), model.input().begin());
  model.run();
  return {model.output().begin(), model.output().end()};
}
template <auto describe>
std::vector<int> run(const std::vector<int>& input) {
  nnom::Model<nnom::Graph<describe>> model;
  return run(model, input);
}
std::vector<int> stored(int count, int seed = 1) {
  std::vector<int> values;
  for (int i = 0; i < count; ++i) values.push_back((i * 37 + seed * 11) % 256 - 128);
  return values;
}

constexpr void sequential(Network& m) {
  m.input("x", {6, 6, 1}, kUnit);
  m.add("conv", conv2d(1, {.kernel = {3, 3}}, kFilters, {}, kWide));
  m.active(relu());
  m.add("pool", max_pool({2, 2}));
  m.add("flat", flatten());
  m.add("scores", dense(4, kScores, {}, kWide));
  m.add("softmax", softmax());
  m.output();
}
constexpr void functional(Network& m) {
  auto x = m.input("x", {6, 6, 1}, kUnit);
  x = m.hook("conv", conv2d(1, {.kernel = {3, 3}}, kFilters, {}, kWide), x);
  x = m.active(relu(), x);
  x = m.hook("pool", max_pool({2, 2}), x);
  x = m.hook("flat", flatten(), x);
  x = m.hook("scores", dense(4, kScores, {}, kWide), x);
  m.output(m.hook("softmax", softmax(), x));
}

TEST(Build, SequentialAndFunctionalModelsAreTheSame) {
  EXPECT_EQ(run<sequential>(stored(36)), run<functional>(stored(36)));
  using Graph = nnom::Graph<sequential>;
  EXPECT_EQ(int{Graph::arena_bytes}, int{nnom::Graph<functional>::arena_bytes});
  EXPECT_EQ(int{Graph::layer_count}, 4);  // neither the relu nor flatten
  EXPECT_EQ(Graph::operations, 16u * 9 + 4 * 4 + 4 * 4 + 4);
}

TEST(Build, AnAttachedReluTakesNoMemoryAndItsLayerUsesAllOfInt8) {
  constexpr auto quantisation = nnom::Graph<sequential>::B::net.tensor[1].quantisation;
  EXPECT_EQ(quantisation.zero, -128);
  EXPECT_NEAR(quantisation.scale, 6.0f / 255, 1e-3f);
}

/// A user's functions, of one and of two inputs.
constexpr auto kSquare = [](const auto& x, auto& y) {
  for (int i = 0; i < y.size(); ++i) y.set(i, x[i] * x[i]);
};
constexpr auto kFirstRow = [](const auto& a, const auto& b, auto& y) {
  for (int i = 0; i < y.size(); ++i) y.set(i, a[i] - b[b.index(0, i)]);
};
constexpr void own_functions(Network& m) {
  const auto x = m.input("x", {2, 3}, kUnit);
  const auto square = m.hook("square", lambda<kSquare>({2, 3}, range(0, 1)), x);
  m.output(m.hook("first", lambda<kFirstRow>({3}, range(-2, 2)), square, x));
}

TEST(Build, FunctionsOfOnesOwnAreLayers) {
  const std::vector<int> input = {-128, -5, 127, 40, 80, 0}, output = run<own_functions>(input);
  const auto round = [](double v, double scale, double zero) {
    return std::clamp(std::floor(v / scale + 0.5) + zero, -128.0, 127.0);
  };
  const auto& net = nnom::Graph<own_functions>::B::net;
  const auto scale = [&](int t) { return static_cast<double>(net.tensor[t].quantisation.scale); };
  const auto zero = [&](int t) { return double{1} * net.tensor[t].quantisation.zero; };
  ASSERT_EQ(output.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    const double x = scale(0) * (input[i] - zero(0));
    const double square = scale(1) * (round(x * x, scale(1), zero(1)) - zero(1));
    EXPECT_NEAR(output[i], round(square - x, scale(2), zero(2)), 1) << i;
  }
  nnom::Ranges<own_functions> real;
  const float sample[] = {-1, 0.5f, 0.25f, 0, 0, 0};
  real.see(sample);
  EXPECT_FLOAT_EQ(real.output()[0], 2);
  EXPECT_FLOAT_EQ(real.output()[1], -0.25f);
  EXPECT_FLOAT_EQ(real.layers[0].hi, 1);
}

/// y = x + relu(x), of a conv's output and of the input itself.
constexpr void residual(Network& m) {
  const auto in = m.input("x", {6, 6, 1}, kUnit);
  const auto x =
      m.hook("conv", conv2d(1, {.kernel = {3, 3}, .padding = same}, kFilters, {}, kWide), in);
  const auto y = m.merge("sum", add(), x, m.active(relu(), x));
  m.output(m.merge("all", add(), in, m.active(leaky_relu(0.5f), in), y));
}
/// The same, with nothing in place: each tensor is an output too.
constexpr void residual_apart(Network& m) {
  const auto in = m.input("x", {6, 6, 1}, kUnit);
  const auto x =
      m.hook("conv", conv2d(1, {.kernel = {3, 3}, .padding = same}, kFilters, {}, kWide), in);
  const auto r = m.active(relu(), x);
  const auto y = m.merge("sum", add(), x, r);
  const auto l = m.active(leaky_relu(0.5f), in);
  m.output(m.merge("all", add(), in, l, y));
  for (const auto t : {x, r, y, l, in}) m.output(t);
}

constexpr void sums(Network& m) {
  m.input("x", {4, 4, 1}, {0.5f, 0});
  m.add("sums", dynamic_sum_pool({2, 2}));
  m.output();
}

TEST(Build, ASumPoolMayChooseItsScaleWhenItRuns) {
  EXPECT_EQ(run<sums>(std::vector<int>(16, 10)), (std::vector<int>{40, 40, 40, 40, 0}));
  EXPECT_EQ(run<sums>(std::vector<int>(16, 100)), (std::vector<int>{100, 100, 100, 100, 2}));
}

TEST(Build, AnInPlaceLayerLeavesWhatAnotherBranchReads) {
  EXPECT_EQ(run<residual>(stored(36)), run<residual_apart>(stored(36)));
  EXPECT_LT(int{nnom::Graph<residual>::arena_bytes}, int{nnom::Graph<residual_apart>::arena_bytes});
  nnom::Model<nnom::Graph<residual_apart>> model;
  run(model, stored(36));
  const auto x = model.output<1>(), r = model.output<2>();
  const auto q = nnom::Graph<residual_apart>::output(1).quantisation;
  const auto of_relu = nnom::Graph<residual_apart>::output(2).quantisation;
  for (size_t i = 0; i < x.size(); ++i)
    EXPECT_NEAR(of_relu.real(r[i]), std::max(q.real(x[i]), 0.0f), of_relu.scale) << i;
}

constexpr void two_by_two(Network& m) {
  const auto a = m.input("a", {4}, kUnit), b = m.input("b", {4}, range(-2, 2));
  const auto sum = m.merge("sum", add(range(-3, 3)), a, b);
  m.output(sum);
  m.output(m.merge("difference", sub(range(-3, 3)), a, b));
}

TEST(Build, TwoInputsAndTwoOutputs) {
  nnom::Model<nnom::Graph<two_by_two>> model;
  const float a[] = {0.5f, -1, 1, 0}, b[] = {2, -2, 0.25f, -0.5f};
  model.write<0>(a);
  model.write<1>(b);
  model.run();
  float sum[4], difference[4];
  model.read<0>(sum);
  model.read<1>(difference);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(sum[i], a[i] + b[i], 0.03f);
    EXPECT_NEAR(difference[i], a[i] - b[i], 0.03f);
  }
}

/// An LSTM over a whole sequence, and one that takes a step at a time.
constexpr void whole(Network& m) {
  using namespace keras::lstm;
  m.input("x", {6, 3}, kUnit);
  m.add("lstm", lstm(4, w0, w1, w2, {.sequences = true}));
  m.output();
}
constexpr void stepwise(Network& m) {
  using namespace keras::lstm;
  m.input("x", {1, 3}, kUnit);
  m.add("lstm", lstm(4, w0, w1, w2, {.stateful = true}));
  m.output();
}

TEST(Build, StateStaysFromRunToRunUntilReset) {
  const std::vector<int> sequence = stored(18), want = run<whole>(sequence);
  nnom::Model<nnom::Graph<stepwise>> model;
  for (int time = 0; time < 2; ++time, model.reset()) {
    std::vector<int> got;
    for (auto at = sequence.begin(); at != sequence.end(); at += 3)
      for (const int v : run(model, {at, at + 3})) got.push_back(v);
    EXPECT_EQ(got, want);
  }
}

/// Adds up what it is given.
constexpr unsigned char kFirst[] = {10, 20};
constexpr void counter(Network& m) {
  const nnom::Quantisation ones{1, 0};
  const auto x = m.input("x", {2}, ones), sum = m.variable("sum", {2}, ones, kFirst);
  const auto next = m.merge("next", add(ones), x, sum);
  m.keep(sum, next);
  m.output(next);
}

TEST(Build, AVariableHoldsWhatItBecame) {
  nnom::Model<nnom::Graph<counter>> model;
  EXPECT_EQ(run(model, {1, 2}), (std::vector{11, 22}));
  EXPECT_EQ(run(model, {5, -7}), (std::vector{16, 15}));
  model.reset();
  EXPECT_EQ(run(model, {0, 1}), (std::vector{10, 21}));
}

/// Weights in int8, and the same as real numbers.
constexpr int8_t kStoredFilters[] = {127, -64, 3, 0, 100, -127, 12, 25, -38};
constexpr float kScaleOfFilters[] = {1.0f / 127};
constexpr float kSameFilters[] = {1,  -64.0f / 127, 3.0f / 127,  0,           100.0f / 127,
                                  -1, 12.0f / 127,  25.0f / 127, -38.0f / 127};
constexpr void in_int8(Network& m) {
  m.input("x", {6, 6, 1}, kUnit);
  m.add("conv", conv2d(1, {.kernel = {3, 3}}, {kStoredFilters, kScaleOfFilters}, {}, kWide));
  m.output();
}
constexpr void in_real(Network& m) {
  m.input("x", {6, 6, 1}, kUnit);
  m.add("conv", conv2d(1, {.kernel = {3, 3}}, kSameFilters, {}, kWide));
  m.output();
}

TEST(Build, WeightsMayBeInt8) { EXPECT_EQ(run<in_int8>(stored(36)), run<in_real>(stored(36))); }

/// The structured API: an op and its data.
using Numbers = nnom::Int8<nnom::Double, nnom::layout::Plain>;
constexpr int32_t kBias[] = {100};
constexpr nnom::Double kRescale[] = {{1 << 30, -7}};
constexpr nnom::Conv2D::Data<Numbers> kConv{
    .weights = kStoredFilters, .bias = kBias, .rescale = kRescale, .clamp = {.zero = 1, .lo = -50}};
constexpr void structured(Network& m) {
  const auto x = m.input("x", {6, 6, 1}, {1, 0});
  nnom::Conv2D op;
  op.kernel = {3, 3}, op.out.c = 1;
  m.output(m.layer("conv", op, kConv, {1, 1}, x));
}

TEST(Build, ALayerMayHaveDataOfItsOwn) {
  const std::vector<int> x = stored(36), got = run<structured>(x);
  for (int i = 0; i < 16; ++i) {
    int sum = 100;
    for (int k = 0; k < 9; ++k)
      sum += kStoredFilters[k] * x[static_cast<size_t>((i / 4 + k / 3) * 6 + i % 4 + k % 3)];
    const int rescaled = (sum + 128 - (sum < 0)) >> 8;
    EXPECT_NEAR(got[static_cast<size_t>(i)], std::clamp(rescaled + 1, -50, 127), 1) << i;
  }
}

TEST(Build, ARunnerBorrowsAnArenaOfSeveralModels) {
  nnom::Arena<nnom::Graph<sequential>, nnom::Graph<in_real>> arena;
  nnom::Runner<nnom::Graph<sequential>> runner(arena);
  const std::vector<int> x = stored(36);
  std::copy(x.begin(), x.end(), runner.input().begin());
  runner.run();
  const auto out = runner.output();
  EXPECT_EQ(std::vector<int>(out.begin(), out.end()), run<sequential>(x));
}

}  // namespace
}  // namespace nnomc
