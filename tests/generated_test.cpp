// What `nnom convert` writes, in the hands of others: C++11 applications, what must not compile,
// and a bare project with another C library.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>

#include "compiler/emit/emit.hpp"
#include "compiler/firmware/firmware.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/io/file.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/compile.hpp"
#include "tests/random_layers.hpp"

namespace nnomc {
namespace {

const std::string kRuntime = "-I" NNOM_SOURCE_DIR "/runtime";

/// A small picture classifier: 7 x 6 x 3 to 5 scores.
Graph classifier() {
  Graph g;
  g.file = g.name = "classifier";
  Random r(5);
  int t = g.add_input("image", {3, {7, 6, 3}});
  for (const char* op : {"Conv2D", "MaxPool2D", "Activation", "Mean", "Softmax"})
    t = add_random(g, op, {t}, r);
  g.outputs = {t};
  return g;
}

Program program_of(const Graph& graph, Layout layout = Layout::plain) {
  return lower(graph, usual_scales(graph), {.numbers = {true, Rounding::single_rounding, layout}});
}

/// A folder with the files of a generated model, named model.hpp and model.cpp.
class Generation {
 public:
  explicit Generation(const Program& program) : files_(emit(program, EmitOptions())) {
    write("model.hpp", files_.header);
    write("model.cpp", files_.source);
  }
  void write(const std::string& name, const std::string& text) const {
    write_file(folder_.file(name), text);
  }
  std::string file(const std::string& name) const { return folder_.file(name); }
  std::string include() const { return "-I" + folder_.path().string(); }
  const Generated& text() const { return files_; }

 private:
  TempDir folder_;
  Generated files_;
};

/// The values as C++.
std::string list(const std::vector<float>& values) {
  std::string text;
  for (const float v : values) text += fmt::format("{:.9e}f, ", v);
  return text;
}

const std::string kStrict = "-Wall -Wextra -Wconversion -Wshadow -Wpedantic -Werror";

/// Builds main.cpp, which is C++11, with the model; its program must print `values`, a line each.
void expect_prints(const Generation& files, const std::vector<float>& values) {
  const auto compile = [&](const std::string& name, const std::string& standard) {
    return run_program(std::vector<std::string>{"g++", standard} + words(kStrict) +
                       std::vector<std::string>{"-c", files.file(name + ".cpp"), "-o",
                                                files.file(name + ".o"), kRuntime, files.include()})
        .output;
  };
  EXPECT_EQ(compile("main", "-std=c++11"), "");
  EXPECT_EQ(compile("model", "-std=c++20"), "");
  EXPECT_EQ(
      run_program({"g++", files.file("main.o"), files.file("model.o"), "-o", files.file("program")})
          .output,
      "");
  const Said said = run_program({files.file("program")});
  EXPECT_TRUE(said.success);
  std::string expected;
  for (const float v : values) expected += fmt::format("{:.9g}\n", v);
  EXPECT_EQ(said.output, expected);
}

TEST(Generated, ServesACpp11Application) {
  const Graph graph = classifier();
  const Program program = program_of(graph);
  const Generation files(program);
  const auto in = static_cast<size_t>(graph.shape(graph.inputs[0]).size());
  const auto out = static_cast<size_t>(graph.shape(graph.outputs[0]).size());
  Random r(9);
  std::vector<float> image;
  for (size_t i = 0; i < in; ++i) image.push_back(static_cast<float>(r.real(-3, 3)));
  files.write("main.cpp", fmt::format(R"(
#include <stdio.h>
#include <array>
#include "nnom/evaluate.hpp"
#include "model.hpp"

static model::Model net;
static uint32_t ticks() {{ return 0; }}
static nnom::LayerTimes<model::Graph::layer_count, ticks> times;
static nnom::Evaluation<{1}> evaluation;

int main() {{
  float image[{0}] = {{{2}}};
  float scores[{1}];
  net.run(image, scores);
  for (float s : scores) printf("%.9g\n", static_cast<double>(s));
  std::array<float, {0}> same;
  for (size_t i = 0; i < same.size(); ++i) same[i] = image[i];
  std::array<float, {1}> again;
  net.run(same, again);
  times.start();
  net.run(times.observer, &times);
  evaluation.add(net.output(), 0);
  for (size_t i = 0; i < again.size(); ++i)
    if (again[i] < scores[i] || again[i] > scores[i]) return 1;
  return evaluation.samples() == 1 && times.runs() == 1 ? 0 : 2;
}}
)",
                                      in, out, list(image)));
  expect_prints(files, run_once(program, {image})[0]);
}

/// A picture that a callback gives row by row; it has no place where all of it would fit.
TEST(Generated, TakesAnInputByRows) {
  const Graph graph = classifier();
  Program program = program_of(graph);
  program.plan = plan_within(program.graph, program.numbers, {.input_by_rows = true});
  const Generation files(program);
  const int rows = graph.shape(graph.inputs[0])[0], size = graph.shape(graph.inputs[0]).size();
  Random r(9);
  std::vector<float> image;
  for (int i = 0; i < size; ++i) image.push_back(static_cast<float>(r.real(-3, 3)));
  const std::string program_text = fmt::format(R"(
#include <stdio.h>
#include "model.hpp"

static model::Model net;
static const float image[{0}] = {{{2}}};
static int asked = 0;

static void read_row(void* context, int y, void* to) {{
  if (y != asked++ || context != &net) return;
  const nnom::Quantisation q = model::Graph::input(0).quantisation;
  for (int i = 0; i < {0} / {1}; ++i)
    static_cast<int8_t*>(to)[i] = q.stored<int8_t>(image[y * ({0} / {1}) + i]);
}}

int main() {{
  float scores[model::Graph::Output<0>::size];
  for (int runs = 0; runs < 2; ++runs) {{
    asked = 0;
    net.run({{read_row, &net}});
  }}
  net.read(scores);
  for (float s : scores) printf("%.9g\n", static_cast<double>(s));
  return asked == model::Graph::input_rows ? 0 : 1;
}}
)",
                                               size, rows, list(image));
  files.write("main.cpp", program_text);
  expect_prints(files, run_once(program_of(graph), {image})[0]);
  EXPECT_NE(complaint("#include \"model.hpp\"\nvoid f(model::Model& net) { net.run(); }\n",
                      {"-std=c++11", kRuntime, files.include()}),
            "");
}

