// Test sets for boards: what `nnom testset` writes, and how runtime/nnom/testset.hpp reads it.
#include "nnom/testset.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "compiler/emit/testset.hpp"
#include "compiler/firmware/process.hpp"
#include "compiler/io/array.hpp"
#include "compiler/io/file.hpp"
#include "nnom/test_run.hpp"
#include "tests/compile.hpp"
#include "tests/random_layers.hpp"
#include "tests/temp_folder.hpp"

namespace nnomc {
namespace {

using Error = nnom::TestSet::Error;

const std::string kExample = NNOM_SOURCE_DIR "/examples/fashion_mnist/";

/// Inputs of 3 int8 and of 2 int16; the output is the first input. Sample bytes: 7.
struct Mixed {
  enum : unsigned { arena_bytes = 32, input_count = 2, output_count = 1, layer_count = 1 };
  static nnom::Slot input(unsigned i) {
    return i == 0 ? nnom::Slot{0, 3, {0.5f, 10}} : nnom::Slot{16, 4, {2.0f, 0}};
  }
  static nnom::Slot output(unsigned) { return {0, 3, {0.5f, 10}}; }
  template <size_t I>
  struct Input {
    enum : unsigned { size = 3 - I };
    typedef std::conditional_t<I == 0, std::int8_t, std::int16_t> Stored;
  };
  template <size_t I>
  struct Output {
    enum : unsigned { size = 3 };
  };
  static void run(unsigned char*) {}
};

std::uint32_t no_clock() { return 0; }
using Test = nnom::TestRun<3, no_clock>;

/// A set of two samples for Mixed, written by hand from the description of the format.
std::string two_samples() {
  const unsigned char bytes[] = {
      'N', 'N', 'T', 'S', 1, 0, 2, 0,                  // magic, version, inputs
      2,   0,   0,   0,   1, 0, 0, 0,                  // samples, bytes of a label
      3,   0,   0,   0,   0, 0, 0, 0x3f, 10, 0, 0, 0,  // 0.5f is 0x3f000000
      4,   0,   0,   0,   0, 0, 0, 0x40, 0,  0, 0, 0,  // 2.0f is 0x40000000
      1,   9,   2,   1,   2, 3, 4, 1,                  // the best is class 1: right
      7,   255, 5,   5,   6, 7, 8, 2,                  // the best is class 0: wrong
  };
  return {reinterpret_cast<const char*>(bytes), sizeof bytes};
}

struct Ran {
  Error error;
  Test test;
  nnom::Model<Mixed> model;
};

/// Runs a set that lies in memory of exactly its size, so that a sanitizer sees reads behind it.
void run(const std::string& bytes, Ran& out) {
  const std::vector<unsigned char> exact(bytes.begin(), bytes.end());
  nnom::MemoryReader memory = {exact.data(), exact.size()};
  nnom::TestSet set(nnom::MemoryReader::read, &memory);
  std::memset(static_cast<void*>(&out.model), 0x55, sizeof out.model);
  out.test.clear();
  out.error = set.run(out.model, out.test);
}

TEST(TestSet, FeedsAModel) {
  Ran out;
  run(two_samples(), out);
  EXPECT_EQ(out.error, Error::none);
  EXPECT_EQ(out.test.samples(), 2u);
  EXPECT_EQ(out.test.confusion(1, 1), 1u);
  EXPECT_EQ(out.test.confusion(2, 0), 1u);
  EXPECT_EQ(out.model.input<1>()[0], 0x0605);
  EXPECT_EQ(out.model.input<1>()[1], 0x0807);
}

TEST(TestSet, IsReadSampleBySampleFromAStream) {
  struct Stream {
    std::string bytes = two_samples();
    std::size_t at = 0, calls = 0;
  } stream;
  nnom::TestSet set(
      [](void* context, void* to, std::size_t bytes) {
        auto& s = *static_cast<Stream*>(context);
        const std::size_t n = std::min(bytes, s.bytes.size() - s.at);
        std::memcpy(to, s.bytes.data() + s.at, n);
        s.at += n, ++s.calls;
        return n;
      },
      &stream);
  nnom::Model<Mixed> model;
  std::uint32_t label = 9;
  EXPECT_EQ(set.next(model, label), Error::ends_early);  // not opened
  ASSERT_EQ(set.open(model), Error::none);
  EXPECT_EQ(set.samples(), 2u);
  ASSERT_EQ(set.next(model, label), Error::none);
  EXPECT_EQ(label, 1u);
  EXPECT_EQ(model.input()[1], 9);
  EXPECT_EQ(set.left(), 1u);
  ASSERT_EQ(set.next(model, label), Error::none);
  EXPECT_EQ(label, 2u);
  EXPECT_EQ(model.input()[1], -1);
  EXPECT_EQ(set.next(model, label), Error::ends_early);
}

/// Every way of being damaged is an error, nothing is written beside the inputs, and the samples
/// before the damage count.
TEST(TestSet, DamageIsAnErrorAndTouchesNothingElse) {
  struct Damage {
    std::size_t at;
    unsigned char byte;
    Error error;
    std::uint32_t samples;
  };
  std::vector<Damage> cases = {
      {4, 2, Error::other_version, 0},
      {5, 1, Error::other_version, 0},
      {6, 1, Error::other_model, 0},
      {7, 1, Error::other_model, 0},
      {8, 3, Error::ends_early, 2},
      {11, 255, Error::ends_early, 2},
      {8, 0, Error::none, 0},
      {12, 0, Error::not_a_test_set, 0},
      {12, 3, Error::not_a_test_set, 0},
      {15, 9, Error::not_a_test_set, 0},
      {12, 4, Error::unknown_class, 0},  // labels are then made of what follows
      {16, 4, Error::other_model, 0},
      {19, 255, Error::other_model, 0},
      {20, 1, Error::other_model, 0},
      {23, 0xbf, Error::other_model, 0},
      {24, 11, Error::other_model, 0},
      {27, 255, Error::other_model, 0},
      {32, 1, Error::other_model, 0},
      {47, 3, Error::unknown_class, 0},
      {55, 3, Error::unknown_class, 1}};
  for (std::size_t i = 0; i < 4; ++i) cases.push_back({i, 'X', Error::not_a_test_set, 0});
  for (const Damage& c : cases) {
    SCOPED_TRACE(c.at);
    std::string bytes = two_samples();
    bytes[c.at] = static_cast<char>(c.byte);
    Ran out;
    run(bytes, out);
    EXPECT_EQ(out.error, c.error) << nnom::TestSet::text(out.error);
    EXPECT_EQ(out.test.samples(), c.samples);
  }
  const std::string whole = two_samples();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    SCOPED_TRACE(length);
    Ran out;
    run(whole.substr(0, length), out);
    EXPECT_EQ(out.error, length < 16 ? Error::not_a_test_set : Error::ends_early);
    EXPECT_EQ(out.test.samples(), length < 48 ? 0u : 1u);
    const auto* arena = static_cast<const unsigned char*>(out.model.input_data(0));
    for (const int i : {3, 15, 20, 31}) EXPECT_EQ(arena[i], 0x55) << i;
  }
}

TEST(TestSet, IsWrittenAsDescribed) {
  Graph g;
  g.file = g.name = "two";
  Random r(1);
  const int a = g.add_input("a", {1, {3}}), b = g.add_input("b", {1, {3}});
  g.outputs = {add_random(g, "Add", {a, b}, r)};
  std::vector<Quantisation> scales = {{0.5, 10}, {2, -3}, {1, 0}};
  const Program program =
      lower(g, scales, {.numbers = {true, Rounding::single_rounding, Layout::plain}});
  const Inputs inputs = {2, [](std::size_t sample, std::size_t input, std::span<unsigned char> to) {
                           for (std::size_t i = 0; i < to.size(); ++i)
                             to[i] = static_cast<unsigned char>(100 * sample + 10 * input + i);
                         }};
  struct Case {
    std::size_t classes;
    std::vector<unsigned char> labels;  // of both samples, as bytes
  };
  const std::uint32_t labels[] = {1, 2};
  for (const Case& c : {Case{256, {1, 2}}, Case{257, {1, 0, 2, 0}}, Case{65536, {1, 0, 2, 0}},
                        Case{65537, {1, 0, 0, 0, 2, 0, 0, 0}}}) {
    const auto n = static_cast<unsigned char>(c.labels.size() / 2);
    std::vector<unsigned char> want = {'N', 'N', 'T', 'S', 1, 0, 2, 0,    2,   0,    0,   0,  n, 0,
                                       0,   0,   3,   0,   0, 0, 0, 0,    0,   0x3f, 10,  0,  0, 0,
                                       3,   0,   0,   0,   0, 0, 0, 0x40, 253, 255,  255, 255};
    for (int sample = 0; sample < 2; ++sample) {
      for (const int first : {100 * sample, 100 * sample + 10})
        for (int i = 0; i < 3; ++i) want.push_back(static_cast<unsigned char>(first + i));
      want.insert(want.end(), c.labels.begin() + sample * n, c.labels.begin() + (sample + 1) * n);
    }
    const std::string bytes = testset_bytes(program, inputs, labels, c.classes);
    EXPECT_EQ(std::vector<unsigned char>(bytes.begin(), bytes.end()), want) << c.classes;
  }
}

Outcome nnom(std::vector<std::string> arguments, const std::string& folder) {
  arguments.insert(arguments.begin(), {NNOM_BINARY, "testset", kExample + "model.keras"});
  return run_command(
      {.arguments = arguments, .directory = folder, .timeout = std::chrono::seconds(200)});
}

/// The model's input is in steps of 1 / 255 from -128 on, so a stored pixel is the pixel less 128.
TEST(TestSet, HoldsSamplesAsTheModelStoresThem) {
  const TempFolder folder;
  const std::vector<std::string> options = {"--calibrate",
                                            kExample + "calibration.npy",
                                            "--scale",
                                            "1/255",
                                            "--calibration",
                                            "min-max",
                                            "--data",
                                            kExample + "test_images.npy",
                                            "--labels",
                                            kExample + "test_labels.npy",
                                            "--limit",
                                            "7",
                                            "-o"};
  for (const char* file : {"test.bin", "images.hpp", "images.h"}) {
    std::vector<std::string> arguments = options;
    arguments.push_back(file);
    const Outcome outcome = nnom(arguments, folder / ".");
    ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
    EXPECT_EQ(outcome.output.find(std::string(file) + ": 7 samples and their classes, 5,523 B"), 0u)
        << outcome.output;
  }
  const auto bytes = read_file(folder / "test.bin");
  const Array images = read_array(kExample + "test_images.npy");
  const Array labels = read_array(kExample + "test_labels.npy");
  ASSERT_EQ(bytes.size(), 28 + 7 * 785u);
  for (std::size_t i = 0; i < 7; ++i) {
    for (std::size_t p = 0; p < 784; ++p)
      ASSERT_EQ(static_cast<int>(static_cast<std::int8_t>(bytes[28 + i * 785 + p])),
                static_cast<int>(images.bytes[i * 784 + p]) - 128)
          << i << " " << p;
    EXPECT_EQ(static_cast<double>(bytes[28 + i * 785 + 784]),
              labels.at(static_cast<std::int64_t>(i)));
  }
  // As C and as C++, the same bytes.
  for (const auto& [compiler, file, include] :
       {std::tuple("gcc", "main.c", "images.h"), {"g++", "main.cpp", "images.hpp"}}) {
    write_file(folder / file,
               std::string("#include \"") + include +
                   "\"\n#include <stdio.h>\nint main(void) {\n  return "
                   "fwrite(images, 1, sizeof images, stdout) != sizeof images;\n}\n");
    ASSERT_EQ(run_program({compiler, "-Wall", "-Wextra", "-Werror", "-pedantic", folder / file,
                           "-o", folder / "program"})
                  .output,
              "");
    const Said said = run_program({"sh", "-c", "./program | cmp - test.bin"}, folder / ".");
    EXPECT_TRUE(said.success) << said.output;
  }
}

TEST(TestSet, SaysWhatIsMissing) {
  const TempFolder folder;
  write_npy(folder / "labels.npy", {DType::u8, {3}, std::vector<std::byte>(3)});
  struct Case {
    std::vector<std::string> arguments;
    int exit_code;
    const char* message;
  };
  const std::string data = kExample + "test_images.npy", labels = kExample + "test_labels.npy",
                    calibration = kExample + "calibration.npy";
  for (const Case& c :
       {Case{{"--data", data, "--labels", labels, "-o", "t.bin"}, 1, "--calibrate X, some 100"},
        Case{{"--data", data, "--labels", "labels.npy", "--calibrate", calibration, "-o", "t.bin"},
             1,
             "labels.npy: holds labels for 3 samples, but the data holds 500"},
        Case{{"--data", data, "-o", "t.bin"}, 2, "--labels is required"},
        Case{{"--data", data, "--labels", labels}, 2, "--output is required"},
        Case{{"--labels", labels, "-o", "t.bin"}, 2, "--data is required"}}) {
    const Outcome outcome = nnom(c.arguments, folder / ".");
    EXPECT_EQ(outcome.exit_code, c.exit_code);
    EXPECT_NE(outcome.errors.find(c.message), std::string::npos) << outcome.errors;
    EXPECT_EQ(folder.count(), 1);
  }
}

}  // namespace
}  // namespace nnomc
