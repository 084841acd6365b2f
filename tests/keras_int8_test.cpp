/// \file
/// What int8 programs of Keras models give, against the fake-quantised graph with the same scales:
/// Keras's own layers on inputs, weights and activations that are rounded to what int8 can hold
/// (fixtures/keras_int8/fake_quant.py). Every output of every model there.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "compiler/compile.hpp"
#include "compiler/error.hpp"
#include "compiler/io/file.hpp"
#include "compiler/report/scales.hpp"
#include "compiler/simulate/simulate.hpp"

namespace nnomc {
namespace {

const std::string kFolder = NNOM_SOURCE_DIR "/tests/fixtures/keras_int8/";

/// A model, and what its inputs' integers are multiplied by.
struct Case {
  std::string name;
  double scale;

  std::string model() const {
    const std::string own = kFolder + name + ".keras";
    return std::filesystem::exists(own)
               ? own
               : NNOM_SOURCE_DIR "/tests/fixtures/keras/" + name + ".keras";
  }
  std::string array(const char* kind, size_t i) const {
    return fmt::format("{}{}.npz:{}_{}", kFolder, name, kind, i);
  }
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

std::vector<Case> cases() {
  std::vector<Case> all;
  std::ifstream list(kFolder + "cases.txt");
  for (Case c; list >> c.name >> c.scale;) all.push_back(c);
  return all;
}

/// How far integers of one output are from what was expected.
class Steps {
 public:
  void add(int ours, int expected) {
    const int steps = std::abs(ours - expected);
    ++count_, near_ += steps <= 1, equal_ += steps == 0;
    worst_ = std::max(worst_, steps);
  }
  double share(size_t n) const { return static_cast<double>(n) / static_cast<double>(count_); }
  void check(const std::string& what) const {
    fmt::print("{:48} {:7} values  equal {:6.2f} %  within 1 {:7.3f} %  worst {}\n", what, count_,
               100 * share(equal_), 100 * share(near_), worst_);
    EXPECT_GE(share(near_), 0.999) << what;
    EXPECT_LE(worst_, 2) << what;
  }

 private:
  size_t count_ = 0, equal_ = 0, near_ = 0;
  int worst_ = 0;
};

class KerasInt8 : public testing::TestWithParam<Case> {};

TEST_P(KerasInt8, IsWithinAStepOfTheFakeQuantisedGraph) {
  const Case& c = GetParam();
  const Graph graph = load_model(c.model());
  std::vector<std::string> inputs;
  for (size_t i = 0; i < graph.inputs.size(); ++i) inputs.push_back(c.array("input", i));
  const Samples all(graph, inputs, {c.scale, 0});
  Samples some = all;
  some.limit(all.count() / 4);
  CompileOptions options;
  options.target = "host", options.calibration = Calibration::min_max;
  const Program program = compile(graph, some, options);
  ASSERT_EQ(scales_text(program), as_text(read_file(kFolder + c.name + ".json")))
      << "the scales have changed: run make_int8.py again";

  std::map<size_t, Array> expected;
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    try {
      expected.emplace(i, read_array(c.array("output", i)));
    } catch (const Error&) {  // of a layer that fake_quant.py doesn't know
    }
  }
  ASSERT_FALSE(expected.empty());
  std::map<size_t, Steps> steps;
  Simulator simulator(program);
  for (size_t s = 0; s < all.count(); ++s) {
    for (size_t i = 0; i < inputs.size(); ++i) simulator.set_input(i, all.read(s, i));
    simulator.reset();
    simulator.run();
    for (const auto& [i, array] : expected) {
      const auto bytes = simulator.output_bytes(i);
      ASSERT_EQ(static_cast<size_t>(array.size()), bytes.size() * all.count());
      for (size_t k = 0; k < bytes.size(); ++k)
        steps[i].add(static_cast<int8_t>(bytes[k]),
                     static_cast<int>(array.at(static_cast<int64_t>(s * bytes.size() + k))));
    }
  }
  for (const auto& [i, of_output] : steps) {
    const int node = program.graph.producer(program.graph.outputs[i]);
    const std::string layer = node < 0 ? "" : program.graph.nodes[static_cast<size_t>(node)].name;
    of_output.check(fmt::format("{}: {}", c.name, layer));
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, KerasInt8, testing::ValuesIn(cases()),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace nnomc
