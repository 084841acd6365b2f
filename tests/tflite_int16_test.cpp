// TFLite models with int16 activations: whole ones in every packing, and what has a kernel of its
// own in int16 on emulated cores, against the bytes of TFLite's interpreters.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>

#include "compiler/compile.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/firmware/process.hpp"
#include "compiler/import/tflite.hpp"
#include "compiler/measure/measure.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/tflite_fixture.hpp"

namespace nnomc {
namespace {

const std::string kFixtures = NNOM_SOURCE_DIR "/tests/fixtures/tflite/";

struct Case {
  const char *file, *name;
  Rounding rounding = Rounding::double_rounding;
};

std::string name_of(const testing::TestParamInfo<Case>& info) {
  std::string name = std::string(info.param.file) + "_" + info.param.name +
                     (info.param.rounding == Rounding::single_rounding ? "_single" : "_double");
  for (char& c : name)
    if (c == '/') c = '_';
  return name;
}

class Int16 : public testing::TestWithParam<Case> {
 protected:
  Int16() : fixture_(kFixtures + GetParam().file + ".npz"), samples_(fixture_.inputs(name())) {}

  std::string name() const { return GetParam().name; }
  Program program(const char* target) const {
    Graph graph = import_tflite(name(), fixture_.read(name() + "/model").bytes);
    optimise(graph);
    CompileOptions options;
    options.target = target;
    options.rounding = GetParam().rounding;
    return compile(graph, {}, options);
  }
  Inputs inputs() const {
    return {static_cast<size_t>(samples_[0].shape[0]),
            [this](size_t sample, size_t input, std::span<unsigned char> to) {
              const Array& a = samples_[input];
              ASSERT_EQ(a.bytes.size() % to.size(), 0u);
              std::memcpy(to.data(), a.bytes.data() + sample * to.size(), to.size());
            }};
  }
  /// Of all samples, one output after the other in each.
  std::vector<std::byte> want() const {
    const std::vector<Array> outputs = fixture_.outputs(name(), GetParam().rounding);
    const auto count = static_cast<size_t>(samples_[0].shape[0]);
    std::vector<std::byte> all;
    for (size_t s = 0; s < count; ++s)
      for (const Array& a : outputs) {
        const auto size = static_cast<std::ptrdiff_t>(a.bytes.size() / count);
        const auto from = a.bytes.begin() + static_cast<std::ptrdiff_t>(s) * size;
        all.insert(all.end(), from, from + size);
      }
    return all;
  }
  void expect_on(const char* core, const char* target) const {
    if (find_program("arm-none-eabi-g++").empty() || find_program("qemu-system-arm").empty())
      GTEST_SKIP() << "needs arm-none-eabi-g++ and qemu-system-arm";
    EmitOptions options;
    options.name = "model";
    EXPECT_TRUE(run_on_core(program(target), inputs(), core, options, false).outputs == want())
        << core;
  }

 private:
  Fixture fixture_;
  std::vector<Array> samples_;
};

class Int16Models : public Int16 {};

TEST_P(Int16Models, GiveTheBytesInEveryPacking) {
  ASSERT_FALSE(want().empty());
  for (const char* target : {"host", "any", "cortex-m4"})
    EXPECT_TRUE(run_on_host(program(target), inputs(), "").outputs == want()) << target;
}

TEST_P(Int16Models, GiveTheBytesOnBoards) {
  expect_on("cortex-m4", "cortex-m4");
  expect_on("cortex-m0", "any");
}

TEST_P(Int16Models, TakeAndGiveRealNumbers) {
  const Program p = program("host");
  const std::vector<std::vector<float>> out = run_once(
      p, {std::vector<float>(static_cast<size_t>(p.graph.shape(p.graph.inputs[0]).size()), 1e9f)});
  float sum = 0;
  for (const float v : out[0]) sum += v;
  EXPECT_NEAR(sum, 1, 0.02) << "a softmax";
}

INSTANTIATE_TEST_SUITE_P(All, Int16Models,
                         testing::Values(Case{"models/int16", "residual",
                                              Rounding::single_rounding},
                                         Case{"models/int16", "residual"},
                                         Case{"models/int16", "between", Rounding::single_rounding},
                                         Case{"models/int16", "between"}),
                         name_of);

class Int16Operators : public Int16 {};

TEST_P(Int16Operators, GiveTheBytesOnCortexM4) { expect_on("cortex-m4", "cortex-m4"); }

INSTANTIATE_TEST_SUITE_P(
    All, Int16Operators,
    testing::Values(Case{"FULLY_CONNECTED", "int16_large", Rounding::single_rounding},
                    Case{"FULLY_CONNECTED", "int16_bias32"}, Case{"TRANSPOSE_CONV", "same_int16"},
                    Case{"BATCH_MATMUL", "adj_y_int16"}, Case{"ADD", "int16_broadcast"},
                    Case{"RESIZE_BILINEAR", "5x7_half_int16", Rounding::single_rounding},
                    Case{"LOGISTIC", "int16_pot", Rounding::single_rounding},
                    Case{"TANH", "int16_general"}, Case{"EXP", "int16", Rounding::single_rounding},
                    Case{"SOFTMAX", "int16_output", Rounding::single_rounding},
                    Case{"SOFTMAX", "int16_output"}, Case{"QUANTIZE", "int8_to_int16"},
                    Case{"QUANTIZE", "int16_to_int8"},
                    Case{"UNIDIRECTIONAL_SEQUENCE_LSTM", "int16"}),
    name_of);

}  // namespace
}  // namespace nnomc
