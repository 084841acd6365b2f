// Models that remember from one run to the next: on the host, in generated code, on a board.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "compiler/emit/emit.hpp"
#include "compiler/firmware/model_firmware.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/io/file.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/compile.hpp"
#include "tests/random_layers.hpp"

namespace nnomc {
namespace {

using Bytes = std::vector<std::byte>;

/// An LSTM that keeps its state, an SVDF, and layers that don't remember.
Program streaming(Layout layout, Rounding rounding = Rounding::double_rounding) {
  Graph g;
  g.file = g.name = "streaming";
  Random r(3);
  int t = g.add_input("frames", {2, {2, 5}});
  do {
    if (!g.nodes.empty()) g.nodes.clear(), g.tensors.resize(1);
    t = add_random(g, "Lstm", {0}, r);
  } while (!std::get<nnom::Lstm>(g.nodes[0].op).stateful);
  Node flat;
  flat.name = "flat", flat.op = nnom::Reshape{{1, {g.shape(t).size()}}}, flat.inputs = {t};
  t = g.add(flat);
  t = add_random(g, "Svdf", {t}, r);
  g.outputs = {add_random(g, "Dense", {t}, r)};
  return lower(g, usual_scales(g), {.numbers = {true, rounding, layout}});
}

Bytes samples(const Program& p, int count) {
  Random r(7);
  Bytes bytes;
  for (int i = count * p.graph.shape(p.graph.inputs[0]).size(); i > 0; --i)
    bytes.push_back(static_cast<std::byte>(r.whole(0, 255)));
  return bytes;
}

/// What the simulator gives for samples in turn; `reset` before each.
Bytes simulated(const Program& p, const Bytes& in, bool reset) {
  Simulator simulator(p);
  const auto to = std::as_writable_bytes(simulator.input_bytes(0));
  Bytes out;
  for (auto at = in.begin(); at != in.end(); at += static_cast<std::ptrdiff_t>(to.size())) {
    if (reset) simulator.reset();
    std::copy_n(at, to.size(), to.begin());
    simulator.run();
    const auto from = std::as_bytes(simulator.output_bytes(0));
    out.insert(out.end(), from.begin(), from.end());
  }
  return out;
}

std::string list(const Bytes& bytes) {
  std::string text;
  for (const std::byte b : bytes) text += fmt::format("{},", static_cast<int>(static_cast<int8_t>(b)));
  return text;
}

TEST(State, StaysUntilAReset) {
  const Program p = streaming(Layout::vector);
  const Bytes once = samples(p, 1);
  Bytes twice = once;
  twice.insert(twice.end(), once.begin(), once.end());
  const Bytes kept = simulated(p, twice, false), reset = simulated(p, twice, true);
  const size_t half = kept.size() / 2;
  const auto first = [&](const Bytes& b) { return Bytes(b.begin(), b.begin() + static_cast<long>(half)); };
  const auto second = [&](const Bytes& b) { return Bytes(b.begin() + static_cast<long>(half), b.end()); };
  EXPECT_NE(first(kept), second(kept));
  EXPECT_EQ(first(reset), second(reset));
  EXPECT_EQ(first(kept), first(reset));
}

/// A C++11 application: the first run needs no reset, runs differ, a reset makes them equal again.
TEST(State, IsKeptByGeneratedCode) {
  const Program p = streaming(Layout::plain);
  const TempDir folder;
  const Generated files = emit(p, EmitOptions());
  write_file(folder.file("model.hpp"), files.header);
  write_file(folder.file("model.cpp"), files.source);
  const Bytes in = samples(p, 3);
  const auto size = static_cast<size_t>(p.graph.shape(p.graph.inputs[0]).size());
  write_file(folder.file("main.cpp"), fmt::format(R"(
#include <string.h>
#include "model.hpp"
static model::Model net;
static const int8_t in[3][{0}] = {{{1}}};
static const int8_t kept[] = {{{2}}}, anew[] = {{{3}}};
int main() {{
  int8_t out[model::Graph::Output<0>::size];
  for (int again = 0; again < 2; ++again) {{
    for (int i = 0; i < 3; ++i) {{
      net.run(in[i], out);
      if (memcmp(out, kept + i * sizeof out, sizeof out)) return 1 + i;
    }}
    net.reset();
  }}
  for (int i = 0; i < 3; ++i) {{
    net.reset();
    net.run(in[i], out);
    if (memcmp(out, anew + i * sizeof out, sizeof out)) return 4 + i;
  }}
  return 0;
}}
)",
                                                  size, list(in), list(simulated(p, in, false)),
                                                  list(simulated(p, in, true))));
  const auto compile = [&](const char* file, const char* standard) {
    return run_program({"g++", standard, "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror",
                        "-c", folder.file(file), "-o", folder.file(std::string(file) + ".o"),
                        "-I" NNOM_SOURCE_DIR "/runtime", "-I" + folder.path().string()})
        .output;
  };
  ASSERT_EQ(compile("main.cpp", "-std=c++11"), "");
  ASSERT_EQ(compile("model.cpp", "-std=c++20"), "");
  ASSERT_TRUE(run_program({"g++", folder.file("main.cpp.o"), folder.file("model.cpp.o"), "-o",
                           folder.file("program")})
                  .success);
  EXPECT_TRUE(run_program({folder.file("program")}).success);
  EXPECT_EQ(emit(p, EmitOptions()).header.find("static void reset") == std::string::npos, false);
}

TEST(State, IsKeptOnCortexM4) {
  if (find_program("arm-none-eabi-g++").empty() || find_program("qemu-system-arm").empty())
    GTEST_SKIP() << "needs arm-none-eabi-g++ and qemu-system-arm";
  for (const Rounding rounding : {Rounding::single_rounding, Rounding::double_rounding}) {
    const Program p = streaming(Layout::dsp, rounding);
    const TempDir folder;
    const Generated files = emit(p, EmitOptions());
    write_file(folder.file("model.hpp"), files.header);
    write_file(folder.file("model.cpp"), files.source);
    const std::string elf = build_model_firmware({.core = "cortex-m4",
                                                  .sources = {folder.file("model.cpp")},
                                                  .include_dirs = {folder.path().string()},
                                                  .optimise = "-O2",
                                                  .directory = folder.file("build"),
                                                  .defines = {}},
                                                 "model.hpp", "model::Graph");
    const Bytes in = samples(p, 4);
    for (const bool stream : {false, true}) {
      ModelRunOptions options;
      options.stream = stream;
      EXPECT_EQ(run_model_firmware(elf, "cortex-m4", in, options).output,
                simulated(p, in, !stream));
    }
  }
}

}  // namespace
}  // namespace nnomc
