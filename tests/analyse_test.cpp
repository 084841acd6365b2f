// What the board prints of a model: runtime/nnom/analyse.hpp and text.hpp; and running it up to a
// layer, on a generated model beside the host's simulator.
#include "nnom/analyse.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "compiler/emit/emit.hpp"
#include "compiler/emit/names.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/io/file.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/compile.hpp"
#include "tests/random_layers.hpp"

namespace nnomc {
namespace {

std::uint32_t now = 0;
std::uint32_t read_clock() { return now; }
std::string printed;
void print(const char* text) { printed += text; }

TEST(TextLine, PutsNumbersIntoColumns) {
  using nnom::TextLine;
  EXPECT_EQ(std::string(TextLine().left("ab", 3).append("|").left("abcd", 3).text()), "ab |abc");
  EXPECT_EQ(std::string(TextLine().right("ab", 4).right("abc", 2).text()), "  ababc");
  EXPECT_EQ(std::string(TextLine().right(UINT64_MAX, 3).text()), "18446744073709551615");
  struct Case {
    std::uint64_t value;
    std::size_t decimals, width;
    const char* text;
  };
  for (const Case& c :
       {Case{0, 0, 0, "0"}, Case{0, 2, 6, "  0.00"}, Case{7, 2, 0, "0.07"},
        Case{123, 2, 5, " 1.23"}, Case{100000, 3, 0, "100.000"},
        Case{5, 20, 0, "0.00000000000000000005"}, Case{UINT64_MAX, 19, 0, "1.8446744073709551615"}})
    EXPECT_EQ(std::string(TextLine().fixed(c.value, c.decimals, c.width).text()), c.text);
  EXPECT_EQ(std::string(TextLine().percent(2, 3, 6).text()), " 66.67 %");
  EXPECT_EQ(std::string(TextLine().percent(0, 0, 6).text()), "     -  ");
  TextLine full;
  for (int i = 0; i < 200; ++i) full.append("x");
  EXPECT_EQ(std::string(full.text()), std::string(95, 'x'));
}

TEST(TextLine, WritesRealNumbersWithSixDigits) {
  using F = std::numeric_limits<float>;
  std::vector<float> values = {1.0f / 255, 0.1f,      1,        255,      1e8f,           1e9f,
                               999999.5f,  9999995.f, F::max(), F::min(), F::denorm_min()};
  Random r(3);
  for (int i = 0; i < 3000; ++i)
    values.push_back(static_cast<float>(std::pow(10, r.real(-44, 38))));
  for (const float v : values) {
    const std::string text = nnom::TextLine().real(v).text();
    std::istringstream stream(text);
    double read = 0;
    stream >> read;
    EXPECT_TRUE(stream.eof()) << text;
    EXPECT_LE(std::abs(read - static_cast<double>(v)), 0.500001e-5 * static_cast<double>(v))
        << text;
    EXPECT_LE(text.size(), 12u) << text;
  }
  const std::pair<float, const char*> exact[] = {{1.0f / 255, "0.00392157"},
                                                 {1.0f / 256, "0.00390625"},
                                                 {0.5f, "0.5"},
                                                 {1, "1"},
                                                 {2500, "2500"},
                                                 {1e-30f, "1e-30"},
                                                 {2.5e-12f, "2.5e-12"},
                                                 {0, "0"},
                                                 {1e9f, "1e9"},
                                                 {123456789, "123457000"}};
  for (const auto& [value, text] : exact)
    EXPECT_EQ(std::string(nnom::TextLine().real(value).text()), text);
}

TEST(LayerTimes, SurviveAWrappingClock) {
  nnom::LayerTimes<2, read_clock> times;
  const nnom::LayerInfo conv = {"conv", "Conv2D", 0, 1000, nullptr, 0};
  const nnom::LayerInfo dense = {"a_name_that_is_far_too_long", "Dense", 1, 20, nullptr, 0};
  const nnom::LayerInfo unknown = {"", "", 7, 0, nullptr, 0};
  now = 0xFFFFFFF0u;
  for (int run = 0; run < 2; ++run) {
    times.start();
    now += 300;
    times.observer(&times, conv);
    now += 100;
    times.observer(&times, dense);
    times.observer(&times, unknown);
  }
  EXPECT_EQ(times.ticks(0), 600u);
  EXPECT_EQ(times.ticks(1), 200u);
  EXPECT_EQ(times.ticks(7), 0u);
  EXPECT_EQ(times.ticks(), 800u);
  printed.clear();
  times.print(print, 1000000);
  EXPECT_EQ(printed,
            "layer                 type               operations         us    ops/us     share\n"
            "conv                  Conv2D                   1000        300      3.33   75.00 %\n"
            "a_name_that_is_far_to Dense                      20        100      0.20   25.00 %\n"
            "total                                          1020        400      2.55  100.00 %\n");
  times.clear();
  printed.clear();
  times.print(print, 0);  // a clock of no speed
  EXPECT_NE(printed.find("total"), std::string::npos);
}

TEST(LayerTimes, ThatNeverRan) {
  nnom::LayerTimes<1, read_clock> times;
  printed.clear();
  times.print(print, 1000);
  EXPECT_NE(
      printed.find("-                     -                           0          0         -  "
                   "     -  \n"),
      std::string::npos)
      << printed;
}

/// Named as a layer may be.
struct Described {
  enum : unsigned { arena_bytes = 13520, weights_bytes = 7, input_count = 1, output_count = 2 };
  static nnom::Slot input(unsigned) { return {0, 2352, {1.0f / 255, -128}}; }
  static nnom::Slot output(unsigned i) {
    return i == 0 ? nnom::Slot{0, 20, {1e-12f, 0}} : nnom::Slot{0, 1, {250, 127}};
  }
  static nnom::Format input_format(unsigned) { return {"image", 3, {28, 28, 3}}; }
  static nnom::Format output_format(unsigned i) {
    return i == 0 ? nnom::Format{"a_name_that_is_far_too_long_for_it", 1, {10}}
                  : nnom::Format{"one", 0, {}};
  }
};

TEST(Analyse, PrintsFormatAndMemory) {
  printed.clear();
  nnom::print_format<Described>(print);
  nnom::print_memory<Described>(print);
  EXPECT_EQ(printed,
            "           shape               type   scale        zero  name\n"
            "input   0  28 x 28 x 3         int8   0.00392157   -128  image\n"
            "output  0  10                  int16  1e-12           0  "
            "a_name_that_is_far_too_long_for_it\n"
            "output  1  1                   int8   250           127  one\n"
            "arena       13520 B of RAM\n"
            "weights         7 B of flash\n");
}

/// A generated model with every op, run up to each of its layers: the same bytes as the simulator
/// has after that layer, the layer's own name, and what print_format says of it.
TEST(Analyse, RunsUpToALayer) {
  const Graph graph = all_ops_graph(3);
  const Program program = lower(graph, usual_scales(graph),
                                {.numbers = {true, Rounding::single_rounding, Layout::plain}});
  const TempDir folder;
  const Generated files = emit(program, EmitOptions());
  write_file(folder.file("model.hpp"), files.header);
  write_file(folder.file("model.cpp"), files.source);
  Simulator simulator(program);
  Random r(5);
  std::string inputs, expected;
  for (size_t i = 0; i < graph.inputs.size(); ++i)
    for (unsigned char& b : simulator.input_bytes(i)) {
      b = static_cast<unsigned char>(r.whole(0, 255));
      inputs += static_cast<char>(b);
    }
  write_file(folder.file("inputs"), inputs);
  std::map<std::string, unsigned> last;
  std::vector<std::string> lines;
  unsigned index = 0;
  simulator.reset();
  simulator.run([&](size_t node, const void* output) {
    const Node& n = program.graph.nodes[node];
    if (info(n.op).alias) return;
    std::string line = fmt::format("{} {} {}", index, n.name, info(n.op).name);
    const auto* bytes = static_cast<const unsigned char*>(output);
    for (int i = 0; i < tensor_bytes(program.graph, n.output, program.numbers); ++i)
      line += fmt::format(" {}", bytes[i]);
    last[n.name] = index++;
    lines.push_back(line);
  });
  for (const std::string& line : lines) expected += line + "\n";
  for (const auto& [name, i] : last) expected += fmt::format("{} {}\n", name, i);
  std::string names;
  for (const auto& [name, i] : last) names += literal(name) + ", ";
  write_file(folder.file("main.cpp"), R"(
#include <stdio.h>
#include "model.hpp"
#include "nnom/analyse.hpp"
static model::Model net;
typedef model::Graph Graph;
static void read_inputs() {
  FILE* f = fopen("inputs", "rb");
  for (unsigned i = 0; i < Graph::input_count; ++i)
    if (fread(net.input_data(i), 1, Graph::input(i).bytes, f) != Graph::input(i).bytes) return;
  fclose(f);
}
template <class M> auto restart(M& m, int) -> decltype(m.reset(), void()) { m.reset(); }
template <class M> void restart(M&, long) {}
int main() {
  for (unsigned i = 0; i < Graph::layer_count; ++i) {
    read_inputs();
    restart(net, 0);
    const nnom::LayerInfo layer = net.run_to(i);
    printf("%u %s %s", layer.index, layer.name, layer.type);
    for (unsigned b = 0; b < layer.output_bytes; ++b)
      printf(" %d", static_cast<const unsigned char*>(layer.output)[b]);
    printf("\n");
  }
  const char* const names[] = {)" + names +
                                          R"(};
  for (const char* name : names) printf("%s %u\n", name, net.layer(name));
  if (net.run_to(net.layer("no such layer")).output != nullptr) return 1;
  nnom::print_format<Graph>([](const char* text) { fputs(text, stderr); });
}
)");
  const std::string runtime = "-I" NNOM_SOURCE_DIR "/runtime";
  for (const auto& [source, standard] : {std::pair("main", "-std=c++11"), {"model", "-std=c++20"}})
    ASSERT_EQ(
        run_program({"g++", standard, "-Wall", "-Wextra", "-Wconversion", "-Werror", runtime,
                     "-I" + folder.path().string(), "-c", folder.file(source + std::string(".cpp")),
                     "-o", folder.file(source + std::string(".o"))})
            .output,
        "");
  ASSERT_EQ(
      run_program({"g++", folder.file("main.o"), folder.file("model.o"), "-o", folder.file("run")})
          .output,
      "");
  const Said said = run_program({"sh", "-c", "./run 2>formats"}, folder.path().string());
  EXPECT_TRUE(said.success);
  EXPECT_EQ(said.output, expected);
  const auto bytes = read_file(folder.file("formats"));
  const std::string text(as_text(bytes));
  for (const auto* list : {&graph.inputs, &graph.outputs})
    for (const int t : *list) {
      const Tensor& tensor = graph.tensors[static_cast<size_t>(t)];
      std::string shape;
      for (int i = 0; i < tensor.shape.rank; ++i)
        shape += fmt::format("{}{}", i ? " x " : "", tensor.shape[i]);
      EXPECT_NE(text.find("  " + shape + "  "), std::string::npos) << text;
      EXPECT_NE(text.find("  " + tensor.name.substr(0, 31)), std::string::npos) << text;
    }
}

}  // namespace
}  // namespace nnomc
