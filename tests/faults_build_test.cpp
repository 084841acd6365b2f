/// \file
/// The faults of the system that this project implements afresh, each a test: here those that were
/// in the way from a file to a board. faults_test.cpp has those that were wrong numbers.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "compiler/compile.hpp"
#include "compiler/error.hpp"
#include "compiler/firmware/firmware.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/firmware/process.hpp"
#include "compiler/import/keras.hpp"
#include "compiler/io/file.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/compile.hpp"
#include "tests/keras_models.hpp"
#include "tests/random_layers.hpp"
#include "tests/temp_folder.hpp"

namespace nnomc {
namespace {

using testing::HasSubstr;

const std::string kFolder = NNOM_SOURCE_DIR "/tests/fixtures/keras/";
const std::string kExample = NNOM_SOURCE_DIR "/examples/fashion_mnist/";
const std::string kRuntime = "-I" NNOM_SOURCE_DIR "/runtime";

Outcome run_nnom(std::vector<std::string> arguments, const std::string& folder) {
  arguments.insert(arguments.begin(), NNOM_BINARY);
  return run_command({.arguments = arguments, .directory = folder});
}

/// A concatenation of tensors of 3 x 4 and 5 x `width`, along the last axis.
KerasFile joined(int width) {
  return keras_file(
      functional(R"([["a", 0, 0], ["b", 0, 0]])", R"(["both", 0, 0])",
                 {{"InputLayer", "a", R"("batch_shape": [null, 3, 4])"},
                  {"InputLayer", "b", fmt::format(R"("batch_shape": [null, {}, 5])", width)},
                  {"Concatenate", "both", R"("axis": -1)",
                   "[" + args("[" + tensor("a") + ", " + tensor("b") + "]") + "]"}}));
}

TEST(Faults, F09_ErrorsOfEveryStageArriveAndManyBranchesWork) {
  EXPECT_EQ(error_of(joined(3)), "(imported)");
  EXPECT_THAT(error_of(joined(7)), HasSubstr("layer 'both' (Concatenate)"));

  const TempFolder folder;
  const std::string images = kExample + "calibration.npy", labels = kExample + "test_labels.npy";
  const std::vector<std::string> stages[] = {
      {"convert", kFolder + "cases.txt", "--calibrate", images},     // import
      {"convert", kExample + "model.keras", "--calibrate", labels},  // calibration
      {"convert", kExample + "model.keras", "--scale", "1/255", "--calibrate", images,  // packing
       "--target", "z80"},                                                              //
      {"convert", kExample + "model.keras", "--scale", "1/255", "--calibrate", images,
       "-o",  // writing
       "absent/m.hpp", "--calibration-samples", "2"}};
  for (const auto& arguments : stages) {
    const Outcome outcome = run_nnom(arguments, folder / ".");
    EXPECT_EQ(outcome.exit_code, 1) << testing::PrintToString(arguments);
    EXPECT_TRUE(outcome.errors.starts_with("nnom: error: ")) << outcome.errors;
    EXPECT_EQ(folder.count(), 0);
  }

  const Graph graph = load_model(kFolder + "fault_many_branches.keras");
  const Samples samples(graph, {kFolder + "fault_many_branches.npz:input_0"}, {});
  const Array keras = read_array(kFolder + "fault_many_branches.npz:output_0");
  const std::vector<float> joined = run_once(compile(graph, samples, {}), {samples.read(0, 0)})[0];
  ASSERT_EQ(joined.size(), 3u * 40 * 4);
  for (size_t i = 0; i < joined.size(); ++i)
    EXPECT_NEAR(joined[i], keras.at(static_cast<int64_t>(i)), 0.03) << i;
}

TEST(Faults, F12_UnknownActivationsAndLambdasAreNeverDropped) {
  for (const char* where : {"Activation", "Dense", "Conv1D"})
    EXPECT_THAT(error_of(sequential(
                    "[null, 4, 4]",
                    {{where, "x",
                      R"("activation": "wobble", "units": 3, "filters": 3, "kernel_size": 1)"}})),
                HasSubstr(fmt::format("'x' ({}, activation 'wobble')", where)));
  // Refused by name, or there under its name.
  const KerasFile lambda = read_keras_file(kFolder + "unsupported/lambda_layer.keras");
  if (const std::string error = error_of(lambda); error != "(imported)") {
    EXPECT_THAT(error, HasSubstr("'squared' (Lambda"));
  } else {
    const Graph graph = import_keras(lambda);
    EXPECT_TRUE(std::any_of(graph.nodes.begin(), graph.nodes.end(),
                            [](const Node& node) { return node.name == "squared"; }));
  }
}

/// What a model computes in int8 for its first sample: the bytes of all its outputs.
std::string bytes_of(Graph graph, const std::string& numbers) {
  optimise(graph);
  const Samples samples(graph, {numbers + ":input_0"}, {});
  const Program program = compile(graph, samples, {});
  Simulator simulator(program);
  simulator.set_input(0, samples.read(0, 0));
  simulator.run();
  std::string bytes;
  for (size_t i = 0; i < graph.outputs.size(); ++i)
    for (const unsigned char b : simulator.output_bytes(i)) bytes += static_cast<char>(b);
  return bytes;
}

/// A layer is what its class says, whatever its name does.
TEST(Faults, F13_NamesOfLayersMeanNothing) {
  for (const std::string model : {"net_keyword", "dense_implicit", "net_autoencoder"}) {
    KerasFile file = read_keras_file(kFolder + model + ".keras");
    const std::string numbers = kFolder + model + ".npz";
    const std::string expected = bytes_of(import_keras(file), numbers);
    const std::string kNames[] = {"conv2d_softmax_relu", "dense",   "max_pooling2d",
                                  "lstm_flatten",        "input_1", "re_lu_add",
                                  "lambda_tanh",         "dropout"};
    for (size_t shift = 0; shift < std::size(kNames); ++shift) {
      size_t i = shift;
      for (nlohmann::json& layer : file.config["config"]["layers"]) {
        const std::string& base = kNames[i % std::size(kNames)];
        layer["config"]["name"] = base + "_" + std::to_string(i);
        ++i;
      }
      EXPECT_EQ(bytes_of(import_keras(file), numbers), expected) << model << " " << shift;
    }
  }
}

/// On the host by the command, on a board by nnom::Evaluation.
TEST(Faults, F15_AClassThatTheTestSetLacksHasNoShareAndNoFault) {
  const TempFolder folder;
  const Outcome outcome = run_nnom(
      {"evaluate", kExample + "model.keras", "--calibrate", kExample + "calibration.npy", "--scale",
       "1/255", "--calibration", "min-max", "--data", kExample + "test_images.npy", "--labels",
       kExample + "test_labels.npy", "--limit", "3"},  // of classes 9, 2 and 1
      folder / ".");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
  EXPECT_THAT(outcome.output, HasSubstr("3 of 3"));
  EXPECT_THAT(outcome.output, HasSubstr("precision   - 100 100   -   -   -   -   -   - 100 %"));

  if (find_program("arm-none-eabi-g++").empty() || find_program("qemu-system-arm").empty())
    GTEST_SKIP() << "needs arm-none-eabi-g++ and qemu-system-arm";
  write_file(folder / "main.cpp", R"(
#include <initializer_list>

#include "nnom/evaluate.hpp"
#include "port.hpp"

int main() {
  nnom::Evaluation<4> evaluation;
  const int8_t scores[3][4] = {{9, 1, 2, 0}, {1, 9, 2, 0}, {1, 9, 2, 0}};
  const size_t labels[] = {0, 0, 1};  // class 2 and 3 neither come nor are found
  for (int i = 0; i < 3; ++i) evaluation.add(scores[i], labels[i]);
  for (size_t c = 0; c < 4; ++c) {
    nnom::TextLine line;
    for (const float share : {evaluation.precision(c), evaluation.recall(c)}) {
      if (!(share >= 0 && share <= 1)) return 1;  // 0 / 0 is no number
      line.right(static_cast<uint64_t>(share * 100), 4);
    }
    line.append("\n");
    nnom::port::print(line.text());
  }
  return 0;
}
)");
  for (const char* core : {"cortex-m0", "cortex-m4"}) {
    const nnomc::Run run = run_firmware(build_firmware({.core = core,
                                                        .sources = {folder / "main.cpp"},
                                                        .include_dirs = {},
                                                        .directory = folder / core,
                                                        .defines = {}}),
                                        core, {.timeout = std::chrono::seconds(60)});
    EXPECT_EQ(run.exit_code, 0);
    EXPECT_EQ(run.output, " 100  50\n  50 100\n   0   0\n   0   0\n");
  }
}

/// With nothing to be found but the program itself; all formats of one model give the same code.
TEST(Faults, F17_FilesOfKeras2And3ConvertWithoutPython) {
  std::set<std::string> codes;
  for (const char* file : {"sequential_built.keras", "sequential_built.h5",
                           "sequential_built.k2.keras", "sequential_built.k2.h5"}) {
    const TempFolder folder;
    const Outcome outcome = run_command(
        {.arguments = {"env", "-i", "PATH=" + (folder / "."), NNOM_BINARY, "convert",
                       kFolder + file, "--calibrate", kFolder + "sequential_built.npz:input_0",
                       "--name", "net", "-o", folder / "net.hpp"}});
    EXPECT_EQ(outcome.exit_code, 0) << file << ": " << outcome.errors;
    codes.insert(std::string(as_text(read_file(folder / "net.cpp"))));
  }
  EXPECT_EQ(codes.size(), 1u);
  EXPECT_THAT(run_program({"ldd", NNOM_BINARY}).output,
              testing::Not(testing::AnyOf(HasSubstr("python"), HasSubstr("tensorflow"))));
}

/// What inputs are filled with: one byte, or, for 1, in turn 1 and -1.
constexpr int kFills[] = {-128, 127, 0, 1};
unsigned char filled(int fill, size_t i) {
  return static_cast<unsigned char>(fill == 1 && i % 2 ? -1 : fill);
}

/// A program that runs generated code on bytes that its argument tells, and prints its outputs.
std::string extremes_program(const Graph& graph) {
  std::string main =
      "#include <stdio.h>\n#include <stdlib.h>\n#include \"model.hpp\"\n"
      "static model::Model net;\nint main(int, char** arguments) {\n"
      "  const int fill = atoi(arguments[1]);\n";
  for (size_t i = 0; i < graph.inputs.size(); ++i)
    main += fmt::format(
        "  for (size_t i = 0; i < net.input<{0}>().size(); ++i)\n"
        "    net.input<{0}>()[i] = static_cast<int8_t>(fill == 1 && i % 2 ? -1 : fill);\n",
        i);
  main += "  net.run();\n";
  for (size_t i = 0; i < graph.outputs.size(); ++i)
    main += fmt::format("  for (int v : net.output<{}>()) printf(\"%d \", v);\n", i);
  return main + "}\n";
}

/// Every op: no heap, or anything else but what moves bytes and a builtin of GCC's; and nothing
/// undefined happens, which the sanitizers would end.
TEST(Faults, F18_NoHeapAndNothingUndefined) {
  const Graph graph = all_ops_graph(1);
  const Program program = lower(graph, usual_scales(graph),
                                {.numbers = {true, Rounding::single_rounding, Layout::plain}});
  const TempFolder folder;
  EmitOptions options;
  options.optimise = Optimise::size;
  const Generated text = emit(program, options);
  write_file(folder / "model.hpp", text.header);
  write_file(folder / "model.cpp", text.source);
  write_file(folder / "main.cpp", extremes_program(graph));
  const auto build = [&](std::vector<std::string> more) {
    const std::string flags[] = {"g++", "-std=c++20", kRuntime, "-I" + (folder / ".")};
    more.insert(more.begin(), std::begin(flags), std::end(flags));
    return run_program(more);
  };

  ASSERT_TRUE(build({"-c", folder / "model.cpp", "-o", folder / "model.o"}).success);
  std::istringstream wanted(run_program({"nm", "-u", "-P", folder / "model.o"}).output);
  for (std::string symbol, kind; wanted >> symbol >> kind;)
    EXPECT_THAT(symbol, testing::AnyOf("memcpy", "memset", "memmove", "__clrsbdi2",
                                       "_GLOBAL_OFFSET_TABLE_"));

  const Said built = build({"-fsanitize=address,undefined", "-fno-sanitize-recover=all",
                            folder / "model.cpp", folder / "main.cpp", "-o", folder / "extremes"});
  ASSERT_TRUE(built.success) << built.output;
  Simulator simulator(program);
  for (const int fill : kFills) {
    simulator.reset();
    for (size_t input = 0; input < graph.inputs.size(); ++input) {
      const auto bytes = simulator.input_bytes(input);
      for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = filled(fill, i);
    }
    simulator.run();
    std::string expected;
    for (size_t i = 0; i < graph.outputs.size(); ++i)
      for (const unsigned char b : simulator.output_bytes(i))
        expected += fmt::format("{} ", static_cast<signed char>(b));
    const Said said = run_program({folder / "extremes", std::to_string(fill)});
    EXPECT_TRUE(said.success) << said.output;
    EXPECT_TRUE(said.output == expected) << "not the host's bytes, on inputs of " << fill;
  }
}

}  // namespace
}  // namespace nnomc
