// Calibration of whole networks: bad data, threads, and the choice among the methods.
#include "compiler/quantise/calibrate.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "compiler/error.hpp"
#include "compiler/measure/measure.hpp"
#include "compiler/quantise/compare.hpp"
#include "compiler/quantise/states.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/random_layers.hpp"
#include "tests/samples_of.hpp"

namespace nnomc {
namespace {

const std::vector<Calibration> kMethods = {Calibration::min_max, Calibration::percentile,
                                           Calibration::kl, Calibration::mse,
                                           Calibration::automatic};

/// Convolutions, pooling and a classifier, with weights that keep the size of values.
Graph network() {
  Graph g;
  g.file = g.name = "network";
  Random r(5);
  int t = g.add_input("image", {3, {9, 8, 3}});
  for (const char* op : {"Conv2D", "DepthwiseConv2D", "MaxPool2D", "Conv2D", "Mean", "Dense"})
    t = add_random(g, op, {t}, r);
  g.outputs = {add_random(g, "Softmax", {t}, r)};
  return g;
}

/// `count` samples of normally distributed values; `outliers` of them have one far larger.
std::vector<float> normal_samples(const Graph& g, int count, int outliers = 0) {
  Random r(2);
  const int size = g.shape(g.inputs[0]).size();
  std::vector<float> values;
  for (int i = 0; i < size * count; ++i) values.push_back(static_cast<float>(r.normal()));
  for (int i = 0; i < outliers; ++i) values[static_cast<size_t>(i * size)] = 30;
  return values;
}

const Lowering kLowering{{true, Rounding::single_rounding, Layout::vector}};

TEST(Calibrate, ThreadsDoNotMatter) {
  const Graph g = network();
  const std::vector<float> one = normal_samples(g, 1);
  for (const Calibration method : kMethods) {
    // As many workers as samples, on the same values: a count of each is all that changes.
    const Ranges alone = calibrate(g, samples_of(g, one), method, kLowering);
    std::vector<float> copies;
    for (int n = 1; n <= 4; ++n) {
      copies.insert(copies.end(), one.begin(), one.end());
      EXPECT_EQ(calibrate(g, samples_of(g, copies), method, kLowering).scales, alone.scales)
          << n << " samples, method " << static_cast<int>(method);
    }
    const Samples many = samples_of(g, normal_samples(g, 40, 3));
    const Ranges first = calibrate(g, many, method, kLowering);
    for (int again = 0; again < 3; ++again)
      EXPECT_EQ(calibrate(g, many, method, kLowering).scales, first.scales);
  }
}

/// Mean squared error of the logits of int8.
double output_error(const Graph& g, const std::vector<Quantisation>& scales,
                    const Samples& samples) {
  const Program int8 = lower(g, scales, kLowering), real = lower_float(g);
  const int logits = g.nodes.back().inputs[0];
  double sum = 0;
  for (size_t s = 0; s < samples.count(); ++s) {
    std::vector<float> values[2];
    for (const bool quantised : {false, true}) {
      Simulator simulator(quantised ? int8 : real);
      simulator.set_input(0, samples.read(s, 0));
      simulator.run([&](size_t node, const void*) {
        if (int8.graph.nodes[node].output == logits) values[quantised] = simulator.tensor(logits);
      });
    }
    for (size_t i = 0; i < values[0].size(); ++i)
      sum += std::pow(double{values[0][i]} - double{values[1][i]}, 2);
  }
  return sum;
}

TEST(Calibrate, AutomaticIsNoWorseThanMinMax) {
  const Graph g = network();
  for (const int outliers : {0, 1, 4}) {
    const Samples samples = samples_of(g, normal_samples(g, 16, outliers));
    const double automatic =
        output_error(g, calibrate(g, samples, Calibration::automatic, kLowering).scales, samples);
    const double min_max =
        output_error(g, calibrate(g, samples, Calibration::min_max, kLowering).scales, samples);
    EXPECT_LE(automatic, min_max * 1.001) << outliers << " outliers";
  }
}

/// A recurrent layer whose output is the sum of all that it has heard: h = x + h.
Graph sum_of_all() {
  Graph g;
  g.file = g.name = "sum";
  nnom::RnnLayer op;
  op.units = 1, op.stateful = true, op.sequences = false;
  op.functions[nnom::kCandidateFunction].function = nnom::Function::linear;
  Node node;
  node.name = "sum", node.op = op, node.weights = {1, 1};
  node.inputs = {g.add_input("x", {2, {1, 1}})};
  g.outputs = {g.add(node)};
  return g;
}

TEST(Calibrate, AStreamKeepsTheState) {
  const Graph g = sum_of_all();
  const auto output = static_cast<size_t>(g.outputs[0]);
  for (const bool stream : {false, true}) {
    const std::vector<float> wanted =
        stream ? std::vector<float>{1, 3, 6, 10} : std::vector<float>{1, 2, 3, 4};
    Graph measured = g;
    Samples samples = samples_of(g, {1, 2, 3, 4});
    if (stream) samples.make_stream();
    measure_states(measured, samples);
    EXPECT_EQ(measured.nodes[0].inner.at(0), wanted[3]);
    const Ranges ranges = calibrate(measured, samples, Calibration::min_max, kLowering);
    EXPECT_EQ(ranges.tensors[output].hi, wanted[3]);
    for (const Calibration method : kMethods)
      EXPECT_NE(calibrate(measured, samples, method, kLowering).scales[output].scale, 0);
    const Program int8 = lower(measured, ranges.scales, kLowering);
    const std::vector<float> sums =
        output_values(int8, run_on_host(int8, inputs_of(int8, samples), ""), 0);
    for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(sums[i], wanted[i], wanted[3] / 100) << i;
    EXPECT_GT(compare_with_float(int8, samples, true)[0].sqnr, 30);
  }
}

TEST(Calibrate, RefusesWhatIsNotFinite) {
  const Graph g = network();
  for (const float bad : {NAN, INFINITY, -INFINITY})
    for (const Calibration method : kMethods) {
      std::vector<float> values = normal_samples(g, 3);
      values[values.size() / 2] = bad;
      try {
        calibrate(g, samples_of(g, values), method, kLowering);
        ADD_FAILURE() << bad;
      } catch (const Error& e) {
        EXPECT_NE(std::string(e.what()).find("'image'"), std::string::npos) << e.what();
      }
    }
  // Finite data that a layer makes infinite.
  Graph large = network();
  for (float& w : large.nodes[0].weights) w = 3e38f;
  large.nodes[0].range = {};
  EXPECT_THROW(
      calibrate(large, samples_of(large, normal_samples(large, 2)), Calibration::kl, kLowering),
      Error);
  EXPECT_THROW(calibrate(g, Samples(), Calibration::kl, kLowering), Error);
}

}  // namespace
}  // namespace nnomc
