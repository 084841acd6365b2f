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
#include "compiler/passes/passes.hpp"
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
  std::string text() const {
    std::string list;
    for (const auto& [steps, n] : by) list += fmt::format(", {} by {}", n, steps);
    return fmt::format("{} values{}", count, list);
  }
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
  std::vector<Source> inputs;
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

/// A model of fuzz/corpus/onnx ("" for both of int8 and uint8 activations) and the most steps that
/// its output differs by: rounded as onnxruntime does, and twice.
struct Quantised {
  const char* name;
  int single, twice;
};

void PrintTo(const Quantised& q, std::ostream* out) { *out << q.name; }

class OnnxQuantised : public testing::TestWithParam<Quantised> {};

TEST_P(OnnxQuantised, GivesWhatOnnxruntimeDoes) {
  int models = 0;
  for (const char* kind : {"", "_i8", "_u8"}) {
    const std::string name = std::string("q_") + GetParam().name + kind;
    if (!fs::exists(kModels + name + ".onnx")) continue;
    ++models;
    const Difference single = difference_from_onnxruntime(name, Rounding::single_rounding);
    const Difference twice = difference_from_onnxruntime(name, Rounding::double_rounding);
    EXPECT_LE(single.most(), GetParam().single) << name << ": " << single.text();
    EXPECT_LE(twice.most(), GetParam().twice) << name << ", rounded twice: " << twice.text();
    fmt::print("{}: {}; rounded twice {}\n", name, single.text(), twice.text());
  }
  EXPECT_GT(models, 0);
}

const Quantised kLayers[] = {
    {"add", 0, 0},
    {"add_constant", 1, 1},
    {"add_relu", 0, 0},
    {"average_pool", 0, 1},
    {"average_pool_padded", 1, 1},
    {"average_pool_same", 1, 1},
    {"clip", 0, 0},
    {"concat", 0, 0},
    {"conv", 0, 1},
    {"conv_1d", 0, 1},
    {"conv_batch_norm", 0, 1},
    {"conv_channel", 0, 1},
    {"conv_clip", 0, 1},
    {"conv_odd_weights", 1, 1},
    {"conv_relu", 0, 1},
    {"conv_relu_apart", 0, 1},
    {"conv_transpose", 0, 1},
    {"conv_u8_weights", 0, 1},
    {"depthwise", 0, 1},
    {"depthwise_multiplier", 0, 1},
    {"gemm", 0, 1},
    {"gemm_bias", 0, 1},
    {"global_average", 0, 1},
    {"hard_swish", 0, 0},
    {"leaky_relu", 0, 0},
    {"matmul", 0, 1},
    {"matmul_both", 1, 1},
    {"max_pool", 0, 0},
    {"max_pool_rescaled", 0, 0},
    {"mul", 0, 1},
    {"mul_constant", 1, 1},
    {"op_add", 1, 1},
    {"op_average_pool", 0, 1},
    {"op_concat", 0, 0},
    {"op_global_average", 0, 1},
    {"op_leaky_relu", 0, 0},
    {"op_matmul", 0, 1},
    {"op_mul", 0, 1},
    {"op_sigmoid", 0, 0},
    {"op_softmax", 0, 1},
    {"pad", 0, 0},
    {"pieces", 0, 0},
    {"prelu", 1, 1},
    {"reduce_mean", 0, 1},
    {"relu", 0, 0},
    {"requantise", 0, 0},
    {"resize", 0, 0},
    {"sigmoid", 0, 0},
    {"sigmoid_tail", 1, 2},
    {"softmax", 0, 1},
    {"softmax_odd", 1, 1},
    {"softmax_tail", 1, 1},
    {"stored_pieces", 0, 1},
    {"sub", 0, 0},
    {"tanh", 0, 1},
    {"torch_7_bits", 0, 1},
    {"torch_conv", 0, 1},
    {"torch_linear", 0, 1},
    {"whole_average", 0, 1},
};

/// What onnxruntime.quantization makes: errors of a step can grow from layer to layer. In QDQ form
/// the halves of an average with the scale of its input fall as float's rounding has them.
const Quantised kNetworks[] = {
    {"branches_qdq", 0, 1}, {"branches_qop", 0, 1}, {"branches_qop_u8i8", 0, 1},
    {"mobile_qdq", 4, 5},   {"mobile_qop", 0, 3},   {"mobile_qop_u8i8", 0, 3},
    {"residual_qdq", 1, 2}, {"residual_qop", 0, 2}, {"residual_qop_u8i8", 0, 2},
};

