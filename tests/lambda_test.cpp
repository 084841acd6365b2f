// Layers that are the user's own code: Lambda and custom layers of real Keras files, whose
// functions are fixtures/lambda/hooks.hpp, against what Keras itself computed, and on emulated
// boards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "compiler/compile.hpp"
#include "compiler/firmware/boards.hpp"
#include "compiler/firmware/model_firmware.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/firmware/process.hpp"
#include "compiler/hooks/hooks.hpp"
#include "compiler/io/array.hpp"
#include "compiler/io/file.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/compile.hpp"
#include "tests/lambda_models.hpp"

namespace nnomc {
namespace {

using namespace lambda;
using testing::HasSubstr;

const Case kCases[] = {
    {"output_shape.keras", {}, {"pairs"}},
    {"output_shape.h5", {}, {"pairs"}},
    {"output_shape.k2.keras", {}, {"pairs"}},
    {"output_shape.k2.h5", {}, {"pairs"}},
    {"no_shape.keras", {"squared=5"}, {"squared"}},
    {"no_shape.k2.h5", {"squared=5"}, {"squared"}},
    {"arguments.keras", {}, {"soft_clip"}},
    {"arguments.h5", {}, {"soft_clip"}},
    {"arguments.k2.keras", {}, {"soft_clip"}},
    {"arguments.k2.h5", {}, {"soft_clip"}},
    {"two_inputs.keras", {}, {"mix"}},
    {"two_inputs.k2.h5", {}, {"mix"}},
    {"middle.keras", {}, {"sparse"}},
    {"middle.h5", {}, {"sparse"}},
    {"middle.k2.keras", {}, {"sparse"}},
    {"middle.k2.h5", {}, {"sparse"}},
    {"shape_from_reader.keras", {}, {"folded"}},
    {"shape_in_sequence.keras", {}, {"folded"}},
    {"shape_in_sequence.k2.keras", {}, {"folded"}},
    {"twice.keras", {}, {"soft_clip", "soft_clip"}},
    {"twice.k2.h5", {}, {"first", "second"}},
    {"shared.keras", {}, {"squared", "squared"}},
    {"shared.k2.keras", {}, {"squared", "squared"}},
    {"custom.keras", {"Gate"}, {"Gate", "Gate"}},
    {"custom.h5", {"gate", "gate_2=3x4"}, {"Gate", "Gate"}},
    {"custom.k2.keras", {"Gate=3x4"}, {"Gate", "Gate"}},
    {"custom.k2.h5", {"Gate=3x4"}, {"Gate", "Gate"}},
    {"nested.keras", {}, {"squared"}},
    {"nested.h5", {}, {"squared"}},
    {"nested.k2.keras", {}, {"squared"}},
    {"nested.k2.h5", {}, {"squared"}},
    {"steps.keras", {}, {"squared", "squared", "squared"}},
    {"steps.k2.keras", {}, {"squared", "squared", "squared"}},
};

std::string test_name(const testing::TestParamInfo<Case>& info) {
  std::string name = info.param.model;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
  return name;
}

/// What Keras computed for sample `s`.
std::vector<float> expected(const Case& c, size_t s, size_t size) {
  const Array array = read_array(c.numbers() + ":output_0");
  std::vector<float> row(size);
  array.read(static_cast<int64_t>(s * size), row);
  return row;
}

std::vector<float> run(const Program& program, const Samples& samples, size_t s) {
  std::vector<std::vector<float>> inputs;
  for (size_t i = 0; i < program.graph.inputs.size(); ++i) inputs.push_back(samples.read(s, i));
  return run_once(program, inputs).at(0);
}

std::vector<std::string> functions_in(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes)
    if (node.hook) names.push_back(node.hook->function);
  return names;
}

class Lambda : public testing::TestWithParam<Case> {};

TEST_P(Lambda, FloatIsKerass) {
  const Case& c = GetParam();
  const Graph graph = load_model(c.path(), options_of(c, kHooks));
  const Samples samples = samples_of(c, graph);
  const Program program = lower_float(graph);
  ASSERT_EQ(samples.count(), 16u);
  for (size_t s = 0; s < samples.count(); ++s) {
    const std::vector<float> ours = run(program, samples, s), keras = expected(c, s, ours.size());
    float largest = 0;
    for (const float v : keras) largest = std::max(largest, std::abs(v));
    for (size_t i = 0; i < ours.size(); ++i)
      EXPECT_NEAR(ours[i], keras[i], 1e-5f * largest + 1e-6f) << s << ", " << i;
  }
}

/// The noise of int8 is at most a thousandth of the signal's power: 30 dB.
TEST_P(Lambda, Int8IsCloseToFloat) {
  const Case& c = GetParam();
  const Graph graph = load_model(c.path(), options_of(c, kHooks));
  const Samples samples = samples_of(c, graph);
  const Program program = compile(graph, samples, {});
  double noise = 0, signal = 0;
  for (size_t s = 0; s < samples.count(); ++s) {
    const std::vector<float> ours = run(program, samples, s), keras = expected(c, s, ours.size());
    for (size_t i = 0; i < ours.size(); ++i) {
      noise += std::pow(double{ours[i]} - double{keras[i]}, 2);
      signal += std::pow(double{keras[i]}, 2);
    }
  }
  RecordProperty("noise", std::to_string(noise / signal));
  EXPECT_LE(noise, 0.001 * signal);
}

/// Without --hooks: shapes and memory are known, but nothing runs, and nothing is left out.
TEST_P(Lambda, IsNeverDropped) {
  const Case& c = GetParam();
  const Graph graph = load_model(c.path(), options_of(c, ""));
  EXPECT_EQ(functions_in(graph), c.functions);
  const Program program = lower(graph, {}, {.numbers = {true}});
  EXPECT_GT(program.plan.arena_bytes, 0);
  EXPECT_EQ(load_model(c.path(), options_of(c, kHooks)).nodes.size(), graph.nodes.size());
  const auto fails = [](auto f) {
    try {
      f();
      return std::string("(nothing)");
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  EXPECT_THAT(fails([&] { Simulator s(program); }), HasSubstr("is code of your own"));
  EXPECT_THAT(fails([&] { emit(program, {}); }), HasSubstr("is code of your own"));
  EXPECT_THAT(fails([&] { compile(graph, samples_of(c, graph), {}); }),
              HasSubstr("give the header that has it with --hooks"));
}

INSTANTIATE_TEST_SUITE_P(Keras, Lambda, testing::ValuesIn(kCases), test_name);

// The generated code.

/// The bytes of a program's inputs for all samples, one after the other, and of its outputs.
struct Bytes {
  std::vector<std::byte> in, out;
};

Bytes simulate(const Program& program, const Samples& samples) {
  Bytes bytes;
  const auto append = [](std::vector<std::byte>& to, std::span<const unsigned char> from) {
    for (const unsigned char b : from) to.push_back(std::byte{b});
  };
  Simulator simulator(program);
  for (size_t s = 0; s < samples.count(); ++s) {
    for (size_t i = 0; i < program.graph.inputs.size(); ++i) {
      simulator.set_input(i, samples.read(s, i));
      append(bytes.in, simulator.input_bytes(i));
    }
    simulator.run();
    append(bytes.out, simulator.output_bytes(0));
  }
  return bytes;
}

/// Those with several inputs, weights, parameters and a picture.
const Case kGenerated[] = {kCases[10], kCases[12], kCases[19], kCases[23]};

class GeneratedLambda : public testing::TestWithParam<Case> {};

/// As an application would: two files and one, every warning an error, the functions beside.
TEST_P(GeneratedLambda, GivesTheSimulatorsBytesOnTheHost) {
  const Case& c = GetParam();
  const Graph graph = load_model(c.path(), options_of(c, kHooks));
  const Samples samples = samples_of(c, graph);
  const Program program = compile(graph, samples, {});
  const Bytes bytes = simulate(program, samples);
  for (const bool single : {false, true}) {
    SCOPED_TRACE(single ? "one header" : "two files");
    const TempDir folder;
    if (single) {
      write_file(folder.file("model.hpp"), emit_single_header(program, {}));
      write_file(folder.file("model.cpp"), "#include \"model.hpp\"\n");
    } else {
      const Generated files = emit(program, {});
      write_file(folder.file("model.hpp"), files.header);
      write_file(folder.file("model.cpp"), files.source);
    }
    write_file(folder.file("main.cpp"), R"(
#include <stdio.h>
#include "model.hpp"
static model::Model net;
template <unsigned I> bool get() { return fread(net.input<I>().data(), net.input<I>().size(), 1, stdin) == 1; }
int main(int, char** a) {
  if (!freopen(a[1], "rb", stdin)) return 1;
  while (get<0>())" + std::string(graph.inputs.size() > 1 ? " && get<1>()" : "") +
                                            R"() {
    net.run();
    fwrite(net.output().data(), net.output().size(), 1, stdout);
  }
}
)");
    write_file(folder.file("in"), as_text(bytes.in));
    const Said built = run_program({"g++", "-std=c++20", "-O1", "-Wall", "-Wextra", "-Wshadow",
                                    "-Wpedantic", "-Werror", folder.file("main.cpp"),
                                    folder.file("model.cpp"), "-I" NNOM_SOURCE_DIR "/runtime",
                                    "-I" + kFolder, "-o", folder.file("program")});
    ASSERT_TRUE(built.success) << built.output;
    const Said said = run_program({folder.file("program"), folder.file("in")});
    EXPECT_TRUE(said.output == as_text(bytes.out));
  }
}

/// Of products and sums in float, which this core could fuse, every bit is the host's.
TEST_P(GeneratedLambda, GivesTheSimulatorsBytesOnACortexM4) {
  const Case& c = GetParam();
  if (!has_compiler("arm-none-eabi-g++") || !has_compiler("qemu-system-arm"))
    GTEST_SKIP() << "needs arm-none-eabi-g++ and qemu-system-arm";
  const Graph graph = load_model(c.path(), options_of(c, kHooks));
  const Samples samples = samples_of(c, graph);
  CompileOptions options;
  options.target = "cortex-m4";
  const Program program = compile(graph, samples, options);
  const Bytes bytes = simulate(program, samples);
  const TempDir folder;
  const Generated files = emit(program, {});
  write_file(folder.file("model.hpp"), files.header);
  write_file(folder.file("model.cpp"), files.source);
  const std::string elf = build_model_firmware({.core = "cortex-m4",
                                                .sources = {folder.file("model.cpp")},
                                                .include_dirs = {folder.path().string(), kFolder},
                                                .directory = folder.file("build"),
                                                .defines = {}},
                                               "model.hpp", "model::Graph");
  EXPECT_TRUE(run_model_firmware(elf, "cortex-m4", bytes.in).output == bytes.out);
}

INSTANTIATE_TEST_SUITE_P(Keras, GeneratedLambda, testing::ValuesIn(kGenerated), test_name);

}  // namespace
}  // namespace nnomc