/// Several files of one program may include it.
TEST(Generated, SingleHeaderIsThePair) {
  const Program program = program_of(all_ops_graph(2));
  const Generation files(program);
  files.write("model.hpp", emit_single_header(program, EmitOptions()));
  files.write("model.cpp", "#include \"model.hpp\"\nvoid run(model::Model& net) { net.run(); }\n");
  files.write("main.cpp",
              "#include \"model.hpp\"\nvoid run(model::Model&);\nstatic model::Model net;\n"
              "int main() { run(net); net.run(); }\n");
  EXPECT_EQ(
      run_program(words("g++ -std=c++20 -Wall -Wextra -Wconversion -Wshadow -Werror") +
                  std::vector<std::string>{kRuntime, files.file("main.cpp"),
                                           files.file("model.cpp"), "-o", files.file("program")})
          .output,
      "");
  EXPECT_TRUE(run_program({files.file("program")}).success);
}

struct Refused {
  const char* name;
  std::string body;     ///< of main, after the model's object `net`
  std::string message;  ///< a regular expression for what the compiler says
};

/// run() can't fail, as what doesn't fit does not compile.
TEST(Generated, WhatDoesNotFitDoesNotCompile) {
  const Generation files(program_of(classifier()));
  const std::vector<std::string> flags = {"-std=c++11", kRuntime, files.include()};
  const auto say = [&](const std::string& body, const std::string& before = "") {
    return complaint(before +
                         "#include \"model.hpp\"\n#include <array>\nstatic model::Model net;\n"
                         "int main() {\n" +
                         body + "\n}\n",
                     flags);
  };
  ASSERT_EQ(say("float in[model::Graph::Input<0>::size], out[model::Graph::Output<0>::size]; "
                "net.run(in, out); (void)out;"),
            "");
  const int outputs = program_of(classifier()).graph.shape(classifier().outputs[0]).size();
  const std::string o = std::to_string(outputs);
  const std::string no_function = "no matching function for call to .*run\\(";
  for (const Refused& c : std::vector<Refused>{
           {"input too long", "float in[127], out[" + o + "]; net.run(in, out);", no_function},
           {"input too short", "float in[125], out[" + o + "]; net.run(in, out);", no_function},
           {"output too long", "float in[126], out[" + o + "1]; net.run(in, out);", no_function},
           {"swapped", "float in[126], out[" + o + "]; net.run(out, in);", no_function},
           {"int8 of another size", "int8_t in[1], out[" + o + "]; net.run(in, out);", no_function},
           {"doubles", "double in[126], out[" + o + "]; net.run(in, out);", no_function},
           {"a constant output",
            "float in[126]; const float out[" + o + "] = {}; net.run(in, out);", no_function},
           {"std::array", "std::array<float, 5000> in, out; net.run(in, out);", no_function},
           {"a pointer", "float in[126]; float* p = in; net.run(p, p);", no_function},
           {"input there is not", "net.input<1>();", "incomplete type.*Input<1"},
           {"output there is not", "net.output<1>();", "incomplete type.*Output<1"},
           {"arena too small",
            "struct { alignas(16) unsigned char data[1]; } a; model::Runner runner(a);",
            "the arena is too small for the model"},
           {"arena not aligned",
            "struct { unsigned char data[100000]; } a; model::Runner runner(a);",
            "the arena must be aligned to 16 bytes"}}) {
    const std::string said = say(c.body);
    EXPECT_TRUE(std::regex_search(said, std::regex(c.message))) << c.name << ": " << said;
  }
}

