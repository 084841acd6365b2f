/// \file
/// The faults of the system that this project implements afresh, each a test: here those that were
/// wrong numbers. Real Keras says what is right: to 1e-5 in real numbers, and in int8 to a few of
/// its 255 steps, which is far less than any of the faults did. faults_build_test.cpp has the rest.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "compiler/compile.hpp"
#include "compiler/io/array.hpp"
#include "compiler/op_table.hpp"
#include "compiler/simulate/simulate.hpp"

namespace nnomc {
namespace {

const std::string kFolder = NNOM_SOURCE_DIR "/tests/fixtures/keras/";

/// An output for all samples, one after the other.
using Values = std::vector<float>;

Values values_of(const std::string& spec) {
  const Array array = read_array(spec);
  Values values(static_cast<size_t>(array.size()));
  array.read(0, values);
  return values;
}

/// The outputs of `program` for all samples.
std::vector<Values> outputs_of(const Program& program, const Samples& samples) {
  std::vector<Values> outputs(program.graph.outputs.size());
  for (size_t s = 0; s < samples.count(); ++s) {
    std::vector<Values> inputs;
    for (size_t i = 0; i < program.graph.inputs.size(); ++i) inputs.push_back(samples.read(s, i));
    const std::vector<Values> one = run_once(program, inputs);
    for (size_t i = 0; i < outputs.size(); ++i)
      outputs[i].insert(outputs[i].end(), one[i].begin(), one[i].end());
  }
  return outputs;
}

/// The largest difference of two outputs.
double distance(const Values& a, const Values& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double d = std::fabs(double{a[i]} - double{b[i]});
    if (!(d <= largest)) largest = d;
  }
  return largest;
}

double magnitude(const Values& values) { return distance(values, Values(values.size())); }

/// One of Keras's models, and what Keras computed.
struct Fixture {
  /// `file` is that of the model, whose numbers are in the .npz of its case.
  explicit Fixture(const std::string& file)
      : name(file),
        numbers(kFolder + file.substr(0, file.find('.')) + ".npz:"),
        graph(load_model(kFolder + file)),
        samples(graph, specs(graph.inputs.size(), "input_"), {}) {
    for (const Source& spec : specs(graph.outputs.size(), "output_"))
      keras.push_back(values_of(spec.name));
  }

  std::vector<Source> specs(size_t count, const std::string& key) const {
    std::vector<Source> found;
    for (size_t i = 0; i < count; ++i) found.push_back(numbers + key + std::to_string(i));
    return found;
  }

  Program int8(const std::string& target = "any") const {
    CompileOptions options;
    options.target = target;
    options.calibration = Calibration::min_max;
    return compile(graph, samples, options);
  }

  std::string name, numbers;
  Graph graph;
  Samples samples;
  std::vector<Values> keras;
};

/// Every output is Keras's: in int8, however weights are packed, to `share` of its largest value.
void expect_keras(const Fixture& f, double share) {
  const auto expect = [&](const Program& program, const std::string& numbers, double of_largest,
                          double more) {
    const std::vector<Values> outputs = outputs_of(program, f.samples);
    for (size_t i = 0; i < f.keras.size(); ++i) {
      const double largest = magnitude(f.keras[i]), wrong = distance(outputs[i], f.keras[i]);
      EXPECT_LE(wrong, of_largest * largest + more)
          << f.name << ", output " << i << " " << numbers << ": " << wrong << " of " << largest;
    }
  };
  expect(lower_float(f.graph), "in real numbers", 1e-5, 1e-6);
  for (const char* target : {"any", "cortex-m4", "host"}) expect(f.int8(target), target, share, 0);
}

TEST(Faults, F01_DenseOfAnyNumberOfUnitsHasEveryBiasRight) {
  const Fixture f("fault_dense.keras");
  ASSERT_EQ(f.keras.size(), 9u);
  for (size_t units = 1; units <= 9; ++units)
    EXPECT_EQ(f.graph.shape(f.graph.outputs[units - 1]).size(), static_cast<int>(units));
  expect_keras(f, 0.03);
}

TEST(Faults, F02_SigmoidAndTanhOfRecurrentLayersSaturate) {
  const Fixture f("fault_saturation.keras");
  expect_keras(f, 0.1);  // one of the inputs' steps is a large part of where tanh isn't flat
}

TEST(Faults, F03_RecurrentBiasOfGruIsScaledLikeTheRest) {
  expect_keras(Fixture("rnn_kinds.keras"), 0.05);
}

TEST(Faults, F04_SamePaddingWithStridesIsKerass) {
  expect_keras(Fixture("fault_same.keras"), 0.03);
}

TEST(Faults, F05_MaximumThresholdAndSlopeOfReluAreRight) {
  expect_keras(Fixture("activation_layers.keras"), 0.03);
}

TEST(Faults, F06_TransposedConvolutionsOfAllKernelsStridesAndPaddings) {
  for (const char* file : {"transposed2d.keras", "transposed1d.keras", "dilated_transposed.keras"})
    expect_keras(Fixture(file), 0.03);
}

/// Sums along axes, and a layer of sum pooling.
TEST(Faults, F07_SumsOfWindowsAndOfAllPixelsAreWritten) {
  const Fixture pool("fault_sum_pool.keras");
  EXPECT_EQ(info(pool.graph.nodes.at(0).op).name, std::string("SumPool2D"));
  EXPECT_GT(magnitude(pool.keras[0]), 1);
  expect_keras(pool, 0.03);

  const Fixture f("fault_sum.keras");
  for (const Values& sum : f.keras) EXPECT_GT(magnitude(sum), 1);
  expect_keras(f, 0.03);
}

TEST(Faults, F08_LayersInPlaceLeaveWhatAnotherBranchReads) {
  expect_keras(Fixture("fault_branches.keras"), 0.03);
}

TEST(Faults, F10_BothOfTwoInputsCount) {
  const Fixture f("fault_two_inputs.keras");
  expect_keras(f, 0.03);
  const Program program = f.int8();
  const std::vector<Values> both = {f.samples.read(0, 0), f.samples.read(0, 1)};
  const Values right = run_once(program, both)[0];
  for (const size_t i : {0, 1}) {
    std::vector<Values> without = both;
    std::fill(without[i].begin(), without[i].end(), 0.0f);
    EXPECT_GT(distance(run_once(program, without)[0], right), 0.1 * magnitude(right)) << i;
  }
}

TEST(Faults, F11_SoftmaxIsNaturalAlongItsAxisAndKnowsTheScale) {
  expect_keras(Fixture("fault_softmax.keras"), 0.1);
}

TEST(Faults, F12_ActivationsAreWhatTheyAreCalledAsLayersAndInside) {
  expect_keras(Fixture("fault_activations.keras"), 0.05);
  expect_keras(Fixture("dense_implicit.keras"), 0.05);
  expect_keras(Fixture("activations.keras"), 0.05);
}

TEST(Faults, F14_RecurrentLayersAreFollowedByOthersAndGoBackwards) {
  expect_keras(Fixture("fault_after_rnn.keras"), 0.04);
}

TEST(Faults, F16_AnyEpsilonNoBiasAndNothingButZeros) {
  for (const char* file : {"fault_normalisation.keras", "fault_normalisation.k2.keras",
                           "fault_normalisation.k2.h5", "fault_zeros.keras", "fault_zeros.k2.h5"})
    expect_keras(Fixture(file), 0.03);
  const Fixture zeros("fault_zeros.keras");
  EXPECT_EQ(magnitude(zeros.keras[0]), 0);
  EXPECT_GT(magnitude(zeros.keras[1]), 0);
}

}  // namespace
}  // namespace nnomc
