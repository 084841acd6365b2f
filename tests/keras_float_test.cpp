/// \file
/// What an imported model computes, against what Keras itself computed: every output and every
/// layer of the models in fixtures/keras, in all the formats Keras writes. Of those that have their
/// channels first, every output.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "compiler/error.hpp"
#include "compiler/import/keras.hpp"
#include "compiler/io/array.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/file_order.hpp"

namespace nnomc {
namespace {

const std::string kFolder = NNOM_SOURCE_DIR "/tests/fixtures/keras/";

/// A model file, and the numbers that belong to it.
struct Case {
  std::string model, numbers;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.model; }

/// Fixtures with functions the runtime doesn't have; these have to be refused.
bool is_beyond_us(const Case& c) { return c.model.starts_with("activations_rare."); }

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const char* list : {"cases.txt", "beyond.txt", "jax_cases.txt"}) {
    std::ifstream file(kFolder + list);
    for (Case c; file >> c.model >> c.numbers;) all.push_back(c);
  }
  return all;
}

std::string test_name(const testing::TestParamInfo<Case>& info) {
  std::string name = info.param.model;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
  return name;
}

/// Numbers of one of Keras's arrays: a row for each sample.
class Rows {
 public:
  Rows(const Case& c, const std::string& key)
      : array_(read_array(kFolder + c.numbers + ":" + key)) {}

  size_t count() const { return static_cast<size_t>(array_.shape.at(0)); }
  std::vector<float> row(size_t i) const {
    const auto length = static_cast<size_t>(array_.size()) / count();
    std::vector<float> values(length);
    array_.read(static_cast<int64_t>(i * length), values);
    return values;
  }

 private:
  Array array_;
};

/// Keras computes in single precision, we in double, so the difference is Keras's rounding. It is
/// relative to the largest summands, not to each result: hence to the tensor's largest value, with
/// a little more for tensors that nearly cancel out.
void expect_close(const std::vector<float>& ours, const std::vector<float>& keras,
                  const std::string& what) {
  ASSERT_EQ(ours.size(), keras.size()) << what;
  double largest = 0, worst = 0;
  size_t at = 0;
  for (size_t i = 0; i < keras.size(); ++i) {
    largest = std::max(largest, std::fabs(double{keras[i]}));
    const double difference = std::fabs(double{ours[i]} - double{keras[i]});
    if (!(difference <= worst)) worst = difference, at = i;
  }
  EXPECT_LE(worst, 1e-5 * largest + 1e-6)
      << what << "[" << at << "]: " << ours[at] << ", but " << keras[at] << " in Keras";
}

/// The layer that `node` belongs to: its name without what the importer appends for several nodes.
std::string layer_of(const std::string& node) {
  static constexpr std::string_view kSuffixes[] = {
      "/activation", "/pointwise", "/transpose_back", "/transpose", "/shape", "/rows",
      "/flatten",    "/log",       "/output",         "/negative"};
  for (const std::string_view suffix : kSuffixes)
    if (node.ends_with(suffix)) return layer_of(node.substr(0, node.size() - suffix.size()));
  return node;
}

class KerasFloat : public testing::TestWithParam<Case> {};

TEST_P(KerasFloat, AgreesWithKeras) {
  const Case c = GetParam();
  if (is_beyond_us(c)) {
    EXPECT_THROW(import_keras(read_keras_file(kFolder + c.model)), Error);
    return;
  }
  const Graph graph = import_keras(read_keras_file(kFolder + c.model));
  const Program program = lower_float(graph);
  Simulator simulator(program);

  std::vector<Rows> inputs;
  for (size_t i = 0; i < graph.inputs.size(); ++i)
    inputs.emplace_back(c, "input_" + std::to_string(i));
  std::map<std::string, size_t> last;  // node of each layer
  for (size_t i = 0; i < program.graph.nodes.size(); ++i)
    last[layer_of(program.graph.nodes[i].name)] = i;
  std::map<size_t, std::pair<std::string, Rows>> layers;
  for (const auto& [name, node] : last) {
    try {
      layers.emplace(node, std::pair(name, Rows(c, "layer:" + name)));
    } catch (const Error&) {  // called twice, or in a nested model: not recorded
    }
  }

  for (size_t sample = 0; sample < inputs.at(0).count(); ++sample) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      const std::vector<float> file = inputs[i].row(sample);
      const std::vector<size_t> place = places(graph, graph.inputs, graph.input_order, i);
      std::vector<float> values(file.size());
      for (size_t k = 0; k < file.size(); ++k) values[place[k]] = file[k];
      simulator.set_input(i, values);
    }
    simulator.run([&](size_t node, const void*) {
      const auto it = layers.find(node);
      if (it == layers.end()) return;
      expect_close(simulator.tensor(program.graph.nodes[node].output),
                   it->second.second.row(sample), "layer '" + it->second.first + "'");
    });
    for (size_t i = 0; i < graph.outputs.size(); ++i) {
      const std::vector<float> made = simulator.output(i);
      std::vector<float> values;
      for (const size_t k : places(graph, graph.outputs, graph.output_order, i))
        values.push_back(made.at(k));
      expect_close(values, Rows(c, "output_" + std::to_string(i)).row(sample),
                   "output " + std::to_string(i));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, KerasFloat, testing::ValuesIn(cases()), test_name);

/// The models that must be refused, with every class that is in the way.
TEST(KerasUnsupported, NamesEveryClass) {
  std::ifstream list(kFolder + "unsupported/cases.txt");
  int count = 0;
  for (std::string file, classes; list >> file >> classes; ++count) {
    try {
      import_keras(read_keras_file(kFolder + "unsupported/" + file));
      ADD_FAILURE() << file << " was imported";
    } catch (const Error& error) {
      std::istringstream names(classes);
      for (std::string name; std::getline(names, name, ',');)
        EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
    }
  }
  EXPECT_GT(count, 0);
}

}  // namespace
}  // namespace nnomc
