// `nnom convert --c-api`: applications in C99, compiled strictly, get the bytes that the simulator
// computes.
#include "compiler/emit/c_api.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "compiler/firmware/paths.hpp"
#include "compiler/firmware/process.hpp"
#include "compiler/io/file.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/compile.hpp"
#include "tests/random_layers.hpp"
#include "tests/temp_folder.hpp"

namespace nnomc {
namespace {

const std::string kRuntime = "-I" NNOM_SOURCE_DIR "/runtime";
constexpr int kRuns = 3;

/// One layer that keeps its state between runs.
Graph remembering() {
  Graph g;
  g.file = g.name = "remembering";
  Random r(3);
  const int t = g.add_input("a*/ \\ name", {2, {4, 5}});
  g.outputs = {add_random(g, "Lstm", {t}, r)};
  std::get<nnom::Lstm>(g.nodes.back().op).stateful = true;
  return g;
}

Program wide() {
  Random r(4);
  Graph g;
  g.file = g.name = "wide";
  const int t = g.add_input("x", {1, {7}});
  g.outputs = {add_random(g, "Dense", {t}, r)};
  std::vector<Quantisation> scales = usual_scales(g);
  for (size_t i = 0; i < scales.size(); ++i)
    g.tensors[i].quantisation = scales[i] = {scales[i].scale / 256, 0, 16};
  return lower(g, scales, {.numbers = {true, Rounding::double_rounding, Layout::plain}});
}

Program narrow(const Graph& g, Layout layout = Layout::plain) {
  return lower(g, usual_scales(g), {.numbers = {true, Rounding::double_rounding, layout}});
}

/// "input_1" of several, "input" of one.
std::string numbered(const std::string& what, size_t i, size_t count) {
  return count > 1 ? fmt::format("{}_{}", what, i) : what;
}

/// The folder of a model named `net` and of a C program that runs it on the bytes of its standard
/// input, kRuns times and once more after a reset, and writes the outputs' bytes and real numbers.
class Application {
 public:
  explicit Application(const Program& program) {
    EmitOptions options;
    options.name = "net", options.file = "net.hpp";
    const Generated cpp = emit(program, options), c = emit_c_api(program, options, "net.h");
    write_file(folder_ / "net.hpp", cpp.header);
    write_file(folder_ / "net.cpp", cpp.source + c.source);
    write_file(folder_ / "net.h", c.header);
    std::string body;
    const Graph& g = program.graph;
    for (size_t i = 0; i < g.inputs.size(); ++i) {
      const std::string name = numbered("input", i, g.inputs.size());
      std::string upper = name;
      for (char& letter : upper) letter = static_cast<char>(std::toupper(letter));
      body += fmt::format(
          "  if (fread(net_{0}(), sizeof *net_{0}(), NET_{1}_SIZE, stdin) != NET_{1}_SIZE) "
          "return 1;\n"
          "  for (i = 0; i < NET_{1}_SIZE; ++i)\n"
          "    real[i] = NET_{1}_SCALE * (float)(net_{0}()[i] - NET_{1}_ZERO);\n"
          "  for (i = 0; i < NET_{1}_SIZE; ++i) net_{0}()[i] = 99;\n"
          "  net_write_{0}(real);\n",
          name, upper);
    }
    body += "  net_run();\n";
    for (size_t i = 0; i < g.outputs.size(); ++i) {
      const std::string name = numbered("output", i, g.outputs.size());
      std::string upper = name;
      for (char& letter : upper) letter = static_cast<char>(std::toupper(letter));
      body += fmt::format(
          "  net_read_{0}(real);\n"
          "  for (i = 0; i < NET_{1}_SIZE; ++i) {{\n"
          "    if (real[i] != NET_{1}_SCALE * (float)(net_{0}()[i] - NET_{1}_ZERO)) return 2;\n"
          "    printf(\"%d \", net_{0}()[i]);\n  }}\n",
          name, upper);
    }
    write_file(folder_ / "main.c",
               fmt::format("#include \"net.h\"\n#include <stdio.h>\n\n"
                           "static float real[100000];\n\n"
                           "static int run(void) {{\n  int i;\n{}  return 0;\n}}\n\n"
                           "int main(void) {{\n  int n, failed = 0;\n"
                           "  for (n = 0; n < {}; ++n) failed |= run();\n{}"
                           "  failed |= run();\n  return failed;\n}}\n",
                           body, kRuns, program.plan.state ? "  net_reset();\n" : ""));
  }

  std::string operator/(const std::string& name) const { return folder_ / name; }

  /// Compiles both sources; what the compilers say.
  std::string compile(const std::string& prefix, const std::vector<std::string>& flags) const {
    const std::string include = "-I" + (folder_ / ".");
    std::string said =
        run_program(words(prefix + "gcc -std=c99 -O1 -Wall -Wextra -Wconversion -Werror -pedantic "
                                   "-ffp-contract=off -c -o") +
                    std::vector<std::string>{folder_ / "main.o", folder_ / "main.c", include} +
                    flags)
            .output;
    return said +
           run_program(
               words(prefix + "g++ -std=c++20 -O2 -Wall -Wextra -Wconversion -Werror "
                              "-pedantic -fno-exceptions -fno-rtti -c -o") +
               std::vector<std::string>{folder_ / "net.o", folder_ / "net.cpp", include, kRuntime} +
               flags)
               .output;
  }

