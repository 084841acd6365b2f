// Every operator of TensorFlow Lite on models of one operator each, against the bytes that its own
// interpreters gave (fixtures/tflite/make_fixtures.py). The outcome is the table in docs/tflite.md;
// NNOM_UPDATE_DOCUMENTS=1 writes it anew.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "compiler/compile.hpp"
#include "compiler/error.hpp"
#include "compiler/import/tflite.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/tflite_fixture.hpp"

namespace nnomc {
namespace {

namespace fs = std::filesystem;

const fs::path kFixtures = NNOM_SOURCE_DIR "/tests/fixtures/tflite";
const fs::path kDocument = NNOM_SOURCE_DIR "/docs/tflite.md";

struct Count {
  int cases = 0, exact = 0, unsupported = 0;
  std::vector<std::string> wrong;
};

bool is_float(const Array& a) { return a.dtype == DType::f32; }
/// Real numbers, or places: no scale says what they mean.
bool is_real(const Array& a) {
  return is_float(a) || a.dtype == DType::i32 || a.dtype == DType::i64;
}
/// uint8 is int8 moved by 128.
int moved(const Array& a) { return a.dtype == DType::u8 ? 128 : 0; }

/// One sample of an input, as the program stores it.
void fill(const Program& program, int tensor, const Array& samples, int64_t sample,
          std::span<unsigned char> to) {
  const auto size = static_cast<int64_t>(program.graph.shape(tensor).size());
  if (is_float(samples)) {
    std::vector<float> values(static_cast<size_t>(size));
    samples.read(sample * size, values);
    return store(program, tensor, values, to);
  }
  if (!program.numbers.quantised) throw Error("integers for an input of real numbers");
  const size_t element = to.size() / static_cast<size_t>(size);
  for (int64_t i = 0; i < size; ++i) {
    const auto stored = static_cast<int16_t>(samples.at(sample * size + i) - moved(samples));
    std::memcpy(to.data() + static_cast<size_t>(i) * element, &stored, element);
  }
}

/// How many values of one sample's output differ.
int differences(const Program& program, int tensor, std::span<const unsigned char> bytes,
                const Array& want, int64_t sample) {
  const auto size = static_cast<int64_t>(program.graph.shape(tensor).size());
  const std::vector<float> reals = load(program, tensor, bytes);
  int count = 0;
  for (int64_t i = 0; i < size; ++i) {
    const double expected = want.at(sample * size + i);
    const auto real = static_cast<double>(reals[static_cast<size_t>(i)]);
    if (is_real(want) || !program.numbers.quantised) {
      const double limit = 1e-5 * std::max(1.0, std::abs(expected));
      count += !(std::abs(real - expected) <= limit) && !(std::isnan(real) && std::isnan(expected));
    } else {
      int16_t stored = static_cast<int8_t>(bytes[static_cast<size_t>(i)]);
      if (program.scales[static_cast<size_t>(tensor)].bits == 16)
        std::memcpy(&stored, bytes.data() + 2 * i, 2);
      count += stored + moved(want) != static_cast<int>(expected);
    }
  }
  return count;
}

/// Empty if every output of every sample is right; else what is wrong. Samples `follow` one
/// another, or each is the first.
std::string run_case(const Fixture& fixture, const std::string& name, Rounding rounding,
                     bool follow) {
  const Array model = fixture.read(name + "/model");
  Graph graph = import_tflite(name, model.bytes);
  optimise(graph);
  CompileOptions options;
  options.target = "host";
  options.rounding = rounding;
  const Program program = graph.quantised() ? compile(graph, {}, options) : lower_float(graph);
  const std::vector<Array> inputs = fixture.inputs(name);
  const std::vector<Array> outputs = fixture.outputs(name, rounding);
  for (const Array& a : outputs)
    if (!graph.quantised() && a.dtype != DType::b8 && !is_real(a))
      throw Error("integers for an output of real numbers");
  if (inputs.size() != graph.inputs.size() || outputs.size() != graph.outputs.size())
    return "another number of inputs or outputs";
  int wrong = 0, values = 0;
  Simulator simulator(program);
  for (int64_t s = 0; s < inputs.at(0).shape.at(0); ++s) {
    if (!follow) simulator.reset();
    for (size_t i = 0; i < inputs.size(); ++i)
      fill(program, graph.inputs[i], inputs[i], s, simulator.input_bytes(i));
    simulator.run();
    for (size_t i = 0; i < outputs.size(); ++i) {
      wrong += differences(program, graph.outputs[i], simulator.output_bytes(i), outputs[i], s);
      values += graph.shape(graph.outputs[i]).size();
    }
  }
  return wrong ? fmt::format("{} of {} values", wrong, values) : "";
}

Count count(const Fixture& fixture, Rounding rounding, bool follow) {
  Count c;
  for (const std::string& name : fixture.cases()) {
    if (fixture.outputs(name, rounding).empty()) continue;  // the interpreter refuses it
    ++c.cases;
    try {
      const std::string wrong = run_case(fixture, name, rounding, follow);
      c.exact += wrong.empty();
      if (!wrong.empty()) c.wrong.push_back(name + ": " + wrong);
    } catch (const Error& e) {
      ++c.unsupported;
      if (std::getenv("NNOM_SHOW_UNSUPPORTED")) fmt::print("{}\n", e.what());
    }
  }
  return c;
}

std::string cells(const Count& c) {
  return fmt::format("{} | {} | {}", c.cases, c.exact, c.unsupported);
}

/// The lines of the document between those that begin and end its table.
TEST(TfliteConformance, IsWhatTheDocumentSays) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(kFixtures))
    if (entry.path().extension() == ".npz") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  ASSERT_FALSE(files.empty());
  std::string table;
  Count all[2];
  for (const fs::path& file : files) {
    const Fixture fixture(file.string());
    const bool follow = file.stem() == "SVDF";
    const Count counts[] = {count(fixture, Rounding::single_rounding, follow),
                            count(fixture, Rounding::double_rounding, follow)};
    table +=
        fmt::format("| {} | {} | {} |\n", file.stem().string(), cells(counts[0]), cells(counts[1]));
    for (size_t d = 0; d < 2; ++d) {
      all[d].cases += counts[d].cases, all[d].exact += counts[d].exact;
      all[d].unsupported += counts[d].unsupported;
      for (const std::string& w : counts[d].wrong)
        fmt::print("{} {}: {}\n", file.stem().string(), d ? "double" : "single", w);
    }
  }
  table += fmt::format("| all | {} | {} |\n", cells(all[0]), cells(all[1]));

  std::ifstream in(kDocument);
  std::stringstream text;
  text << in.rdbuf();
  const std::string document = text.str(), mark = "|---|---|---|---|---|---|---|\n";
  const size_t begin = document.find(mark), end = document.find("\n\n", begin);
  ASSERT_NE(begin, std::string::npos);
  const std::string before = document.substr(0, begin + mark.size());
  const std::string after = end == std::string::npos ? "" : document.substr(end + 1);
  if (std::getenv("NNOM_UPDATE_DOCUMENTS"))
    std::ofstream(kDocument) << before << table << after;
  else
    EXPECT_EQ(before + table + after, document) << "docs/tflite.md: NNOM_UPDATE_DOCUMENTS=1 "
                                                   "writes the table anew";
}

}  // namespace
}  // namespace nnomc
