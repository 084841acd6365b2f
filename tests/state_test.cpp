// Models that remember from one run to the next: on the host, in generated code, on a board.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "compiler/emit/emit.hpp"
#include "compiler/firmware/model_firmware.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/io/file.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/board_model.hpp"
#include "tests/compile.hpp"
#include "tests/random_layers.hpp"

namespace nnomc {
namespace {

using Bytes = std::vector<std::byte>;

const std::string kRuntime = "-I" NNOM_SOURCE_DIR "/runtime";

/// Rows `begin` to the end of a tensor.
Node rows_from(const Graph& g, int tensor, int begin) {
  nnom::Slice op;
  op.out = g.shape(tensor);
  op.begin[0] = begin, op.out.d[0] -= begin;
  Node node;
  node.name = "rows", node.op = op, node.inputs = {tensor};
  return node;
}

/// The last frames of the run before, an LSTM that keeps its state, an SVDF, and layers that don't
/// remember.
Program streaming(Layout layout, Rounding rounding = Rounding::double_rounding) {
  Graph g;
  g.file = g.name = "streaming";
  Random r(3);
  const int frames = g.add_input("frames", {2, {2, 5}});
  const int before = g.add_variable("before", {2, {1, 5}}, {1, -1, 0.5f, 2, 0});
  Node join;
  join.name = "join", join.op = nnom::Concat{.axis = 0}, join.inputs = {before, frames};
  const int joined = g.add(join);
  g.variables[0].next = g.add(rows_from(g, joined, 2));
  int t = add_random(g, "Lstm", {joined}, r);
  std::get<nnom::Lstm>(g.nodes.back().op).stateful = true;
  Node flat;
  flat.name = "flat", flat.op = nnom::Reshape{{1, {g.shape(t).size()}}}, flat.inputs = {t};
  t = g.add(flat);
  t = add_random(g, "Svdf", {t}, r);
  g.outputs = {add_random(g, "Dense", {t}, r)};
  std::vector<Quantisation> scales = usual_scales(g);
  scales[static_cast<size_t>(before)] = scales[static_cast<size_t>(g.variables[0].next)];
  return lower(g, scales, {.numbers = {true, rounding, layout}});
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
  for (const std::byte b : bytes)
    text += fmt::format("{},", static_cast<int>(static_cast<int8_t>(b)));
  return text;
}

TEST(State, StaysUntilAReset) {
  const Program p = streaming(Layout::vector);
  const Bytes once = samples(p, 1);
  Bytes twice = once;
  twice.insert(twice.end(), once.begin(), once.end());
  const Bytes kept = simulated(p, twice, false), reset = simulated(p, twice, true);
  const size_t half = kept.size() / 2;
  const auto first = [&](const Bytes& b) {
    return Bytes(b.begin(), b.begin() + static_cast<long>(half));
  };
  const auto second = [&](const Bytes& b) {
    return Bytes(b.begin() + static_cast<long>(half), b.end());
  };
  EXPECT_NE(first(kept), second(kept));
  EXPECT_EQ(first(reset), second(reset));
  EXPECT_EQ(first(kept), first(reset));
}

/// Outputs of consecutive runs on 1, 2, 3, ...
std::vector<float> counted(const Program& p, int runs) {
  Simulator simulator(p);
  std::vector<float> out;
  for (int i = 1; i <= runs; ++i) {
    simulator.set_input(0, std::vector{static_cast<float>(i)});
    simulator.run();
    out.push_back(simulator.output(0)[0]);
  }
  return out;
}

/// Two variables, and an output of both: 10 a + b.
Graph two_variables(int a_next, int b_next) {
  Graph g;
  g.file = g.name = "two";
  g.add_input("x", {1, {1}});          // tensor 0
  g.add_variable("a", {1, {1}}, {7});  // tensor 1
  g.add_variable("b", {1, {1}}, {8});  // tensor 2
  Node ten;
  ten.name = "ten", ten.op = nnom::Mul{.constant = 1, .constant_shape = {1, {1}}}, ten.inputs = {1};
  ten.weights = {10};
  Node sum;
  sum.name = "sum", sum.op = nnom::Add{}, sum.inputs = {g.add(ten), 2};
  g.outputs = {g.add(sum)};
  g.variables[0].next = a_next, g.variables[1].next = b_next;
  return g;
}

TEST(Variables, AreAllReadBeforeTheyChange) {
  using Values = std::vector<float>;
  // A delay line, either way; exchanged; one that stays; what becomes of both.
  EXPECT_EQ(counted(lower_float(two_variables(0, 1)), 4), (Values{78, 17, 21, 32}));
  EXPECT_EQ(counted(lower_float(two_variables(2, 0)), 4), (Values{78, 81, 12, 23}));
  EXPECT_EQ(counted(lower_float(two_variables(2, 1)), 4), (Values{78, 87, 78, 87}));
  EXPECT_EQ(counted(lower_float(two_variables(0, -1)), 4), (Values{78, 18, 28, 38}));
  EXPECT_EQ(counted(lower_float(two_variables(0, 0)), 4), (Values{78, 11, 22, 33}));
  EXPECT_EQ(counted(lower_float(two_variables(4, 3)), 2), (Values{78, 780 + 70}));
}

TEST(Variables, ChangeInPlace) {
  const Program p = streaming(Layout::plain);
  const Variable& v = p.graph.variables[0];
  EXPECT_EQ(p.plan.tensor[static_cast<size_t>(v.tensor)],
            p.plan.tensor[static_cast<size_t>(v.next)]);
  EXPECT_EQ(p.graph.nodes[1].output, v.next);  // no copy was added
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
static const int8_t in[3][{0}] = {{{1}}};
static const int8_t kept[] = {{{2}}}, anew[] = {{{3}}};
int main() {{
  static model::Model net;
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
                        kRuntime, "-I" + folder.path().string()})
        .output;
  };
  ASSERT_EQ(compile("main.cpp", "-std=c++11"), "");
  ASSERT_EQ(compile("model.cpp", "-std=c++20"), "");
  ASSERT_TRUE(run_program({"g++", folder.file("main.cpp.o"), folder.file("model.cpp.o"), "-o",
                           folder.file("program")})
                  .success);
  EXPECT_TRUE(run_program({folder.file("program")}).success);
  // A static model is there before any code has run.
  const std::string symbols = run_program({"nm", folder.file("main.cpp.o")}).output;
  EXPECT_EQ(symbols.find("guard"), std::string::npos) << symbols;
  EXPECT_EQ(emit(p, EmitOptions()).header.find("static void reset") == std::string::npos, false);
}

TEST(State, IsKeptOnCortexM4) {
  if (find_program("arm-none-eabi-g++").empty() || find_program("qemu-system-arm").empty())
    GTEST_SKIP() << "needs arm-none-eabi-g++ and qemu-system-arm";
  for (const Rounding rounding : {Rounding::single_rounding, Rounding::double_rounding}) {
    const Program p = streaming(Layout::dsp, rounding);
    const TempDir folder;
    const std::string elf = firmware_of(p, folder, "cortex-m4");
    const Bytes in = samples(p, 4);
    for (const std::size_t follow : {1, 4}) {
      ModelRunOptions options;
      options.follow = follow;
      EXPECT_EQ(run_model_firmware(elf, "cortex-m4", in, options).output,
                simulated(p, in, follow == 1));
    }
  }
}

}  // namespace
}  // namespace nnomc
