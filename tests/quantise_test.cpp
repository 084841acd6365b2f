// Quantising what is awkward: dead channels, constants, extreme weights, data and ranges. int8
// stays within a bound of the float model that is worked out from the scales alone.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "compiler/quantise/calibrate.hpp"
#include "compiler/quantise/fixed_point.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/oracle.hpp"
#include "tests/random_layers.hpp"
#include "tests/samples_of.hpp"

namespace nnomc {
namespace {

constexpr int kChannels = 4;
constexpr float kInfinity = std::numeric_limits<float>::infinity();
const std::vector<Calibration> kMethods = {Calibration::min_max, Calibration::percentile,
                                           Calibration::kl, Calibration::mse,
                                           Calibration::automatic};

size_t at(int i) { return static_cast<size_t>(i); }
size_t channel_of(const Node& n, size_t weight) {
  if (std::holds_alternative<nnom::DepthwiseConv2D>(n.op)) return weight % kChannels;
  return weight / (n.weights.size() / kChannels);
}

/// A layer of four output channels and what it is calibrated on.
struct Case {
  std::string name;
  std::function<double(size_t channel, Random&)> weight = [](size_t, Random& r) {
    return r.real(-1, 1);
  };
  std::vector<float> bias{};
  std::function<double(Random&)> input = [](Random& r) { return r.real(-1, 1); };
  Range range{};
  int samples = 8;
  double no_coarser = 0;  ///< the output's scale, at most; 0: any
};

std::vector<Case> cases() {
  const auto constant = [](double v) { return [v](Random&) { return v; }; };
  const auto between = [](double lo, double hi) {
    return [lo, hi](Random& r) { return r.real(lo, hi); };
  };
  const auto weights = [](std::vector<double> sizes) {
    return [sizes](size_t c, Random& r) { return sizes[c] * r.real(-1, 1); };
  };
  const auto dead = weights({1, 0, 1, 0});
  const Range relu{0, kInfinity}, relu6{0, 6};
  return {
      {.name = "usual"},
      {.name = "usual with relu", .bias = {0.1f, -0.2f, 0.3f, 0}, .range = relu},
      {.name = "one sample", .samples = 1},
      {.name = "constant input", .input = constant(0.7)},
      {.name = "constant negative input", .input = constant(-3)},
      {.name = "zero input", .bias = {0.5f, -1, 0, 2}, .input = constant(0)},
      {.name = "zero input, no bias", .input = constant(0)},
      {.name = "inputs above 0", .input = between(0, 1)},
      {.name = "inputs below 0", .input = between(-1, 0)},
      {.name = "inputs far above 0", .input = between(5, 6)},
      {.name = "inputs far below 0", .input = between(-6, -5)},
      {.name = "tiny inputs", .input = between(-1e-30, 1e-30)},
      {.name = "denormal inputs", .input = between(-1e-42, 1e-42)},
      {.name = "huge inputs", .input = between(-1e30, 1e30)},
      {.name = "the largest inputs",
       .weight = weights({1e-9, 1e-9, 1e-9, 1e-9}),
       .input = between(-3.4e38, 3.4e38)},
      {.name = "zero weights", .weight = weights({0, 0, 0, 0})},
      {.name = "zero weights, bias", .weight = weights({0, 0, 0, 0}), .bias = {1, -2, 0, 30}},
      {.name = "zero weights, one bias", .weight = weights({0, 0, 0, 0}), .bias = {0, 0, 5e-9f, 0}},
      {.name = "dead channels", .weight = dead},
      {.name = "dead channels, small bias", .weight = dead, .bias = {0, 1e-3f, 0, -1e-9f}},
      {.name = "dead channels, bias", .weight = dead, .bias = {0, 0.7f, 0, -0.9f}},
      {.name = "dead channels, large bias", .weight = dead, .bias = {0, 1e3f, 0, -1e3f}},
      {.name = "dead channels, huge bias", .weight = dead, .bias = {0, 1e20f, 0, -1e20f}},
      {.name = "dead below relu",
       .weight = dead,
       .bias = {0, -1e4f, 0, -10},
       .range = relu,
       .no_coarser = 0.04},
      {.name = "far below relu",
       .weight = dead,
       .bias = {0, -1e6f, 0, -1e7f},
       .range = relu,
       .no_coarser = 0.04},
      {.name = "farther below relu",
       .weight = dead,
       .bias = {0, -1e12f, 0, -1e30f},
       .range = relu,
       .no_coarser = 0.04},
      {.name = "alive, but far below relu",
       .bias = {0, -1e9f, 0, -1e5f},
       .range = relu,
       .no_coarser = 0.04},
      {.name = "all below relu", .bias = {-100, -100, -100, -1e9f}, .range = relu},
      {.name = "far above relu6",
       .weight = dead,
       .bias = {0, 1e9f, 0, 1e20f},
       .range = relu6,
       .no_coarser = 0.04},
      {.name = "no room at all", .range = {0, 0}},
      {.name = "only below 0", .range = {-kInfinity, 0}},
      {.name = "tiny weights", .weight = weights({1e-30, 1e-30, 1e-30, 1e-30})},
      {.name = "tiny weights, bias",
       .weight = weights({1e-30, 1, 1e-30, 1}),
       .bias = {0.5f, 0.5f, -0.5f, -0.5f}},
      {.name = "denormal weights", .weight = weights({1e-40, 1e-44, 1, 1e-40})},
      {.name = "one tiny channel", .weight = weights({1, 1e-30, 1, 1})},
      {.name = "a spread of 1e6", .weight = weights({1, 1e-2, 1e-4, 1e-6})},
      {.name = "a spread of 1e6, bias",
       .weight = weights({1e3, 1, 1, 1e-3}),
       .bias = {1e3f, 1, -1, 1e-3f}},
      {.name = "huge weights", .weight = weights({1e30, 1e20, 1, 1})},
      {.name = "huge weights, tiny inputs",
       .weight = weights({1e30, 1e30, 1e30, 1e30}),
       .input = between(-1e-30, 1e-30)},
      {.name = "small weights, large bias",
       .weight = weights({1e-5, 1, 1e-5, 1}),
       .bias = {100, 0, 100, 0}},
      {.name = "cancelling",
       .weight = [](size_t, Random& r) { return r.one_in(2) ? 1 : -1; },
       .bias = {},
       .input = constant(1)},
  };
}

Graph graph_of(const Case& c, const std::string& op, Random& r) {
  Graph g;
  g.file = g.name = "awkward";
  Node n{.name = op, .source = "Test", .op = {}, .inputs = {}};
  const nnom::Size one{1, 1}, three{3, 3};
  const nnom::Border same{1, 1, 1, 1};
  size_t count = 0;
  if (op == "Dense") {
    n.inputs = {g.add_input("x", {1, {6}})};
    n.op = nnom::Dense{.out = kChannels};
    count = 6 * kChannels;
  } else if (op == "Conv2D") {
    n.inputs = {g.add_input("x", {3, {3, 4, 2}})};
    n.op = nnom::Conv2D{
        .out = {0, 0, kChannels}, .kernel = three, .stride = one, .dilation = one, .pad = same};
    count = 9 * 2 * kChannels;
  } else {
    n.inputs = {g.add_input("x", {3, {4, 3, kChannels}})};
    n.op = nnom::DepthwiseConv2D{.kernel = three, .stride = one, .dilation = one, .pad = same};
    count = 9 * kChannels;
  }
  n.weights.resize(count);
  for (size_t i = 0; i < count; ++i)
    n.weights[i] = static_cast<float>(c.weight(channel_of(n, i), r));
  n.bias = c.bias;
  n.range = c.range;
  g.outputs = {g.add(std::move(n))};
  return g;
}

/// What int8 may be off, element by element, where no value was cut off by calibration: half a step
/// of the input for each weight, half a step of the weight for each input, and of the output half a
/// step for rounding, half for rounding twice and half where the zero point moved the range.
std::vector<double> bound(const Graph& g, const std::vector<Quantisation>& scales, bool per_channel,
                          const std::vector<float>& x) {
  Node n = g.nodes[0];
  const double in = scales[at(n.inputs[0])].scale, out = scales[at(n.output)].scale;
  std::vector<double> step(kChannels), products(kChannels);
  for (size_t i = 0; i < n.weights.size(); ++i) {
    const double size = std::abs(double{n.weights[i]});
    double& s = step[channel_of(n, i)];
    s = std::max(s, size / 127);
    products[channel_of(n, i)] += size * most_of(scales[at(n.inputs[0])]);
  }
  // A bias takes 31 bits, so beside a large one the weights are coarser; but no bias has to be
  // larger than what brings the products out of the output's range.
  for (size_t c = 0; c < n.bias.size(); ++c) {
    const double needed = products[c] + most_of(scales[at(n.output)]) + out;
    step[c] = std::max(step[c], std::min(std::abs(double{n.bias[c]}), needed) / in / (1 << 30));
  }
  if (!per_channel) step.assign(kChannels, *std::max_element(step.begin(), step.end()));
  n.bias.clear(), n.range = {};
  std::vector<double> half_steps(x.size(), in / 2), sizes;
  for (const float v : x) sizes.push_back(std::abs(double{v}) + in / 2);
  Node of_inputs = n, of_weights = n;
  for (float& w : of_inputs.weights) w = std::abs(w);
  for (float& w : of_weights.weights) w = 1;
  const auto a = oracle::real_output(g, of_inputs, {half_steps});
  const auto b = oracle::real_output(g, of_weights, {sizes});
  std::vector<double> bounds;
  for (size_t i = 0; i < a.size(); ++i)
    bounds.push_back(1.5 * out + a[i] + (b[i] / 2 + in) * step[i % kChannels]);
  return bounds;
}

/// Runs a case in one arithmetic; `cut`: calibration may have cut values off.
void check(const Graph& g, const std::vector<Quantisation>& scales, const Lowering& lowering,
           const std::vector<float>& x, bool cut) {
  const Program program = lower(g, scales, lowering);
  const std::vector<float> got = run_once(program, {x})[0];
  const std::vector<float> want = run_float(g, {x})[0];
  const std::vector<double> bounds = bound(g, scales, lowering.per_channel, x);
  const Quantisation& q = scales[at(g.outputs[0])];
  for (size_t i = 0; i < want.size(); ++i) {
    ASSERT_TRUE(std::isfinite(got[i]));
    // Where values were cut off, no farther than int8's range is wide.
    const double most = cut ? 256 * q.scale + std::abs(double{want[i]}) : bounds[i];
    ASSERT_LE(std::abs(double{got[i]} - double{want[i]}), most * (1 + 1e-5))
        << "element " << i << ": " << got[i] << " instead of " << want[i];
  }
}

class Quantise : public testing::TestWithParam<std::string> {};

TEST_P(Quantise, AwkwardLayersStayWithinTheirBound) {
  for (const Case& c : cases()) {
    Random r(1);
    const Graph g = graph_of(c, GetParam(), r);
    const size_t size = at(g.shape(g.inputs[0]).size());
    std::vector<float> values;
    for (size_t i = 0; i < size * at(c.samples); ++i)
      values.push_back(static_cast<float>(c.input(r)));
    const Samples samples = samples_of(g, values);
    for (const Calibration method : kMethods)
      for (const Rounding rounding : {Rounding::single_rounding, Rounding::double_rounding})
        for (const bool per_channel : {true, false}) {
          SCOPED_TRACE(fmt::format("{}, method {}, {}{}", c.name, static_cast<int>(method),
                                   describe({true, rounding, Layout::vector}),
                                   per_channel ? "" : " per tensor"));
          const Lowering lowering{{true, rounding, Layout::vector}, per_channel};
          const Ranges ranges = calibrate(g, samples, method, lowering);
          for (const Quantisation& q : ranges.scales) {
            EXPECT_TRUE(std::isfinite(q.scale) && q.scale > 0);
            EXPECT_TRUE(q.zero >= -128 && q.zero <= 127);
          }
          const double coarsest = c.no_coarser > 0 ? c.no_coarser : HUGE_VAL;
          EXPECT_LE(ranges.scales[at(g.outputs[0])].scale, coarsest);
          for (size_t s = 0; s < samples.count(); ++s)
            check(g, ranges.scales, lowering, samples.read(s, 0), method != Calibration::min_max);
        }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Quantise, testing::Values("Dense", "Conv2D", "DepthwiseConv2D"),
                         [](const auto& op) { return op.param; });

}  // namespace
}  // namespace nnomc
