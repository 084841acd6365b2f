/// \file
/// What int8 programs of Keras models give, against the fake-quantised graph with the same scales:
/// Keras's own layers on inputs, weights and activations that are rounded to what int8 can hold
/// (fixtures/keras_int8/fake_quant.py). Every output of every model there.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>

#include "compiler/compile.hpp"
#include "compiler/error.hpp"
#include "compiler/io/file.hpp"
#include "compiler/report/scales.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/file_order.hpp"
#include "tests/lambda_models.hpp"

namespace nnomc {
namespace {

const std::string kFolder = NNOM_SOURCE_DIR "/tests/fixtures/keras_int8/";

/// A model, and what its inputs' integers are multiplied by.
struct Case {
  std::string name;
  double scale;

  Graph graph() const {
    const std::string file = name + ".keras";
    for (const std::string& folder :
         {kFolder, std::string(NNOM_SOURCE_DIR "/tests/fixtures/keras/")})
      if (std::filesystem::exists(folder + file)) return load_model(folder + file);
    const lambda::Case hooked{
        file, name == "custom" ? std::vector<std::string>{"Gate"} : std::vector<std::string>{}, {}};
    return load_model(hooked.path(), lambda::options_of(hooked, lambda::kHooks));
  }
  std::string array(const std::string& key) const { return kFolder + name + ".npz:" + key; }
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

/// A case's program, calibrated on the first quarter of its samples.
struct Model {
  explicit Model(const Case& c) : graph(c.graph()) {
    std::vector<Source> inputs;
    for (size_t i = 0; i < graph.inputs.size(); ++i)
      inputs.push_back(c.array(fmt::format("input_{}", i)));
    samples = Samples(graph, inputs, {c.scale, 0});
    Samples some = samples;
    some.limit(samples.count() / 4);
    CompileOptions options;
    options.target = "host", options.calibration = Calibration::min_max;
    program = compile(graph, some, options);
  }
  void start(Simulator& simulator, size_t sample) const {
    for (size_t i = 0; i < graph.inputs.size(); ++i)
      simulator.set_input(i, samples.read(sample, i));
    simulator.reset();
  }
  const std::string& layer(int tensor) const {
    return program.graph.tensors[static_cast<size_t>(tensor)].name;
  }

  Graph graph;
  Samples samples;
  Program program;
};

/// An array of the fixture, where it has it.
std::optional<Array> array_of(const Case& c, const std::string& key) {
  try {
    return read_array(c.array(key));
  } catch (const Error&) {
    return {};
  }
}

/// Sample `s` of an array against int8 numbers, element k of one against places[k] of the other.
void compare(const Array& expected, size_t s, std::span<const unsigned char> bytes, Steps& steps,
             const std::vector<size_t>& places = {}) {
  ASSERT_EQ(static_cast<size_t>(expected.size() / expected.shape.at(0)), bytes.size());
  for (size_t k = 0; k < bytes.size(); ++k)
    steps.add(static_cast<int8_t>(bytes[places.empty() ? k : places[k]]),
              static_cast<int>(expected.at(static_cast<int64_t>(s * bytes.size() + k))));
}

class KerasInt8 : public testing::TestWithParam<Case> {};

TEST_P(KerasInt8, HasTheScalesOfTheFixture) {
  const Model model(GetParam());
  EXPECT_EQ(scales_text(model.program), as_text(read_file(kFolder + GetParam().name + ".json")))
      << "the scales have changed: run make_int8.py again";
}

TEST_P(KerasInt8, OutputsAreWithinAStep) {
  const Case& c = GetParam();
  const Model model(c);
  const Graph& graph = model.graph;
  const size_t outputs = graph.outputs.size();
  std::vector<Array> expected;
  std::vector<std::vector<size_t>> order;
  for (size_t i = 0; i < outputs; ++i) {
    expected.push_back(read_array(c.array(fmt::format("output_{}", i))));
    order.push_back(places(graph, graph.outputs, graph.output_order, i));
  }
  std::vector<Steps> steps(outputs);
  Simulator simulator(model.program);
  for (size_t s = 0; s < model.samples.count(); ++s) {
    model.start(simulator, s);
    simulator.run();
    for (size_t i = 0; i < outputs; ++i)
      compare(expected[i], s, simulator.output_bytes(i), steps[i], order[i]);
  }
  for (size_t i = 0; i < outputs; ++i)
    steps[i].check(fmt::format("{}: {}", c.name, model.layer(graph.outputs[i])));
}

/// Each layer by itself: after it has run, its output becomes what the fixture has there.
TEST_P(KerasInt8, LayersAreWithinAStep) {
  const Case& c = GetParam();
  const Model model(c);
  const Graph& graph = model.program.graph;
  std::map<size_t, Array> expected;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    std::string key = "tensor:" + model.layer(graph.nodes[i].output);
    std::ranges::replace(key, '/', '@');
    if (auto array = array_of(c, key)) expected.emplace(i, *array);
  }
  if (expected.empty()) return;  // every layer is an output
  const Program separate = lower(graph, model.program.scales, {model.program.numbers, true, true});
  std::map<size_t, Steps> steps;
  Simulator simulator(separate);
  const auto count = static_cast<size_t>(expected.begin()->second.shape.at(0));
  for (size_t s = 0; s < count; ++s) {
    model.start(simulator, s);
    simulator.run([&](size_t node, const void* output) {
      const auto it = expected.find(node);
      if (it == expected.end()) return;
      const auto size = static_cast<size_t>(graph.shape(graph.nodes[node].output).size());
      auto* const bytes = static_cast<unsigned char*>(const_cast<void*>(output));
      compare(it->second, s, {bytes, size}, steps[node]);
      if (HasFatalFailure()) return;
      for (size_t k = 0; k < size; ++k)
        bytes[k] = static_cast<unsigned char>(it->second.at(static_cast<int64_t>(s * size + k)));
    });
  }
  for (const auto& [node, of_node] : steps)
    of_node.check(fmt::format("{}: {} alone", c.name, graph.nodes[node].name));
}

INSTANTIATE_TEST_SUITE_P(Fixtures, KerasInt8, testing::ValuesIn(cases()),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace nnomc
