// Layers that are the user's own code: Lambda and custom layers of real Keras files, whose
// functions are fixtures/lambda/hooks.hpp, against what Keras itself computed, and on emulated
// boards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <set>

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

namespace nnomc {
namespace {

using testing::HasSubstr;

const std::string kFolder = NNOM_SOURCE_DIR "/tests/fixtures/lambda/";
const std::string kHooks = kFolder + "hooks.hpp";

/// A model, the options it needs, and the functions it calls.
struct Case {
  std::string model;
  std::vector<std::string> lambdas;
  std::vector<std::string> functions;

  std::string path() const { return kFolder + model; }
  std::string numbers() const { return kFolder + model.substr(0, model.find('.')) + ".npz"; }
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.model; }

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

HookOptions options_of(const Case& c, const std::string& header) {
  HookOptions options;
  for (const std::string& lambda : c.lambdas) options.lambdas.push_back(parse_lambda(lambda));
  options.header = header;
  return options;
}

Samples samples_of(const Case& c, const Graph& graph) {
  std::vector<std::string> specs;
  for (size_t i = 0; i < graph.inputs.size(); ++i)
    specs.push_back(c.numbers() + ":input_" + std::to_string(i));
  return {graph, specs, {}};
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

// What a user meets.

Outcome nnom(std::vector<std::string> arguments, const TempDir& folder) {
  arguments.insert(arguments.begin(), NNOM_BINARY);
  return run_command({.arguments = arguments, .directory = folder.path().string()});
}

/// `hooks` is the header's text; "" for none.
struct Mistake {
  std::string model;
  std::vector<std::string> options;
  std::string hooks;
  std::vector<std::string> message;
};

const std::string kNone = "namespace hooks {}\n";

const Mistake kMistakes[] = {
    {"output_shape.keras",
     {},
     "",
     {"layer 'pairs' (Lambda) is code of your own: give the header that has it with --hooks",
      "void pairs(const auto& x, auto& y)", "nnom hooks"}},
    {"output_shape.keras", {"--hooks", "absent.hpp"}, "", {"--hooks absent.hpp: no such file"}},
    {"output_shape.keras",
     {},
     kNone,
     {"hooks.hpp has no function that layer 'pairs' (Lambda) could call. Write, in namespace "
      "hooks: void pairs(const auto& x, auto& y)"}},
    {"output_shape.keras",
     {},
     "namespace hooks { void pairs(const float*, float*) {} }\n",
     {"no function that layer 'pairs' (Lambda) could call"}},
    {"two_inputs.keras",
     {},
     "namespace hooks { void mix(const auto&, auto&) {} }\n",
     {"layer 'mix' (Lambda)", "void mix(const auto& x0, const auto& x1, auto& y)"}},
    {"arguments.keras",
     {},
     "namespace hooks { void soft_clip(const auto&, auto&) {} }\n",
     {"void soft_clip(const auto& x, auto& y, const auto& p)"}},
    {"arguments.keras",
     {},
     "namespace hooks { void soft_clip(const auto& x, auto& y, const auto& p) { y.set(0, x[0] * "
     "p.alfa); } }\n",
     {"has no member named", "alfa"}},
    {"arguments.keras",
     {},
     "namespace hooks { void soft_clip(const auto&, auto&, const auto&) {} }\n",
     {"'soft_clip' gives values that are not finite"}},
    {"output_shape.keras",
     {"--lambda", "pears=3"},
     kNone,
     {"--lambda pears=3",
      "no layer and no class called 'pears'; what may be meant is 'pairs' "
      "(Lambda)"}},
    {"output_shape.keras",
     {"--lambda", "first=3"},
     kNone,
     {"--lambda first=3: layer 'first' (Dense) can't be a function of your own"}},
    {"output_shape.keras",
     {"--lambda", "pairs=3xx1"},
     kNone,
     {"--lambda pairs=3xx1: '3xx1' is not a shape such as 28x28x1"}},
    {"output_shape.keras", {"--lambda", "pairs=0"}, kNone, {"'0' is not a shape"}},
    {"output_shape.keras", {"--lambda", "pairs="}, kNone, {"'' is not a shape"}},
    {"output_shape.keras", {"--lambda", "=3"}, kNone, {"it begins with the name of a layer"}},
    {"output_shape.keras",
     {"--lambda", "pairs,alpha"},
     kNone,
     {"'alpha' is not a parameter such as alpha=0.5"}},
    {"output_shape.keras",
     {"--lambda", "pairs,a-b=1"},
     kNone,
     {"'a-b' can't be the name of a parameter"}},
    {"output_shape.keras",
     {"--lambda", "pairs,alpha=much"},
     kNone,
     {"alpha is 'much', not a number, true or false"}},
    {"no_shape.keras",
     {},
     kNone,
     {"'squared' (Lambda, the shape of whose output the file doesn't tell: give it with --lambda "
      "squared=HxWxC)"}},
    {"middle.keras",
     {"--lambda", "sparse=9x3x3"},
     "#include \"" + kHooks + "\"\n",
     {"layer 'last' (Dense)"}},
    {"custom.keras",
     {},
     kNone,
     {"2 layers are not supported: 'gate' (custom Gate), 'gate_2' (custom Gate)",
      "write them in C++ (--lambda NAME=HxWxC"}},
    {"custom.keras",
     {"--lambda", "Gate"},
     kNone,
     {"layer 'gate' (Gate)", "void Gate(const auto& x, auto& y, const auto& p)"}},
};

TEST(LambdaMistakes, AreExplained) {
  for (const Mistake& m : kMistakes) {
    SCOPED_TRACE(m.model + " " + testing::PrintToString(m.options) + "\n" + m.hooks);
    const TempDir folder;
    std::vector<std::string> arguments = {"convert", kFolder + m.model, "-o", "model.hpp"};
    arguments.insert(arguments.end(), m.options.begin(), m.options.end());
    if (!m.hooks.empty()) {
      write_file(folder.file("hooks.hpp"), m.hooks);
      arguments.insert(arguments.end(), {"--hooks", "hooks.hpp"});
    }
    const std::string numbers = kFolder + m.model.substr(0, m.model.find('.')) + ".npz:input_";
    arguments.insert(arguments.end(), {"--calibrate", numbers + "0"});
    if (m.model.starts_with("two"))
      arguments.insert(arguments.end(), {"--calibrate", numbers + "1"});
    const Outcome outcome = nnom(arguments, folder);
    EXPECT_NE(outcome.exit_code, 0);
    EXPECT_EQ(outcome.output, "");
    for (const std::string& part : m.message) EXPECT_THAT(outcome.errors, HasSubstr(part));
    EXPECT_FALSE(std::filesystem::exists(folder.file("model.hpp")));
  }
}

TEST(LambdaMistakes, ShowWhenFirmwareIsBuilt) {
  const Case& c = kCases[0];
  const Graph graph = load_model(c.path(), options_of(c, kHooks));
  const TempDir folder;
  const Generated files = emit(compile(graph, samples_of(c, graph), {}), {});
  write_file(folder.file("model.hpp"), files.header);
  write_file(folder.file("hooks.hpp"), kNone);
  const std::string said = complaint(
      files.source, {"-std=c++20", "-I" NNOM_SOURCE_DIR "/runtime", "-I" + folder.path().string()});
  EXPECT_THAT(said, HasSubstr("hooks.hpp has no function that layer 'pairs' (Lambda) could call. "
                              "Write, in namespace hooks: void pairs(const auto& x, auto& y)"));
  std::filesystem::remove(folder.file("hooks.hpp"));
  EXPECT_THAT(complaint(files.source, {"-std=c++20", "-I" NNOM_SOURCE_DIR "/runtime",
                                       "-I" + folder.path().string()}),
              HasSubstr("hooks.hpp: No such file"));
}

TEST(LambdaMistakes, NeverOverwriteTheFunctions) {
  const TempDir folder;
  write_file(folder.file("hooks.hpp"), kNone);
  EXPECT_THAT(nnom({"convert", kFolder + "output_shape.keras", "--hooks", "hooks.hpp", "-o",
                    "hooks.hpp", "--calibrate", kFolder + "output_shape.npz:input_0"},
                   folder)
                  .errors,
              HasSubstr("-o hooks.hpp: is the name of the header in --hooks"));
  EXPECT_EQ(as_text(read_file(folder.file("hooks.hpp"))), kNone);
}

TEST(LambdaMistakes, OfModelsWithoutSuchLayers) {
  const TempDir folder;
  const std::string plain = NNOM_SOURCE_DIR "/tests/fixtures/keras/dense_implicit.h5";
  EXPECT_THAT(nnom({"inspect", plain, "--hooks", kHooks}, folder).errors,
              HasSubstr("has no layers that are code of your own"));
  EXPECT_THAT(nnom({"hooks", plain}, folder).errors, HasSubstr("so it needs no hooks"));
  EXPECT_THAT(nnom({"inspect", NNOM_SOURCE_DIR "/tests/fixtures/keras/unsupported/masking.keras",
                    "--lambda", "Masking=3"},
                   folder)
                  .errors,
              HasSubstr("can't be a function of your own"));
}

TEST(LambdaCommand, WritesASkeletonThatAsksToBeFilledIn) {
  const TempDir folder;
  const std::vector<std::string> model = {kFolder + "custom.keras", "--lambda", "Gate"};
  const auto with = [&](const std::string& command, std::vector<std::string> more) {
    more.insert(more.begin(), model.begin(), model.end());
    more.insert(more.begin(), command);
    return nnom(more, folder);
  };
  EXPECT_EQ(with("hooks", {}).exit_code, 0);
  const std::string text(as_text(read_file(folder.file("hooks.hpp"))));
  EXPECT_THAT(text, HasSubstr("/// Layer 'gate' (Gate): x is 3 x 4, y 3 x 4.\n"
                              "/// p: float offsets[2] = {0.25f, -0.5f}\n"
                              "/// p: int power = 2\n"
                              "/// p: bool sharp = true\n"
                              "/// p: weight0, 4 floats\n"
                              "/// p: weight1, 2 x 4 floats\n"
                              "void Gate(const auto& x, auto& y, const auto& p) {\n"));
  EXPECT_EQ(text.find("void Gate", text.find("void Gate") + 1), std::string::npos);
  EXPECT_THAT(with("hooks", {}).errors, HasSubstr("is there already"));
  const std::vector<std::string> convert = {
      "--hooks", "hooks.hpp", "-o", "model.hpp", "--calibrate", kFolder + "custom.npz:input_0"};
  EXPECT_THAT(with("convert", convert).errors, HasSubstr("write what Gate computes"));
  EXPECT_THAT(with("inspect", {}).output, HasSubstr("gate_2"));
}

/// A parameter on the command line takes the place of the file's, and may be a new one.
TEST(LambdaCommand, ParametersGetToTheFunction) {
  const TempDir folder;
  write_file(folder.file("hooks.hpp"),
             "namespace hooks { void soft_clip(const auto& x, auto& y, const auto& p) {\n"
             "for (int i = 0; i < y.size(); ++i) y.set(i, x[i] * 0 + p.alpha + p.steps); } }\n");
  Case c{"arguments.keras", {"soft_clip,alpha=1.5,steps=3"}, {}};
  const Graph graph = load_model(c.path(), options_of(c, folder.file("hooks.hpp")));
  Graph cut = graph;
  cut.outputs = {cut.nodes[0].output};
  cut.nodes.resize(1);
  EXPECT_EQ(run_float(cut, {{1, 2, 3, 4}})[0], std::vector<float>(4, 4.5f));
}

}  // namespace
}  // namespace nnomc
