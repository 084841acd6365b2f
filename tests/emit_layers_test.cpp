// `convert --emit layers`: any model as code of the layer API, with the same bytes.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "compiler/compile.hpp"
#include "compiler/emit/emit.hpp"
#include "compiler/firmware/model_firmware.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/import/tflite.hpp"
#include "compiler/io/file.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/compile.hpp"
#include "tests/fixtures/layers/by_hand.hpp"
#include "tests/random_layers.hpp"
#include "tests/tflite_fixture.hpp"

namespace nnomc {
namespace {

constexpr int kSamples = 3;  // run one after the other, so that state is kept

Program random_program(const Graph& graph, Rounding rounding, Layout layout = Layout::plain) {
  return lower(graph, usual_scales(graph), {.numbers = {true, rounding, layout}});
}
/// A Keras file; its ranges are taken as they come.
Program of_keras(const std::string& file) {
  return random_program(load_model(NNOM_SOURCE_DIR "/" + file), Rounding::single_rounding);
}
/// A model in an archive of TFLite files.
Program of_tflite(const std::string& archive, const std::string& name) {
  const Fixture fixture(NNOM_SOURCE_DIR "/tests/fixtures/tflite/" + archive + ".npz");
  return lower(import_tflite(name, fixture.read(name + "/model").bytes), {},
               {.numbers = {true, Rounding::double_rounding, Layout::plain}});
}
/// Two variables that change places, one of them the sum of itself and the input.
Program of_variables() {
  Graph g;
  g.file = "variables";
  const int x = g.add_input("x", {1, {3}});
  const int a = g.add_variable("a", {1, {3}}, {1, -2, 3}),
            b = g.add_variable("b", {1, {3}}, {0, 0, 0});
  Node sum;
  sum.name = "sum", sum.op = nnom::Add{}, sum.inputs = {x, a};
  const int s = g.add(sum);
  Node both;
  both.name = "both", both.op = nnom::Concat{}, both.inputs = {s, a, b};
  g.outputs = {g.add(both)};
  g.variables[0].next = b, g.variables[1].next = s;
  return lower(g, std::vector<Quantisation>(g.tensors.size(), {0.5, 3}),
               {.numbers = {true, Rounding::single_rounding, Layout::plain}});
}

std::vector<unsigned char> samples_of(const Program& p, unsigned seed) {
  size_t bytes = 0;
  for (const int t : p.graph.inputs)
    bytes += static_cast<size_t>(tensor_bytes(p.graph, t, p.numbers));
  Random r(seed);
  std::vector<unsigned char> samples(bytes * kSamples);
  for (unsigned char& b : samples) b = static_cast<unsigned char>(r.whole(0, 255));
  return samples;
}

std::vector<unsigned char> simulated(const Program& p, const std::vector<unsigned char>& samples) {
  Simulator simulator(p);
  simulator.reset();
  std::vector<unsigned char> out;
  auto from = samples.begin();
  for (int s = 0; s < kSamples; ++s) {
    for (size_t i = 0; i < p.graph.inputs.size(); ++i) {
      const auto to = simulator.input_bytes(i);
      std::copy_n(from, to.size(), to.begin());
      from += static_cast<std::ptrdiff_t>(to.size());
    }
    simulator.run();
    for (size_t i = 0; i < p.graph.outputs.size(); ++i) {
      const auto bytes = simulator.output_bytes(i);
      out.insert(out.end(), bytes.begin(), bytes.end());
    }
  }
  return out;
}

TEST(EmitLayers, GivesTheBytesOfTheDefaultEmission) {
  struct Case {
    std::string name;
    Program program;
  };
  std::vector<Case> cases;
  cases.push_back({"every_op", random_program(all_ops_graph(4), Rounding::double_rounding)});
  Random r(7);
  for (const char* const name : {"branches", "more_branches"})
    cases.push_back({name, random_program(random_graph(12, r), Rounding::single_rounding)});
  cases.push_back({"demo", of_keras("examples/fashion_mnist/model.keras")});
  cases.push_back({"residual", of_keras("tests/fixtures/keras/net_residual.keras")});
  for (const char* const name : {"lstm", "gru", "bidirectional"})
    cases.push_back({name, of_keras(fmt::format("tests/fixtures/rnn/{}.keras", name))});
  cases.push_back(
      {"tflite_int8",
       of_tflite("CONV_2D",
                 Fixture(NNOM_SOURCE_DIR "/tests/fixtures/tflite/CONV_2D.npz").cases().front())});
  cases.push_back({"int16", of_tflite("models/int16", "residual")});
  cases.push_back({"between", of_tflite("models/int16", "between")});
  cases.push_back({"variables", of_variables()});

  const TempDir folder;
  std::string includes, calls;
  for (size_t i = 0; i < cases.size(); ++i) {
    EmitOptions options;
    options.name = cases[i].name;
    write_file(folder.file(cases[i].name + ".hpp"), emit_layers(cases[i].program, options));
    const std::vector<unsigned char> samples =
        samples_of(cases[i].program, static_cast<unsigned>(i));
    write_file(folder.file(cases[i].name + ".in"), std::string(samples.begin(), samples.end()));
    includes += fmt::format("#include \"{}.hpp\"\n", cases[i].name);
    calls += fmt::format("  run<{0}::Graph>(\"{0}\");\n", cases[i].name);
  }
  write_file(folder.file("main.cpp"), R"(
#include <stdio.h>
#include <string>
)" + includes +
                                          fmt::format(R"(
template <class Graph>
void run(const std::string& name) {{
  static nnom::Arena<Graph> arena;
  FILE* const in = fopen((name + ".in").c_str(), "rb");
  FILE* const out = fopen((name + ".out").c_str(), "wb");
  if constexpr (requires {{ Graph::reset(arena.data); }}) Graph::reset(arena.data);
  printf("%u ", unsigned(Graph::arena_bytes));
  for (int s = 0; s < {}; ++s) {{
    for (unsigned i = 0; i < Graph::input_count; ++i)
      if (fread(arena.data + Graph::input(i).offset, 1, Graph::input(i).bytes, in) != Graph::input(i).bytes) puts("too short");
    Graph::run(arena.data);
    for (unsigned i = 0; i < Graph::output_count; ++i)
      fwrite(arena.data + Graph::output(i).offset, 1, Graph::output(i).bytes, out);
  }}
  fclose(in), fclose(out);
}}
int main() {{
{}}}
)",
                                                      kSamples, calls));
  const Said compiled =
      run_program({"g++", "-std=c++20", "-O1", "-ffp-contract=off", "-Wall", "-Wextra",
                   "-Wconversion", "-Werror", "-I" NNOM_SOURCE_DIR "/runtime", "-o",
                   folder.file("models"), folder.file("main.cpp")});
  ASSERT_EQ(compiled.output, "");
  std::string arenas;
  for (const Case& c : cases) arenas += fmt::format("{} ", layers_plan(c.program).arena_bytes);
  EXPECT_EQ(run_program({folder.file("models")}, folder.path().string()).output, arenas);
  for (size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(cases[i].name);
    std::ifstream file(folder.file(cases[i].name + ".out"), std::ios::binary);
    const std::vector<unsigned char> got{std::istreambuf_iterator<char>(file), {}};
    EXPECT_TRUE(
        got == simulated(cases[i].program, samples_of(cases[i].program, static_cast<unsigned>(i))));
  }
}