TEST(Generated, TellsWhatDoesNotGoTogether) {
  const Generation dsp(program_of(classifier(), Layout::dsp));
  const std::vector<std::string> flags = {"-std=c++20", kRuntime, dsp.include()};
  if (has_compiler("arm-none-eabi-g++")) {
    const std::string said =
        complaint(dsp.text().source, words("-mthumb -mcpu=cortex-m0 -ffreestanding") + flags,
                  "arm-none-eabi-g++");
    EXPECT_NE(said.find("the weights are packed for another core: convert the model with --target"),
              std::string::npos)
        << said;
  }
  const std::string other = std::regex_replace(dsp.text().header, std::regex("api_version == \\d+"),
                                               "api_version == 999");
  EXPECT_NE(complaint(other, flags).find("convert the model again"), std::string::npos);
  EXPECT_NE(complaint(dsp.text().source, {"-std=c++17", kRuntime, dsp.include()})
                .find("NNoM's runtime needs C++20"),
            std::string::npos);
}

struct Bare {
  const char* core;
  std::vector<std::string> flags;
  Layout layout;
};

class BareProject : public testing::TestWithParam<const char*> {};

/// Links with no start files of the C library, no heap and no exceptions, and gives the right
/// bytes.
TEST_P(BareProject, BuildsWithoutHeapOrUnwinding) {
  if (!has_compiler("arm-none-eabi-g++")) GTEST_SKIP() << "needs arm-none-eabi-g++";
  const std::string specs = std::string("--specs=") + GetParam() + ".specs";
  if (!run_program({"arm-none-eabi-g++", specs, "-dumpversion"}).success)
    GTEST_SKIP() << "the cross compiler has no " << GetParam();
  for (const Bare& bare :
       {Bare{"cortex-m0", words("-mcpu=cortex-m0"), Layout::plain},
        Bare{"cortex-m4", words("-mcpu=cortex-m4 -mfloat-abi=hard -mfpu=fpv4-sp-d16"),
             Layout::dsp}}) {
    SCOPED_TRACE(bare.core);
    const Program program = program_of(all_ops_graph(1), bare.layout);
    const Generation files(program);
    Simulator simulator(program);
    Random r(3);
    std::string sample = "#include <stdint.h>\nconst int8_t sample_input[] = {";
    for (size_t i = 0; i < program.graph.inputs.size(); ++i) {
      for (unsigned char& b : simulator.input_bytes(i)) {
        b = static_cast<unsigned char>(r.whole(0, 255));
        sample += fmt::format("{},", static_cast<int8_t>(b));
      }
    }
    simulator.run();
    sample += "};\nconst int8_t sample_output[] = {";
    for (size_t i = 0; i < program.graph.outputs.size(); ++i) {
      for (const unsigned char b : simulator.output_bytes(i))
        sample += fmt::format("{},", static_cast<int8_t>(b));
    }
    files.write("sample.hpp", sample + "};\n");
    const std::string elf = files.file("firmware.elf");
    const Said built = run_program(
        words("arm-none-eabi-g++ -std=c++20 -O2 -mthumb -fno-exceptions -fno-rtti "
              "-ffunction-sections -fdata-sections -nostartfiles -Wl,--gc-sections -Wall -Wextra") +
        bare.flags +
        std::vector<std::string>{kRuntime, files.include(), specs,
                                 NNOM_SOURCE_DIR "/tests/firmware/bare/main.cpp",
                                 files.file("model.cpp"), "-T",
                                 NNOM_SOURCE_DIR "/tests/firmware/bare/board.ld", "-o", elf});
    ASSERT_TRUE(built.success) << built.output;
    EXPECT_EQ(built.output, "");
    const std::string symbols = run_program({"arm-none-eabi-nm", "-C", elf}).output;
    EXPECT_NE(symbols.find("model::Graph::run"), std::string::npos);
    static const std::regex unwanted(
        " (\\S*(malloc|calloc|realloc|sbrk|_cxa_|[Uu]nwind|gxx_personality|printf|atexit|"
        "pure_virtual|errno|impure)\\S*|operator (new|delete).*|free|abort)\n");
    std::smatch found;
    EXPECT_FALSE(std::regex_search(symbols, found, unwanted)) << found.str();
    if (has_compiler("qemu-system-arm")) {
      EXPECT_EQ(run_firmware(elf, bare.core, {.timeout = std::chrono::seconds(60)}).exit_code, 0);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, BareProject, testing::Values("nano", "picolibc"),
                         [](const auto& library) { return library.param; });

}  // namespace
}  // namespace nnomc
