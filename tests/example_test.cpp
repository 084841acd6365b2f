// The example's application, built for two kinds of core, run, and its answers checked against what
// the host computes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <sstream>

#include "compiler/compile.hpp"
#include "compiler/data/labels.hpp"
#include "compiler/data/samples.hpp"
#include "compiler/emit/testset.hpp"
#include "compiler/firmware/firmware.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/firmware/process.hpp"
#include "compiler/io/array.hpp"
#include "compiler/io/file.hpp"
#include "compiler/measure/measure.hpp"
#include "compiler/metrics.hpp"
#include "compiler/simulate/simulate.hpp"
#include "examples/fashion_mnist/images.hpp"

namespace nnomc {
namespace {

const std::string kExample = NNOM_SOURCE_DIR "/examples/fashion_mnist/";
constexpr const char* kClasses[] = {
    "T-shirt or top", "trousers", "pullover", "dress", "coat",
    "sandal",         "shirt",    "trainer",  "bag",   "ankle boot"};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

Program converted(const std::string& target) {
  const Graph graph = load_model(kExample + "model.keras");
  CompileOptions options;
  options.target = target;
  return compile(graph, Samples(graph, {kExample + "calibration.npy"}, {1.0 / 255, 0}), options);
}

std::vector<float> real_pixels(const Picture& picture) {
  std::vector<float> values;
  for (const uint8_t pixel : picture.pixels) values.push_back(static_cast<float>(pixel) / 255.0f);
  return values;
}

/// The line that main.cpp prints for a picture, from a run on the host.
std::string expected_line(const Program& program, const Picture& picture) {
  const std::vector<float> scores = run_once(program, {real_pixels(picture)})[0];
  std::vector<size_t> order(scores.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  std::string line = fmt::format("{}: ", kClasses[picture.label]);
  for (size_t i = 0; i < 3; ++i)
    line += fmt::format("{}{} {} %", i ? ", " : "", kClasses[order[i]],
                        std::floor(scores[order[i]] * 100.0f + 0.5f));
  return line;
}

class Example : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (find_program("arm-none-eabi-g++").empty() || find_program("qemu-system-arm").empty())
      GTEST_SKIP() << "needs arm-none-eabi-g++ and qemu-system-arm";
  }

  std::string build(const Program& program, const std::string& application = "main.cpp") const {
    EmitOptions emitting;
    emitting.name = "fashion_mnist";
    emitting.file = "fashion_mnist.hpp";
    const Generated text = emit(program, emitting);
    write_file(folder_.file("fashion_mnist.hpp"), text.header);
    write_file(folder_.file("fashion_mnist.cpp"), text.source);
    return build_firmware({.core = GetParam(),
                           .sources = {kExample + application, folder_.file("fashion_mnist.cpp")},
                           .include_dirs = {folder_.path().string(), kExample},
                           .directory = folder_.file("build"),
                           .defines = {}});
  }

