// Real trained models on real data: how many samples are right in float and in int8, against what
// an independent implementation found. The files are not part of this project.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <random>
#include <string>

#include "compiler/compile.hpp"
#include "compiler/data/labels.hpp"
#include "compiler/measure/measure.hpp"
#include "compiler/metrics.hpp"
#include "compiler/simulate/simulate.hpp"

namespace nnomc {
namespace {

const std::string kShared = NNOM_SHARED_DIR;

struct Case {
  const char *name, *model, *data, *labels;
  const char* calibration;  // null: the data itself
  Scaling scaling;
  // In float, or with the numbers that its file has, by an independent implementation.
  size_t right;
};

// kws_test.npz holds int8 of scale 0.5847029089927673 and zero point 83.
const Case kCases[] = {
    {"Kws",
     "kws_dscnn/kws_model.h5",
     "kws_test.npz:x",
     "kws_test.npz:y",
     nullptr,
     {0.5847029089927673, -83 * 0.5847029089927673},
     456},
    {"Ic",
     "ic_resnet8/pretrainedResnet.h5",
     "cifar10_test.npz:x",
     "cifar10_test.npz:y",
     nullptr,
     {},
     219},
    {"Vww",
     "vww_mobilenetv1/vww_96.h5",
     "vww_test.npz:x",
     "vww_test.npz:y",
     nullptr,
     {1.0 / 255, 0},
     284},
    {"Sww", "sww_ds1d/str_ww_ref_model.h5", "sww_test.npz:x", "sww_test.npz:y", nullptr, {}, 41},
    {"IcQuantised",
     "ic_resnet8/resnet.onnx",
     "cifar10_test.npz:x",
     "cifar10_test.npz:y",
     nullptr,
     {},
     221},
    {"MnistValid",
     "mnist_tinymaix/mnist_valid.h5",
     "mnist.npz:x_test",
     "mnist.npz:y_test",
     "mnist.npz:x_train",
     {1.0 / 255, 0},
     9654},
    {"MnistResnet",
     "mnist_tinymaix/mnist_resnet.h5",
     "mnist.npz:x_test",
     "mnist.npz:y_test",
     "mnist.npz:x_train",
     {1.0 / 255, 0},
     9825},
    {"MnistKeras3",
     "mnist_keras3/model.keras",
     "mnist.npz:x_test",
     "mnist.npz:y_test",
     "mnist.npz:x_train",
     {1.0 / 255, 0},
     9889},
};

size_t right_answers(const Program& program, const Samples& samples,
                     const std::vector<uint32_t>& labels) {
  const Measured run = run_on_host(program, inputs_of(program, samples), "");
  const size_t outputs =
      output_bytes(program, 0) / static_cast<size_t>(program.numbers.element_bytes());
  const std::vector<float> scores = output_values(program, run, 0);
  size_t right = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto first = scores.begin() + static_cast<std::ptrdiff_t>(i * outputs);
    const auto best = std::max_element(first, first + static_cast<std::ptrdiff_t>(outputs));
    right += static_cast<uint32_t>(best - first) == labels[i];
  }
  return right;
}

class Accuracy : public testing::TestWithParam<Case> {};

TEST_P(Accuracy, FloatAgreesAndInt8LosesAtMostHalfAPoint) {
  const Case& c = GetParam();
  if (!std::filesystem::exists(kShared + "/models/" + c.model))
    GTEST_SKIP() << "the model zoo is not here: " << kShared;
  const Graph graph = load_model(kShared + "/models/" + c.model);
  const auto data = [&](const char* name) { return kShared + "/data/" + name; };
  const Samples samples(graph, {data(c.data)}, c.scaling);
  Samples calibration(graph, {data(c.calibration ? c.calibration : c.data)}, c.scaling);
  calibration.limit(100);
  const Array stored = read_array(data(c.labels));
  std::vector<uint32_t> labels;
  for (int64_t i = 0; i < stored.size(); ++i) labels.push_back(static_cast<uint32_t>(stored.at(i)));

  const size_t real = right_answers(lower_float(graph), samples, labels);
  EXPECT_NEAR(static_cast<double>(real), static_cast<double>(c.right), 1);

  const auto total = static_cast<double>(labels.size());
  // Half a point, or one sample, as users are told to expect by default; a point otherwise.
  const auto lowest = [&](double points) {
    return static_cast<double>(real) - std::max(1.0, total * points / 100);
  };
  CompileOptions options;
  options.target = "host";
  const size_t by_default = right_answers(compile(graph, calibration, options), samples, labels);
  EXPECT_GE(static_cast<double>(by_default), lowest(0.5)) << "of " << total << ", float " << real;
  options.rounding = Rounding::double_rounding;
  const size_t as_micro = right_answers(compile(graph, calibration, options), samples, labels);
  EXPECT_GE(static_cast<double>(as_micro), lowest(1.0)) << "of " << total << ", float " << real;
  if (graph.quantised()) return;
  options.rounding = Rounding::nearest;
  const size_t by_shifts = right_answers(compile(graph, calibration, options), samples, labels);
  EXPECT_GE(static_cast<double>(by_shifts), lowest(1.0)) << "of " << total << ", float " << real;
}

std::string name_of_case(const testing::TestParamInfo<Case>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Zoo, Accuracy, testing::ValuesIn(kCases, kCases + 6), name_of_case);
INSTANTIATE_TEST_SUITE_P(SlowZoo, Accuracy, testing::ValuesIn(kCases + 6, std::end(kCases)),
                         name_of_case);

// No labelled sounds are at hand: the samples lie in a low-dimensional space that the autoencoder's
// weights decide nothing about, so only float and int8 can be compared, not the score itself.
TEST(AccuracyOfAutoencoder, Int8KeepsFloatsErrorAndRanking) {
  const std::string model = kShared + "/models/ad_autoencoder/ad01.h5";
  if (!std::filesystem::exists(model)) GTEST_SKIP() << "the model zoo is not here: " << kShared;
  const Graph graph = load_model(model);
  const size_t n = static_cast<size_t>(graph.shape(graph.inputs[0]).size());
  const size_t count = 60;
  Array array{DType::f32, {static_cast<int64_t>(count), static_cast<int64_t>(n)}, {}};
  std::mt19937 random(1);
  std::normal_distribution<float> noise;
  std::vector<float> values;
  std::vector<uint32_t> labels;
  for (size_t s = 0; s < count; ++s) {  // log-mel-like: a slow slope, and every other one rough
    labels.push_back(s % 2);
    const float level = -20 + 3 * noise(random), roughness = s % 2 ? 6.0f : 1.0f;
    for (size_t i = 0; i < n; ++i)
      values.push_back(level - 15.0f * static_cast<float>(i % 128) / 128 +
                       roughness * noise(random));
  }
  const auto* bytes = reinterpret_cast<const std::byte*>(values.data());
  array.bytes.assign(bytes, bytes + values.size() * sizeof(float));
  const std::string path = testing::TempDir() + "/nnom_ad.npy";
  write_npy(path, array);
  const Samples samples(graph, {path}, {});

  const auto scores = [&](const Program& program) {
    const Measured run = run_on_host(program, inputs_of(program, samples), "");
    const std::vector<float> out = output_values(program, run, 0);
    std::vector<double> errors;
    for (size_t s = 0; s < count; ++s)
      errors.push_back(mean_squared_error(std::span(out).subspan(s * n, n),
                                          std::span(values).subspan(s * n, n)));
    return errors;
  };
  CompileOptions options;
  options.target = "host";
  const std::vector<double> real = scores(lower_float(graph));
  const std::vector<double> stored = scores(compile(graph, samples, options));
  for (size_t s = 0; s < count; ++s) EXPECT_NEAR(stored[s], real[s], 0.05 * real[s]) << s;
  EXPECT_NEAR(area_under_curve(stored, labels), area_under_curve(real, labels), 0.01);
}

}  // namespace
}  // namespace nnomc
