// Scales that are powers of two: how they are chosen, that rescaling is the shift it says, and that
// nothing in a model has any other scale or a zero point.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "compiler/compile.hpp"
#include "compiler/error.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/firmware/process.hpp"
#include "compiler/quantise/data.hpp"
#include "compiler/quantise/scales.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/random_layers.hpp"
#include "tests/rescale_oracle.hpp"

namespace nnomc {
namespace {

const std::string kExample = NNOM_SOURCE_DIR "/examples/fashion_mnist/";

bool is_power_of_two(double v) {
  int exponent = 0;
  return std::frexp(v, &exponent) == 0.5;
}

TEST(PowerOfTwo, ShiftsWithHalvesUpOrFractionsCutOff) {
  struct Case {
    int32_t acc;
    int shift;
    int32_t nearest, truncated;
  };
  for (const Case& c : std::vector<Case>{{0, 5, 0, 0},
                                         {7, 0, 7, 7},
                                         {-7, 0, -7, -7},
                                         {1, 1, 1, 0},     // 0.5
                                         {-1, 1, 0, -1},   // -0.5
                                         {-3, 1, -1, -2},  // -1.5
                                         {-5, 2, -1, -2},  // -1.25
                                         {6, 2, 2, 1},
                                         {(1 << 30) - 1, 31, 0, 0},
                                         {-(1 << 30), 31, 0, -1},
                                         {3, -2, 12, 12},
                                         {-3, -2, -12, -12},
                                         {1 << 20, -20, INT32_MAX, INT32_MAX},
                                         {-(1 << 20), -31, INT32_MIN, INT32_MIN}}) {
    const auto nearest = rescale_by<nnom::PowerOfTwo>(std::ldexp(1, -c.shift));
    EXPECT_EQ(nearest.shift, c.shift);
    EXPECT_EQ(nearest(c.acc), c.nearest) << c.acc << " " << c.shift;
    EXPECT_EQ((nnom::PowerOfTwo{0, c.shift}(c.acc)), c.truncated) << c.acc << " " << c.shift;
  }
  static_assert(nnom::PowerOfTwo{2, 2}(-6) == -1 && nnom::PowerOfTwo{0, 2}(-6) == -2);
}

TEST(PowerOfTwo, AgreesWithExactArithmetic) {
  std::mt19937 random(1);
  int wrong = 0;
  for (int i = 0; i < 400'000; ++i) {
    const int shift = static_cast<int>(random() % 32);
    const auto acc = static_cast<int32_t>(random()) / 2;
    const auto rescale = rescale_by<nnom::PowerOfTwo>(std::ldexp(1, -shift));
    wrong += rescale(acc) != static_cast<int32_t>(oracle::nearest_up(acc, shift));
  }
  EXPECT_EQ(wrong, 0);
}

TEST(PowerOfTwo, MeansAreExactWhereTheyFitInt8) {
  std::mt19937 random(2);
  int wrong = 0, seen = 0;
  for (int i = 0; i < 400'000; ++i) {
    const int count = 1 + static_cast<int>(random() % (i % 2 ? 8 : 1 << (i % 22)));
    const bool mean = i % 3;
    const int left = static_cast<int>(random() % 40) - 20;
    const int64_t sum = static_cast<int64_t>(random()) % (int64_t{count} * 256) - count * 128;
    // What make_mean() of other_data.hpp makes of it is seen by kernels_test; this is the kernel's.
    const int bits = std::ilogb(mean ? count : 1);
    nnom::ShiftedMean m;
    m.left = std::clamp(left, 0, std::min(9 + bits, 30));
    m.divisor = (mean ? count : 1) << std::clamp(-left, 0, 30 - bits);
    m.offset = i % 5 ? m.divisor / 2 : 0;
    const double real = std::ldexp(static_cast<double>(sum), left) / (mean ? count : 1);
    const double want = std::floor(real + (i % 5 ? 0.5 : 0));
    const int got = m(static_cast<int32_t>(sum));
    wrong += std::clamp<double>(got, -128, 127) != std::clamp<double>(want, -128, 127);
    seen += std::abs(want) < 128;
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(seen, 100'000);
}

TEST(PowerOfTwo, ScaleIsTheLeastThatHoldsTheRangeButForAStep) {
  struct Case {
    float lo, hi;
    double scale;
  };
  for (const Case& c : std::vector<Case>{{0, 1, 1.0 / 128},  // 1 is stored as 127
                                         {-1, 0, 1.0 / 128},
                                         {0, 1.01f, 1.0 / 64},
                                         {-1.01f, 0.5f, 1.0 / 64},
                                         {0.25f, 0.5f, 1.0 / 256},
                                         {-3, 100, 1},
                                         {0, 128, 1},
                                         {0, 129, 2},
                                         {0, 0, 1},
                                         {0, 1e-38f, 1}}) {
    const Quantisation q = quantisation_of({c.lo, c.hi}, Scheme::power_of_two);
    EXPECT_EQ(q, (Quantisation{c.scale, 0})) << c.lo << " to " << c.hi;
  }
}

/// The methods of calibration know what int8 will hold: 1.1 costs a bit, and few values need it.
TEST(PowerOfTwo, MethodsOfCalibrationWeighWholePowers) {
  const Limits all{0, 1.1f};
  Histogram h(all, Scheme::power_of_two);
  std::vector<float> values;
  for (int i = 0; i < 100'000; ++i) values.push_back(static_cast<float>(i % 1000) / 1000);
  values.push_back(1.1f);
  h.add(values);
  const auto scale = [](const Limits& l) { return quantisation_of(l, Scheme::power_of_two).scale; };
  EXPECT_EQ(scale(all), 1.0 / 64);
  EXPECT_EQ(scale(h.percentile()), 1.0 / 128);
  EXPECT_EQ(scale(h.least_error()), 1.0 / 128);
  EXPECT_LT(h.error({0, 1}), h.error(all));
}

/// Of whatever layers, but for places, which are no real numbers.
TEST(PowerOfTwo, EveryScaleIsOneAndNoZeroPointIsThere) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    Random r(seed);
    const Graph graph = random_graph(r.whole(1, 20), r);
    std::vector<Limits> limits;
    for (size_t t = 0; t < graph.tensors.size(); ++t)
      limits.push_back({static_cast<float>(-r.real(0, 9)), static_cast<float>(r.real(0, 9))});
    const auto scales = scales_of(graph, limits, Scheme::power_of_two);
    for (const Quantisation& q : scales) {
      EXPECT_TRUE(is_power_of_two(q.scale)) << q.scale;
      EXPECT_TRUE(q.zero == 0 || (q.zero == -128 && q.scale == 1)) << q.zero;
    }
  }
}

TEST(PowerOfTwo, WeightsHaveScalesThatArePowersOfTwo) {
  for (const bool per_channel : {true, false})
    for (const char* op : {"Conv2D", "DepthwiseConv2D", "Dense", "TransposeConv2D"})
      for (unsigned seed = 1; seed <= 50; ++seed) {
        Random r(seed);
        const Graph graph = random_layer(op, r);
        NodeScales scales{{{0x1p-5, 0}}, {0x1p-4, 0}, per_channel};
        scales.scheme = Scheme::power_of_two;
        const WeightScales w = weight_scales(graph.nodes[0], scales);
        for (const double s : w.scale) EXPECT_TRUE(is_power_of_two(s)) << op << " " << s;
      }
}

/// A bias worlds above its weights, weights that are nothing, sums worlds below the output.
TEST(PowerOfTwo, NothingOverflowsWhereSizesAreWorldsApart) {
  Graph graph;
  const int in = graph.add_input("input", {1, {4}});
  Node node;
  node.name = "dense", node.source = "Dense";
  nnom::Dense dense;
  dense.out = 6;
  node.op = dense, node.inputs = {in};
  for (const float w : {1e-30f, 1e-9f, 0.0f, 1.0f, 1e-3f, 127.0f})
    node.weights.insert(node.weights.end(), {w, -w, w, w});
  node.bias = {1e-3f, 1e-3f, 0.5f, -1.0f, 20.0f, -1e9f};
  graph.outputs = {graph.add(std::move(node))};
  for (const double scale : {0x1p-30, 0x1p-7, 1.0, 0x1p20})
    for (const Rounding rounding : {Rounding::nearest, Rounding::truncating}) {
      const Lowering lowering{.numbers = {true, rounding, Layout::plain}};
      const Program program = lower(graph, {{0x1p-7, 0}, {scale, 0}}, lowering);
      Simulator simulator(program);
      for (const float x : {-1.0f, 0.0f, 0.9921875f}) {
        simulator.set_input(0, std::vector<float>(4, x));
        simulator.run();
        const auto got = simulator.output_bytes(0);
        for (size_t c = 0; c < 6; ++c) {
          const Node& n = graph.nodes[0];
          // Three times a weight, less once. Of the three a step of 128 may be cut off.
          const double part = static_cast<double>(n.weights[4 * c]) * static_cast<double>(x);
          const double real = static_cast<double>(n.bias[c]) + 2 * part;
          const double want = std::clamp(real / scale, -128.0, 127.0);
          EXPECT_NEAR(static_cast<int8_t>(got[c]), want, 1.02 + 3 * std::abs(part) / scale / 128)
              << "channel " << c << ", x " << x << ", scale " << scale;
        }
      }
    }
}

Outcome nnom(std::vector<std::string> arguments) {
  Command command;
  arguments.insert(arguments.begin(), NNOM_BINARY);
  command.arguments = std::move(arguments);
  command.timeout = std::chrono::seconds(300);
  return run_command(command);
}

std::vector<std::string> evaluated(const std::vector<std::string>& more) {
  std::vector<std::string> all = {"evaluate",    kExample + "model.keras",
                                  "--calibrate", kExample + "calibration.npy",
                                  "--scale",     "1/255",
                                  "--data",      kExample + "test_images.npy",
                                  "--labels",    kExample + "test_labels.npy"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

/// Float is right on 465 of 500.
TEST(PowerOfTwo, TheExampleLosesLittle) {
  struct Case {
    std::vector<std::string> options;
    const char* names;
    int least;
  };
  for (const Case& c : std::vector<Case>{
           {{"--scheme", "power-of-two"}, "int8 power-of-two on host", 455},
           {{"--scheme", "power-of-two", "--calibration", "min-max"}, "int8 power-of-two", 450},
           {{"--scheme", "power-of-two", "--calibration", "kl"}, "int8 power-of-two", 450},
           {{"--scheme", "power-of-two", "--per-tensor"}, "int8 power-of-two", 440},
           {{"--rounding", "truncate", "--scheme", "power-of-two"},
            "int8 power-of-two truncated on host",
            440}}) {
    const Outcome got = nnom(evaluated(c.options));
    ASSERT_EQ(got.exit_code, 0) << got.errors;
    EXPECT_NE(got.output.find(c.names), std::string::npos) << got.output;
    const auto at = got.output.find("top-1");
    ASSERT_NE(at, std::string::npos);
    const auto percent = got.output.find('%', at);
    const int right = std::stoi(got.output.substr(percent + 1));
    EXPECT_GE(right, c.least) << got.output.substr(at, 40);
  }
}

TEST(PowerOfTwo, RoundingsOfTheOtherSchemeAreRefused) {
  for (const auto& [options, message] :
       std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"--rounding", "truncate"}, "--rounding truncate: is not of --scheme affine"},
           {{"--rounding", "nearest", "--scheme", "affine"}, "add --scheme power-of-two"},
           {{"--scheme", "power-of-two", "--rounding", "double"},
            "--rounding double: is not of --scheme power-of-two"}}) {
    const Outcome got = nnom(evaluated(options));
    EXPECT_NE(got.exit_code, 0);
    EXPECT_NE(got.errors.find(message), std::string::npos) << got.errors;
  }
}

TEST(PowerOfTwo, AModelThatItsFileQuantisesKeepsItsScales) {
  const std::string model = NNOM_SOURCE_DIR "/fuzz/corpus/onnx/q_conv_i8.onnx";
  for (const char* command : {"inspect", "evaluate"}) {
    const Outcome got = nnom({command, model, "--scheme", "power-of-two"});
    EXPECT_NE(got.exit_code, 0);
    EXPECT_NE(got.errors.find("leave out --scheme power-of-two"), std::string::npos) << got.errors;
  }
}

}  // namespace
}  // namespace nnomc