  TempDir folder_;
};

TEST_P(Example, NamesTheClothing) {
  const Program program = converted(GetParam());
  const nnomc::Run run =
      run_firmware(build(program), GetParam(), {.timeout = std::chrono::seconds(120)});
  ASSERT_EQ(run.exit_code, 0) << run.output;
  const std::vector<std::string> lines = lines_of(run.output);
  constexpr size_t kPictureCount = std::size(kPictures);
  const size_t layers =
      static_cast<size_t>(std::count_if(program.graph.nodes.begin(), program.graph.nodes.end(),
                                        [](const Node& node) { return !info(node.op).alias; }));
  constexpr size_t kFormats = 4;  // and a line between
  ASSERT_EQ(lines.size(), kFormats + kPictureCount + 2 + 1 + layers + 1 + 2) << run.output;
  EXPECT_TRUE(lines[1].starts_with("input   0  28 x 28 x 1         int8   ")) << run.output;
  EXPECT_TRUE(lines[2].starts_with("output  0  10                  int8   0.00390625   -128  "))
      << run.output;
  for (size_t i = 0; i < kPictureCount; ++i)
    EXPECT_EQ(lines[kFormats + i], expected_line(program, kPictures[i]));
  EXPECT_EQ(lines[kFormats + kPictureCount], "3 of 4 right, 4 among the best three");
  const size_t table = kFormats + kPictureCount + 3;
  for (size_t i = 0; i < layers; ++i)
    EXPECT_TRUE(lines[table + i].starts_with(
        program.graph.nodes[i].name))  // none of this model's is only another name for memory
        << run.output;
  EXPECT_TRUE(lines[table + layers].starts_with("total")) << run.output;
  EXPECT_TRUE(lines[table + layers].ends_with("100.00 %")) << run.output;
  EXPECT_EQ(lines[table + layers + 1],
            fmt::format("arena  {:10} B of RAM", program.plan.arena_bytes));
  EXPECT_EQ(lines[table + layers + 2],
            fmt::format("weights{:10} B of flash", program.weights_bytes()));
}

/// evaluate.cpp prints what `nnom evaluate` counts on the same images.
TEST_P(Example, EvaluatesATestSetFromFlash) {
  const Program program = converted(GetParam());
  Samples samples(program.graph, {kExample + "test_images.npy"}, {1.0 / 255, 0});
  std::vector<uint32_t> labels = read_classes(kExample + "test_labels.npy", 10, samples.count());
  samples.limit(120);
  labels.resize(120);
  const Inputs inputs = inputs_of(program, samples);
  write_file(folder_.file("test_images.hpp"),
             testset_header(testset_bytes(program, inputs, labels, 10), "test_images", "images"));
  const Measured host = run_on_host(program, inputs, "");
  const Classification want = classify(output_values(program, host, 0), labels, 10, 3);
  const nnomc::Run run = run_firmware(build(program, "evaluate.cpp"), GetParam(),
                                      {.timeout = std::chrono::seconds(300)});
  ASSERT_EQ(run.exit_code, 0) << run.output;
  const std::vector<std::string> lines = lines_of(run.output);
  ASSERT_EQ(lines.size(), 4 + 3 + 2 + 10 + 1u) << run.output;
  EXPECT_EQ(lines[0], "samples        120");
  for (size_t i = 1; i < 4; ++i)  // time, average, speed
    EXPECT_TRUE(lines[i].find_first_of("123456789") != std::string::npos) << lines[i];
  for (size_t k = 1; k <= 3; ++k)
    EXPECT_EQ(lines[3 + k], fmt::format("top-{}  {:11.2f} %   {} of 120", k,
                                        want.top(k) * 100 / 120.0, want.top(k)));
  for (size_t label = 0; label < 10; ++label) {
    std::string row = fmt::format("{:9}", label);
    for (size_t c = 0; c < 10; ++c)
      row += want.confusion(label, c) ? fmt::format("{:5}", want.confusion(label, c)) : "    .";
    row += fmt::format("{:9.2f} %",
                       want.confusion(label, label) * 100.0 / std::max(1u, want.actual(label)));
    EXPECT_EQ(lines[9 + label], row);
  }
}

TEST_P(Example, AllocatesNothing) {
  const Program program = converted(GetParam());
  const std::string elf = build(program);
  EXPECT_LE(elf_sizes(elf).data + elf_sizes(elf).bss,
            static_cast<uint64_t>(program.plan.arena_bytes) + 1500);
  const std::string nm = find_program("arm-none-eabi-nm");
  if (nm.empty()) GTEST_SKIP() << "needs arm-none-eabi-nm";
  const Outcome symbols = run_command({.arguments = {nm, elf}});
  bool has_main = false;
  for (const std::string& line : lines_of(symbols.output)) {
    const std::string name = line.substr(line.rfind(' ') + 1);
    has_main |= name == "main";
    for (const char* allocator : {"malloc", "_malloc_r", "calloc", "realloc", "free", "_sbrk"})
      EXPECT_NE(name, allocator);
    EXPECT_FALSE(name.starts_with("_Znw") || name.starts_with("_Zna")) << name;  // operator new
  }
  EXPECT_TRUE(has_main) << symbols.output;
}

INSTANTIATE_TEST_SUITE_P(Cores, Example, testing::Values("cortex-m0", "cortex-m4"),
                         [](const auto& core) {
                           std::string name = core.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

/// images.hpp holds what images.py takes from the test images.
TEST(ExampleImages, AreTestImages) {
  const Array images = read_array(kExample + "test_images.npy");
  const Array labels = read_array(kExample + "test_labels.npy");
  size_t i = 0;
  for (const size_t index : {0, 4, 6, 40}) {
    const Picture& picture = kPictures[i++];
    EXPECT_EQ(picture.label, labels.at(static_cast<int64_t>(index)));
    EXPECT_EQ(std::memcmp(picture.pixels, images.bytes.data() + index * 784, 784), 0);
  }
  EXPECT_EQ(i, std::size(kPictures));
}

}  // namespace
}  // namespace nnomc
