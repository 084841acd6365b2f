// Models whose layers CMSIS-NN runs: compiled against its interface as declared in tests/vendor,
// and where $NNOM_CMSIS_NN is the library itself, run with it.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "bench/results.hpp"
#include "compiler/compile.hpp"
#include "compiler/error.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/measure/measure.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/compile.hpp"
#include "tests/random_layers.hpp"

namespace nnomc {
namespace {

/// A core, and what CMSIS-NN is built for on it.
struct Case {
  const char* core;
  Kernels kernels;
  std::vector<std::string> flags;

  friend void PrintTo(const Case& c, std::ostream* out) { *out << c.core; }
};

const std::vector<Case> kCases = {
    {"cortex-m0", Kernels::cmsis_nn, {"-mcpu=cortex-m0"}},
    {"cortex-m4", Kernels::cmsis_nn_dsp, {"-mcpu=cortex-m4", "-mfloat-abi=hard"}},
    {"cortex-m55", Kernels::cmsis_nn_helium, {"-mcpu=cortex-m55", "-mfloat-abi=hard"}},
};

Program program_of(const Graph& graph, Kernels kernels) {
  return lower(graph, usual_scales(graph),
               {.numbers = {true, Rounding::double_rounding, Layout::plain}, .kernels = kernels});
}

Program all_ops(unsigned seed, Kernels kernels) { return program_of(all_ops_graph(seed), kernels); }

class CmsisNn : public testing::TestWithParam<Case> {};

TEST_P(CmsisNn, CompilesAgainstItsInterface) {
  if (!has_compiler("arm-none-eabi-g++")) GTEST_SKIP() << "needs arm-none-eabi-g++";
  for (const unsigned seed : {1u, 2u}) {
    std::string source = emit_single_header(all_ops(seed, GetParam().kernels), {}) +
                         "void run(unsigned char* arena) { model::Graph::run(arena); }\n";
    source.erase(source.find("#pragma once"), 12);  // it is the main file
    EXPECT_NE(source.find("nnom::cmsis_nn::run_layer<"), std::string::npos);
    EXPECT_EQ(complaint(source,
                        GetParam().flags + words("-mthumb -std=c++20 -O1 -ffreestanding -Wall "
                                                 "-Wextra -Wconversion -Wshadow -Werror "
                                                 "-I" NNOM_SOURCE_DIR "/runtime "
                                                 "-I" NNOM_SOURCE_DIR "/tests/vendor/cmsis_nn"),
                        "arm-none-eabi-g++"),
              "");
  }
}

bool have_library() {
  const char* folder = std::getenv("NNOM_CMSIS_NN");
  return folder != nullptr && *folder != 0 && has_compiler("arm-none-eabi-g++") &&
         !find_program("qemu-system-arm").empty();
}

/// NNoM's kernels on the host against the library's on the board, given the same bytes.
void expect_same_bytes(const Program& own, const Program& other, const std::string& core) {
  const Inputs inputs = noise_for(own);
  EXPECT_TRUE(run_on_core(other, inputs, core, {}, false).outputs ==
              run_on_host(own, inputs, "").outputs);
}

TEST_P(CmsisNn, GivesTheSameBytes) {
  if (!have_library()) GTEST_SKIP() << "NNOM_CMSIS_NN is not set";
  for (unsigned seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(seed);
    expect_same_bytes(all_ops(seed, Kernels::own), all_ops(seed, GetParam().kernels),
                      GetParam().core);
  }
}

std::string name_of(const testing::TestParamInfo<Case>& info) {
  std::string name = info.param.core;
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Cores, CmsisNn, testing::ValuesIn(kCases), name_of);

class SlowCmsisNn : public testing::TestWithParam<bench::Model> {};

TEST_P(SlowCmsisNn, GivesTheSameBytes) {
  const std::string file = bench::in_project(GetParam().file);
  if (!have_library()) GTEST_SKIP() << "NNOM_CMSIS_NN is not set";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is not here";
  const Graph graph = load_model(file);
  if (!graph.quantised()) GTEST_SKIP() << "calibrated models have the same layers as those";
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.core);
    CompileOptions options{.target = c.core, .rounding = Rounding::double_rounding};
    const Program own = compile(graph, {}, options);
    options.cmsis_nn = true;
    expect_same_bytes(own, compile(graph, {}, options), c.core);
  }
}

INSTANTIATE_TEST_SUITE_P(All, SlowCmsisNn, testing::ValuesIn(bench::read_models()),
                         [](const auto& model) { return model.param.name; });

/// Biases that CMSIS-NN adds zero points to are the model's own.
TEST(CmsisNnData, BiasesHaveNoZeroPointOfTheInput) {
  for (unsigned seed = 1; seed < 20; ++seed) {
    Random r(seed);
    const Graph graph = random_layer(seed % 2 ? "Conv2D" : "DepthwiseConv2D", r);
    const Program p = program_of(graph, Kernels::cmsis_nn_dsp);
    const Node& node = graph.nodes[0];
    const auto& d =
        *static_cast<const nnom::Linear<nnom::Int8<nnom::Double, nnom::layout::Plain>>*>(
            p.data[0].value.get());
    const double in = p.scales[static_cast<size_t>(node.inputs[0])].scale;
    const size_t channels = info(node.op).channels(node.op);
    for (size_t c = 0; c < channels; ++c) {
      // The largest weight of a channel is stored as 127.
      const ChannelWeights own = channel_weights(node, c);
      double largest = 0;
      for (size_t k = 0; k < own.count; ++k)
        largest = std::max(largest, std::abs(static_cast<double>(node.weights[own[k]])));
      const double real = node.bias.empty() ? 0 : static_cast<double>(node.bias[c]);
      if (largest > 0) {
        EXPECT_NEAR(d.bias[c], real / (in * largest / 127), 1 + std::abs(real) * 1e-3) << seed;
      }
    }
  }
}

TEST(CmsisNnErrors, SayWhatToDo) {
  const Graph graph = all_ops_graph(1);
  const auto message = [&](const char* target, Rounding rounding) -> std::string {
    try {
      CompileOptions options{.target = target, .rounding = rounding};
      options.cmsis_nn = true;
      compile(graph, Samples::synthetic(graph, 2), options);
    } catch (const Error& e) {
      return e.what();
    }
    return "no error";
  };
  using testing::HasSubstr;
  EXPECT_THAT(message("cortex-m4", Rounding::single_rounding), HasSubstr("add --rounding double"));
  EXPECT_THAT(message("riscv32", Rounding::double_rounding), HasSubstr("is for Cortex-M"));
  const Program p = all_ops(1, Kernels::cmsis_nn_dsp);
  EXPECT_THROW(Simulator{p}, Error);
}

}  // namespace
}  // namespace nnomc
