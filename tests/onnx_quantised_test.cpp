/// \file
/// Quantised ONNX models against onnxruntime: what it computes with them, in steps of the output.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "compiler/compile.hpp"
#include "compiler/data/samples.hpp"
#include "compiler/io/array.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/onnx_cases.hpp"

namespace nnomc {
namespace {

namespace fs = std::filesystem;

const std::string kModels = NNOM_SOURCE_DIR "/fuzz/corpus/onnx/";
const std::string kNumbers = NNOM_SOURCE_DIR "/tests/fixtures/onnx/";

/// A model's output in the order of the file's axes.
std::vector<float> in_file_order(const Graph& graph, const std::vector<float>& values) {
  const Shape& shape = graph.shape(graph.outputs[0]);
  const std::vector<int>& order = graph.output_order[0];
  if (order.empty()) return values;
  onnx::Dims dims;
  std::vector<int> axes(order.size());  // of the file, in the order of the graph's
  for (size_t i = 0; i < order.size(); ++i) {
    dims.push_back(shape[order[i]]);
    axes[static_cast<size_t>(order[i])] = static_cast<int>(i);
  }
  const std::vector<size_t> places = onnx::places_in(dims, onnx::layout_in(axes, dims), dims);
  std::vector<float> to(values.size());
  for (size_t i = 0; i < places.size(); ++i) to[places[i]] = values[i];
  return to;
}

/// How many outputs differ by how many steps.
struct Difference {
  size_t count = 0;
  std::map<int, size_t> by{};

  int most() const { return by.empty() ? 0 : by.rbegin()->first; }
};

Difference difference_from_onnxruntime(const std::string& name, Rounding rounding) {
  const Graph graph = load_model(kModels + name + ".onnx");
  EXPECT_TRUE(graph.quantised()) << graph.partly;
  if (!graph.quantised()) return {1, {{999, 1}}};
  CompileOptions options;
  options.target = "host";
  options.rounding = rounding;
  const Program program = compile(graph, {}, options);
  const std::string numbers = kNumbers + name + ".npz:";
  std::vector<std::string> inputs;
  for (size_t i = 0; i < graph.inputs.size(); ++i)
    inputs.push_back(numbers + "input_" + std::to_string(i));
  const Samples samples(graph, inputs, {});
  const Array wanted = read_array(numbers + "output_0");
  const double step = program.scales[static_cast<size_t>(program.graph.outputs[0])].scale;
  Difference found;
  Simulator simulator(program);
  for (size_t s = 0; s < samples.count(); ++s) {
    for (size_t i = 0; i < inputs.size(); ++i) simulator.set_input(i, samples.read(s, i));
    simulator.run();
    for (const float v : in_file_order(program.graph, simulator.output(0))) {
      const double steps = (double{v} - wanted.at(static_cast<int64_t>(found.count++))) / step;
      if (const int off = static_cast<int>(std::lround(std::fabs(steps)))) ++found.by[off];
    }
  }
  EXPECT_EQ(static_cast<int64_t>(found.count), wanted.size());
  return found;
}

TEST(OnnxQuantised, Measure) {
  for (const auto& entry : fs::directory_iterator(kModels)) {
    const std::string name = entry.path().stem();
    if (!name.starts_with("q_") || entry.path().extension() != ".onnx") continue;
    for (const Rounding r : {Rounding::single_rounding, Rounding::double_rounding}) {
      try {
        const Difference d = difference_from_onnxruntime(name, r);
        std::string text;
        for (const auto& [off, n] : d.by) text += fmt::format(" {}: {}", off, n);
        fmt::print("{:40} {} of {}:{}\n", name, r == Rounding::single_rounding ? "single" : "double",
                   d.count, text);
      } catch (const std::exception& e) {
        fmt::print("{:40} ERROR {}\n", name, e.what());
        break;
      }
    }
  }
}

}  // namespace
}  // namespace nnomc