 private:
  TempFolder folder_;
};

struct Case {
  const char* name;
  Program (*program)();
};

const Case kCases[] = {
    {"one_input",
     [] {
       Random r(2);
       return narrow(random_layer("Dense", r));
     }},
    {"every_op", [] { return narrow(all_ops_graph(2)); }},
    {"int16", wide},
    {"state", [] { return narrow(remembering()); }},
};

class CApi : public testing::TestWithParam<Case> {};

TEST_P(CApi, GivesTheSimulatorsBytes) {
  const Program program = GetParam().program();
  const Application application(program);
  ASSERT_EQ(application.compile("", {}), "");
  // With the C compiler: nothing of C++'s library is needed.
  ASSERT_EQ(run_program({"gcc", application / "main.o", application / "net.o", "-o",
                         application / "program"})
                .output,
            "");
  Simulator simulator(program);
  Random r(8);
  std::string inputs, want;
  simulator.reset();
  for (int run = 0; run <= kRuns; ++run) {
    if (run == kRuns) simulator.reset();
    for (size_t i = 0; i < program.graph.inputs.size(); ++i)
      for (unsigned char& b : simulator.input_bytes(i)) {
        b = static_cast<unsigned char>(r.whole(0, 255));
        inputs += static_cast<char>(b);
      }
    simulator.run();
    for (size_t i = 0; i < program.graph.outputs.size(); ++i) {
      const auto t = static_cast<size_t>(program.graph.outputs[i]);
      const auto bytes = simulator.output_bytes(i);
      for (size_t b = 0; b < bytes.size(); b += program.scales[t].bits / 8)
        want += fmt::format("{} ", program.scales[t].bits == 16
                                       ? static_cast<int16_t>(bytes[b] | bytes[b + 1] << 8)
                                       : static_cast<int8_t>(bytes[b]));
    }
  }
  write_file(application / "inputs", inputs);
  const Said said = run_program({"sh", "-c", "./program < inputs"}, application / ".");
  EXPECT_TRUE(said.success);
  EXPECT_EQ(said.output, want);
}

TEST_P(CApi, LinksOnABoardWithoutHeap) {
  if (!has_compiler("arm-none-eabi-gcc")) GTEST_SKIP() << "needs arm-none-eabi-gcc";
  const Program program = GetParam().program();
  const Application application(program);
  const std::vector<std::string> core = words("-mcpu=cortex-m4 -mthumb -mfloat-abi=hard");
  ASSERT_EQ(application.compile("arm-none-eabi-", core), "");
  const std::string undefined =
      run_program({"arm-none-eabi-nm", "-u", application / "net.o"}).output;
  for (const std::string& symbol : words(undefined))
    EXPECT_TRUE(symbol == "U" || symbol.starts_with("mem") || symbol.starts_with("__aeabi_"))
        << symbol;
  const std::string defined = run_program({"arm-none-eabi-nm", application / "net.o"}).output;
  EXPECT_NE(defined.find(" T net_run\n"), std::string::npos) << defined;
  EXPECT_EQ(defined.find(" net_reset\n") != std::string::npos, program.plan.state);
}

INSTANTIATE_TEST_SUITE_P(Models, CApi, testing::ValuesIn(kCases),
                         [](const auto& c) { return c.param.name; });

/// The command writes three files, or none; C and C++ see the same sizes.
TEST(CApiCommand, WritesAHeaderBesideTheOthers) {
  const std::string example = NNOM_SOURCE_DIR "/examples/fashion_mnist/";
  const TempFolder folder;
  const auto convert = [&](const std::vector<std::string>& more) {
    return run_command(
        {.arguments = std::vector<std::string>{NNOM_BINARY, "convert", example + "model.keras",
                                               "--calibrate", example + "calibration.npy",
                                               "--calibration", "min-max", "--c-api"} +
                      more,
         .directory = folder / ".",
         .timeout = std::chrono::seconds(200)});
  };
  struct Refused {
    std::vector<std::string> options;
    int exit_code;
    const char* message;
  };
  for (const Refused& c : {Refused{{"-o", "m.h"}, 1, "so call the C++ one m.hpp"},
                           Refused{{"--single-header"}, 2, "excludes"}}) {
    const Outcome outcome = convert(c.options);
    EXPECT_EQ(outcome.exit_code, c.exit_code);
    EXPECT_NE(outcome.errors.find(c.message), std::string::npos) << outcome.errors;
    EXPECT_EQ(folder.count(), 0);
  }
  const Outcome outcome = convert({"--scale", "1/255", "-o", "mnist.hpp"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  EXPECT_TRUE(outcome.output.starts_with("mnist.hpp, mnist.cpp, mnist.h: mnist::Model"))
      << outcome.output;
  EXPECT_EQ(folder.count(), 3);
  const std::string both =
      "#include \"mnist.hpp\"\n#include \"mnist.h\"\n"
      "static_assert(MNIST_INPUT_SIZE == mnist::Graph::Input<0>::size, \"\");\n"
      "static_assert(MNIST_OUTPUT_SIZE == mnist::Graph::Output<0>::size, \"\");\n"
      "static_assert(MNIST_ARENA_BYTES == mnist::Graph::arena_bytes, \"\");\n"
      "static_assert(MNIST_WEIGHTS_BYTES == mnist::Graph::weights_bytes, \"\");\n";
  EXPECT_EQ(complaint(both, {"-std=c++11", kRuntime, "-I" + (folder / ".")}), "");
}

}  // namespace
}  // namespace nnomc