/// The planner of the layer API never has a layer overwrite what is still to be read.
TEST(EmitLayers, PlansGiveTheBytesOfTensorsApart) {
  Random r(11);
  for (int i = 0; i < 200; ++i) {
    const Graph graph = random_graph(r.whole(1, 24), r);
    const Lowering apart{.numbers = {true, Rounding::single_rounding, Layout::plain},
                         .separate = true};
    const Program want = lower(graph, usual_scales(graph), apart);
    Program program = random_program(graph, Rounding::single_rounding);
    program.plan = layers_plan(program);
    const std::vector<unsigned char> samples = samples_of(program, static_cast<unsigned>(i));
    ASSERT_TRUE(simulated(program, samples) == simulated(want, samples)) << "graph " << i;
  }
}

/// What a graph of the layer API gives on a Cortex-M4, for the bytes of its inputs.
std::vector<unsigned char> on_cortex_m4(const TempDir& folder, const std::string& header,
                                        const std::string& graph,
                                        const std::vector<unsigned char>& samples) {
  const std::string elf =
      build_model_firmware({.core = "cortex-m4",
                            .sources = {},
                            .include_dirs = {folder.path().string(), NNOM_SOURCE_DIR},
                            .optimise = "-O2",
                            .directory = folder.file("build"),
                            .defines = {}},
                           header, graph);
  const ModelRun run =
      run_model_firmware(elf, "cortex-m4", std::as_bytes(std::span(samples)),
                         {.layers = false, .count = false, .timeout = std::chrono::seconds(300)});
  const auto* const bytes = reinterpret_cast<const unsigned char*>(run.output.data());
  return {bytes, bytes + run.output.size()};
}

TEST(EmitLayers, GivesTheBytesOnACortexM4) {
  if (!has_compiler("arm-none-eabi-g++") || find_program("qemu-system-arm").empty())
    GTEST_SKIP() << "needs arm-none-eabi-g++ and qemu-system-arm";
  const Program program =
      random_program(load_model(NNOM_SOURCE_DIR "/examples/fashion_mnist/model.keras"),
                     Rounding::single_rounding, Layout::dsp);
  const TempDir folder;
  write_file(folder.file("model.hpp"), emit_layers(program, {}));
  const std::vector<unsigned char> samples = samples_of(program, 1);
  EXPECT_TRUE(on_cortex_m4(folder, "model.hpp", "model::Graph", samples) ==
              simulated(program, samples));
}

/// Packed for the core that it is compiled for: the same bytes as packed for this one.
TEST(EmitLayers, AModelMadeByHandGivesTheSameBytesOnACortexM4) {
  if (!has_compiler("arm-none-eabi-g++") || find_program("qemu-system-arm").empty())
    GTEST_SKIP() << "needs arm-none-eabi-g++ and qemu-system-arm";
  static nnom::Arena<by_hand::Graph> arena;
  std::vector<unsigned char> samples, want;
  for (int i = 0; i < kSamples * 84; ++i) samples.push_back(static_cast<unsigned char>(i * i * 7));
  for (auto at = samples.begin(); at != samples.end(); at += 84) {
    std::copy_n(at, 84, arena.data + by_hand::Graph::input(0).offset);
    by_hand::Graph::run(arena.data);
    for (unsigned i = 0; i < 2; ++i) {
      const nnom::Slot slot = by_hand::Graph::output(i);
      want.insert(want.end(), arena.data + slot.offset, arena.data + slot.offset + slot.bytes);
    }
  }
  const TempDir folder;
  EXPECT_TRUE(
      on_cortex_m4(folder, "tests/fixtures/layers/by_hand.hpp", "by_hand::Graph", samples) == want);
}

}  // namespace
}  // namespace nnomc
