// What the TFLite importer makes of whole files: messages for what it can't read, and damage.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "compiler/compile.hpp"
#include "compiler/error.hpp"
#include "compiler/import/tflite.hpp"
#include "compiler/io/array.hpp"
#include "compiler/io/file.hpp"
#include "compiler/passes/passes.hpp"

namespace nnomc {
namespace {

using testing::HasSubstr;

const std::string kSeeds = NNOM_SOURCE_DIR "/fuzz/corpus/tflite/";

std::vector<std::byte> fixture(const std::string& name) {
  const auto at = name.find('/');
  return read_array(NNOM_SOURCE_DIR "/tests/fixtures/tflite/" + name.substr(0, at) +
                    ".npz:" + name.substr(at + 1) + "/model")
      .bytes;
}

std::string message_of(std::vector<std::byte> bytes) {
  try {
    import_tflite("m.tflite", std::move(bytes));
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(TfliteImport, SaysWhatIsNotAModel) {
  EXPECT_THAT(message_of({}), HasSubstr("m.tflite: not a TensorFlow Lite model"));
  EXPECT_THAT(message_of(std::vector<std::byte>(1000, std::byte{7})),
              HasSubstr("not a TensorFlow"));
}

TEST(TfliteImport, RefusesGraphsWithoutInputs) {
  for (const char* name : {"found_variables_alone.tflite", "found_constant_inputs.tflite"})
    EXPECT_EQ(message_of(read_file(kSeeds + name)),
              "m.tflite: its graph has no inputs: there is nothing to run");
}

TEST(TfliteImport, NamesAllOperatorsThatAreMissing) {
  const std::string message = message_of(fixture("L2_NORMALIZATION/plain"));
  EXPECT_THAT(
      message,
      HasSubstr("m.tflite: operators that are not supported: L2_NORMALIZATION (once, which"));
}

TEST(TfliteImport, KeepsTheScalesOfTheFile) {
  const Graph graph = import_tflite("m.tflite", fixture("ADD/act_none"));
  EXPECT_TRUE(graph.quantised());
  for (const Tensor& t : graph.tensors) EXPECT_TRUE(t.quantisation.has_value()) << t.name;
}

/// Each file cut short, and with bytes changed: a graph or an Error, nothing else.
TEST(TfliteImport, SurvivesDamage) {
  std::mt19937 random(1);
  size_t graphs = 0, errors = 0;
  const auto attempt = [&](std::vector<std::byte> bytes) {
    try {
      Graph graph = import_tflite("m.tflite", std::move(bytes));
      optimise(graph);
      ++graphs;
    } catch (const Error&) {
      ++errors;
    }
  };
  for (const auto& entry : std::filesystem::directory_iterator(kSeeds)) {
    const std::vector<std::byte> file = read_file(entry.path().string());
    for (int i = 0; i < 20; ++i) {
      auto cut = file;
      cut.resize(random() % file.size());
      attempt(std::move(cut));
      auto changed = file;
      for (unsigned k = random() % 4 + 1; k > 0; --k)
        changed[random() % file.size()] = static_cast<std::byte>(random());
      attempt(std::move(changed));
    }
  }
  EXPECT_GT(graphs, 100u);
  EXPECT_GT(errors, 100u);
}

}  // namespace
}  // namespace nnomc
