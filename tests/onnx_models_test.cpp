/// \file
/// Whole ONNX models: small ones against onnxruntime, public ones against the Keras models they
/// were made of; and which axes data may have.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <random>

#include "compiler/compile.hpp"
#include "compiler/data/samples.hpp"
#include "compiler/error.hpp"
#include "compiler/io/array.hpp"
#include "compiler/io/file.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/onnx_cases.hpp"
#include "tests/temp_folder.hpp"

namespace nnomc {
namespace {

namespace fs = std::filesystem;

const std::string kModels = NNOM_SOURCE_DIR "/fuzz/corpus/onnx/";
const std::string kNumbers = NNOM_SOURCE_DIR "/tests/fixtures/onnx/";
const std::string kShared = NNOM_SHARED_DIR "/models/";

onnx::Constant read_constant(const std::string& spec) {
  const Array array = read_array(spec);
  onnx::Constant c{onnx::Type::f32, array.shape, {}};
  for (int64_t i = 0; i < array.size(); ++i) c.data.push_back(array.at(i));
  return c;
}

int transposes_in(const Graph& graph) {
  return static_cast<int>(std::count_if(graph.nodes.begin(), graph.nodes.end(), [](const Node& n) {
    return std::holds_alternative<nnom::Transpose>(n.op);
  }));
}

/// A model of fuzz/corpus/onnx, and how many tensors have to be moved for it.
struct Small {
  const char* name;
  int transposes;
};

void PrintTo(const Small& s, std::ostream* out) { *out << s.name; }

class OnnxModels : public testing::TestWithParam<Small> {};

TEST_P(OnnxModels, AgreeWithOnnxruntime) {
  const std::string path = kModels + GetParam().name + ".onnx";
  const std::string numbers = kNumbers + GetParam().name + ".npz:";
  const onnx::OnnxFile file = onnx::read_onnx_file(path);
  std::vector<onnx::Constant> inputs;
  for (size_t i = 0; i < file.inputs.size(); ++i)
    inputs.push_back(read_constant(numbers + "input_" + std::to_string(i)));
  const std::vector<onnx::Constant> ours = run_onnx(file, inputs, 0);
  for (size_t i = 0; i < ours.size(); ++i)
    EXPECT_EQ(difference(ours[i], read_constant(numbers + "output_" + std::to_string(i)), 2e-5), "")
        << "output " << i;
  EXPECT_EQ(transposes_in(load_model(path)), GetParam().transposes);
}

INSTANTIATE_TEST_SUITE_P(Small, OnnxModels,
                         testing::Values(Small{"cnn", 0}, Small{"flat", 0}, Small{"view", 0},
                                         Small{"shuffle", 1}, Small{"nhwc", 0},
                                         Small{"squeeze_excite", 0}, Small{"conv1d", 0},
                                         Small{"attention", 4}, Small{"segment", 0},
                                         Small{"there_and_back", 3}, Small{"pieces", 1},
                                         Small{"depth", 3}, Small{"lstm", 0}, Small{"gru", 0},
                                         Small{"rnn", 0}, Small{"batches", 2}),
                         [](const auto& one) { return std::string(one.param.name); });

/// Every proper prefix of a file, and the file with a byte changed, is imported or refused.
class OnnxDamaged : public testing::TestWithParam<const char*> {};

void expect_harmless(const std::vector<std::byte>& bytes) {
  try {
    Graph graph = import_onnx(onnx::parse_onnx("damaged", bytes));
    optimise(graph);
    if (graph.quantised()) compile(graph, {}, {});
  } catch (const Error&) {
  }
}

TEST_P(OnnxDamaged, IsHarmless) {
  const std::vector<std::byte> whole = read_file(kModels + GetParam());
  std::mt19937 random(1);
  for (size_t n = 0; n < whole.size(); n += 7) {
    std::vector<std::byte> bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
    expect_harmless(bytes);
    bytes = whole;
    bytes[random() % bytes.size()] ^= static_cast<std::byte>(1U << random() % 8);
    expect_harmless(bytes);
  }
}

INSTANTIATE_TEST_SUITE_P(Files, OnnxDamaged,
                         testing::Values("cnn.onnx", "q_branches_qdq_i8.onnx",
                                         "q_residual_qop_u8i8.onnx", "q_op_concat.onnx"));

/// What the fuzzer has found, imported or refused; the sanitizers notice more.
TEST(OnnxFindings, OfTheFuzzerAreHarmless) {
  int count = 0;
  for (const auto& entry : fs::directory_iterator(kNumbers)) {
    if (entry.path().extension() != ".onnx") continue;
    ++count;
    try {
      load_model(entry.path());
    } catch (const Error&) {
    }
  }
  EXPECT_GT(count, 0);
}

/// The same numbers from a Keras model and its conversion to ONNX.
TEST(OnnxPublic, AgreeWithTheirKerasModels) {
  const std::pair<const char*, const char*> pairs[] = {
      {"ic_resnet8/pretrainedResnet.onnx", "ic_resnet8/pretrainedResnet.h5"},
      {"vww_mobilenetv1/vww_96_float.onnx", "vww_mobilenetv1/vww_96.h5"}};
  for (const auto& [onnx, keras] : pairs) {
    if (!fs::exists(kShared + onnx)) GTEST_SKIP() << "needs " << kShared << onnx;
    const Graph ours = load_model(kShared + onnx), theirs = load_model(kShared + keras);
    EXPECT_EQ(transposes_in(ours), 0) << onnx;
    ASSERT_EQ(ours.shape(ours.inputs[0]), theirs.shape(theirs.inputs[0]));
    std::mt19937 random(1);
    for (int sample = 0; sample < 3; ++sample) {
      std::vector<float> image(static_cast<size_t>(ours.shape(ours.inputs[0]).size()));
      const double scale = std::string(onnx).starts_with("ic") ? 255 : 1;
      for (float& v : image)
        v = static_cast<float>(static_cast<double>(random()) * scale / 4294967296.0);
      const auto a = run_float(ours, {image})[0], b = run_float(theirs, {image})[0];
      ASSERT_EQ(a.size(), b.size());
      for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-5) << onnx << " " << i;
    }
  }
  EXPECT_EQ(transposes_in(load_model(kShared + "onnx2c_mnist/mnist.simplified.onnx")), 0);
}

/// x * sigmoid(x), limited to [-1, 2]: what exporters leave becomes two ops, a convolution's
/// limits one.
TEST(OnnxPasses, JoinWhatExportersTakeApart) {
  Graph graph;
  const int x = graph.add_input("x", {3, {2, 2, 3}});
  nnom::Activation sigmoid;
  sigmoid.function = nnom::Function::sigmoid;
  const int gate = graph.add({"gate", "Sigmoid", sigmoid, {x}});
  const int gated = graph.add({"gated", "Mul", nnom::Mul{}, {x, gate}});
  nnom::Conv2D conv;
  conv.kernel = conv.stride = conv.dilation = {1, 1};
  conv.out.c = 1;
  const int sum = graph.add({"sum", "Conv", conv, {gated}, -1, {1, 2, 3}});
  nnom::Maximum low;
  low.constant = 0;
  const int limited = graph.add({"low", "Clip", low, {sum}, -1, {-1}});
  nnom::Minimum high;
  high.constant = 1;
  graph.outputs = {graph.add({"high", "Clip", high, {limited}, -1, {2}})};
  const std::vector<float> in{-3, -2, -1, 0, 1, 2, 3, 4, 5, -4, -5, -6};
  const auto before = run_float(graph, {in});
  optimise(graph);
  ASSERT_EQ(graph.nodes.size(), 2U);
  EXPECT_EQ(std::get<nnom::Activation>(graph.nodes[0].op).function, nnom::Function::silu);
  EXPECT_EQ(graph.nodes[1].range.lo, -1);
  EXPECT_EQ(graph.nodes[1].range.hi, 2);
  const auto after = run_float(graph, {in});
  for (size_t i = 0; i < before[0].size(); ++i) EXPECT_NEAR(after[0][i], before[0][i], 1e-6);
}

/// A graph with an input [h, w, c] that the file has as [c, h, w].
Graph picture(const Shape& shape) {
  Graph graph;
  graph.add_input("x", shape);
  graph.input_order = {{2, 0, 1}};
  return graph;
}

std::string write_counting(const TempFolder& folder, const std::string& name,
                           const std::vector<int64_t>& shape) {
  Array array;
  array.shape = shape;
  const int64_t size = onnx::size_of(shape);
  for (int64_t i = 0; i < size; ++i) {
    const auto v = static_cast<float>(i);
    const auto* bytes = reinterpret_cast<const std::byte*>(&v);
    array.bytes.insert(array.bytes.end(), bytes, bytes + sizeof v);
  }
  const std::string path = folder / name;
  write_npy(path, array);
  return path;
}

TEST(OnnxData, MayHaveTheFilesOrderOfAxesOrTheGraphs) {
  const TempFolder folder;
  const Graph graph = picture({3, {2, 4, 3}});
  const Samples last(graph, {write_counting(folder, "last.npy", {1, 2, 4, 3})}, {});
  const std::vector<float> as_stored = last.read(0, 0);
  for (size_t i = 0; i < as_stored.size(); ++i) EXPECT_EQ(as_stored[i], static_cast<float>(i));
  const Samples first(graph, {write_counting(folder, "first.npy", {2, 3, 2, 4})}, {});
  EXPECT_EQ(first.count(), 2U);
  const std::vector<float> moved = first.read(1, 0);
  for (int y = 0; y < 2; ++y)
    for (int x = 0; x < 4; ++x)
      for (int c = 0; c < 3; ++c)
        EXPECT_EQ(moved[static_cast<size_t>((y * 4 + x) * 3 + c)],
                  static_cast<float>(24 + (c * 2 + y) * 4 + x));
  // Where both fit, the file's order is meant.
  const Samples both(picture({3, {3, 3, 3}}), {write_counting(folder, "both.npy", {1, 3, 3, 3})},
                     {});
  EXPECT_EQ(both.read(0, 0)[1], 9.0F);
  EXPECT_THROW(Samples(graph, {write_counting(folder, "no.npy", {1, 4, 2, 3})}, {}), Error);
}

}  // namespace
}  // namespace nnomc
