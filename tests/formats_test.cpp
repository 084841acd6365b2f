// The same network in several formats gives the same numbers. The files are not part of this
// project.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "compiler/compile.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/random_layers.hpp"

namespace nnomc {
namespace {

struct Pair {
  const char *name, *one, *other;
  double largest;  // of an input
};

class Formats : public testing::TestWithParam<Pair> {};

TEST_P(Formats, AgreeInFloat) {
  const std::string models = NNOM_SHARED_DIR "/models/";
  const Pair& p = GetParam();
  if (!std::filesystem::exists(models + p.one))
    GTEST_SKIP() << "the model zoo is not here: " << models;
  const Graph one = load_model(models + p.one), other = load_model(models + p.other);
  ASSERT_EQ(one.inputs.size(), other.inputs.size());
  ASSERT_EQ(one.shape(one.inputs[0]), other.shape(other.inputs[0]));
  Random random(1);
  for (int sample = 0; sample < 3; ++sample) {
    std::vector<float> x(static_cast<size_t>(one.shape(one.inputs[0]).size()));
    for (float& v : x) v = static_cast<float>(random.real(0, p.largest));
    const auto a = run_float(one, {x})[0], b = run_float(other, {x})[0];
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i)
      EXPECT_NEAR(a[i], b[i], 1e-5 * std::max(1.0f, std::abs(a[i]))) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Zoo, Formats,
                         testing::Values(Pair{"IcTflite", "ic_resnet8/pretrainedResnet.h5",
                                              "ic_resnet8/pretrainedResnet.tflite", 255},
                                         Pair{"KwsTflite", "kws_dscnn/kws_model.h5",
                                              "kws_dscnn/kws_model_source_h5_test.tflite", 20},
                                         Pair{"VwwTflite", "vww_mobilenetv1/vww_96.h5",
                                              "vww_mobilenetv1/vww_96_float.tflite", 1},
                                         Pair{"MnistTflite", "mnist_tinymaix/mnist_valid.h5",
                                              "mnist_tinymaix/mnist_valid_f.tflite", 1},
                                         Pair{"MnistResnetTflite", "mnist_tinymaix/mnist_resnet.h5",
                                              "mnist_tinymaix/mnist_resnet_f.tflite", 1}),
                         [](const auto& pair) { return pair.param.name; });

}  // namespace
}  // namespace nnomc