std::string name_of(const testing::TestParamInfo<Quantised>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Layers, OnnxQuantised, testing::ValuesIn(kLayers), name_of);
INSTANTIATE_TEST_SUITE_P(Networks, OnnxQuantised, testing::ValuesIn(kNetworks), name_of);

TEST(OnnxQuantisedModels, AreAllListed) {
  const auto is_listed = [](const std::string& name, const auto& list) {
    return std::any_of(std::begin(list), std::end(list), [&](const Quantised& q) {
      const std::string listed = std::string("q_") + q.name;
      return name == listed || name == listed + "_i8" || name == listed + "_u8";
    });
  };
  for (const auto& entry : fs::directory_iterator(kModels)) {
    const std::string name = entry.path().stem();
    if (!name.starts_with("q_")) continue;
    EXPECT_TRUE(is_listed(name, kLayers) || is_listed(name, kNetworks)) << name;
  }
}

/// What is quantised in part, as ONNX files go: a graph of real numbers, and why.
TEST(OnnxQuantisedInPart, IsCalibrated) {
  onnx::OnnxFile file = onnx::read_onnx_file(kModels + "q_conv_relu_i8.onnx");
  file.nodes.pop_back();  // the last QuantizeLinear and DequantizeLinear
  file.nodes.pop_back();
  file.outputs[0].name = file.nodes.back().outputs[0];
  const Graph graph = import_onnx(file);
  EXPECT_FALSE(graph.quantised());
  EXPECT_THAT(graph.partly, testing::HasSubstr("'Conv_4' (Conv): its output is not quantised"));
  for (const Node& node : graph.nodes) EXPECT_FALSE(node.stored.has_value());
}

/// A ReLU that the quantiser left to the zero point stays one.
TEST(OnnxQuantisedInPart, KeepsWhatAZeroPointLimits) {
  onnx::OnnxFile file = onnx::read_onnx_file(kModels + "q_conv_relu_i8.onnx");
  std::erase_if(file.nodes, [](const onnx::FileNode& n) { return n.op_type == "Relu"; });
  for (onnx::FileNode& n : file.nodes)
    if (n.op_type == "QuantizeLinear" && n.inputs[0] == "t5_0") n.inputs[0] = "t4_0";
  file.nodes.push_back({"square", "Mul", {file.outputs[0].name, file.outputs[0].name}, {"y"}, {}});
  file.outputs[0].name = "y";
  Graph graph = import_onnx(file);
  ASSERT_FALSE(graph.quantised());
  EXPECT_THAT(graph.partly, testing::HasSubstr("'square' (Mul)"));
  optimise(graph);
  ASSERT_EQ(graph.nodes.size(), 2U);
  EXPECT_EQ(graph.nodes[0].range.lo, 0);
}

/// An input of integers that become real numbers by a Cast means just these.
TEST(OnnxQuantisedInput, MayBeOfIntegers) {
  onnx::OnnxFile file = onnx::read_onnx_file(kModels + "q_conv_i8.onnx");
  onnx::Attribute to;
  to.name = "to";
  to.kind = onnx::Attribute::Kind::integer;
  to.integer = 1;
  file.inputs[0].type = onnx::Type::u8;
  for (onnx::FileNode& n : file.nodes)
    if (n.inputs[0] == "x0") n.inputs[0] = "real";
  file.nodes.insert(file.nodes.begin(), {"cast", "Cast", {"x0"}, {"real"}, {to}});
  const Graph graph = import_onnx(file);
  EXPECT_TRUE(graph.quantised());
  EXPECT_EQ(graph.tensors[static_cast<size_t>(graph.inputs[0])].quantisation,
            (Quantisation{1, -128}));
}

TEST(OnnxQuantisedPublic, KeepsItsScales) {
  const std::string path = NNOM_SHARED_DIR "/models/ic_resnet8/resnet.onnx";
  if (!fs::exists(path)) GTEST_SKIP() << "needs " << path;
  const Graph graph = load_model(path);
  EXPECT_TRUE(graph.quantised());
  EXPECT_EQ(graph.nodes.size(), 16U);
  EXPECT_EQ(graph.nodes[0].range.lo, 0);  // a ReLU that only its zero point speaks of
}

}  // namespace
}  // namespace nnomc
