// --layout: inputs and outputs with their channels first on the board, and samples in either order.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "compiler/data/samples.hpp"
#include "compiler/error.hpp"
#include "compiler/firmware/process.hpp"
#include "compiler/io/array.hpp"
#include "compiler/io/file.hpp"
#include "compiler/passes/channels_first.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/random_layers.hpp"
#include "tests/temp_folder.hpp"

namespace nnomc {
namespace {

const std::string kKeras = NNOM_SOURCE_DIR "/tests/fixtures/keras/";

/// The values of one sample with their last axis moved to the front; rank 1 stays.
template <class T>
std::vector<T> first(const std::vector<T>& last, const Shape& shape) {
  if (shape.rank < 2 || shape.rank > 3) return last;
  const auto channels = static_cast<size_t>(shape.back()), places = last.size() / channels;
  std::vector<T> out(last.size());
  for (size_t p = 0; p < places; ++p)
    for (size_t c = 0; c < channels; ++c) out[c * places + p] = last[p * channels + c];
  return out;
}

/// The values bit for bit: what is no number has to be none in the same place.
std::vector<uint32_t> bits(const std::vector<float>& values) {
  std::vector<uint32_t> out;
  for (const float v : values) out.push_back(std::isnan(v) ? ~0u : std::bit_cast<uint32_t>(v));
  return out;
}

Array counting(const std::vector<int64_t>& shape) {
  Array array{DType::f32, shape, {}};
  int64_t size = 1;
  for (const int64_t d : shape) size *= d;
  for (int64_t i = 0; i < size; ++i) {
    const auto v = static_cast<float>(i);
    const auto* bytes = reinterpret_cast<const std::byte*>(&v);
    array.bytes.insert(array.bytes.end(), bytes, bytes + sizeof v);
  }
  return array;
}

struct Order {
  Shape tensor;              ///< on the board
  std::vector<int> file;     ///< the model's file, as Graph::input_order
  std::optional<Axes> axes;  ///< the option
  std::vector<int64_t> data;
  std::vector<int> taken;  ///< axis i of a sample is axis taken[i] of the tensor; empty: an error
};

/// Where in a tensor the element `index` of a sample lies whose axes are in `order`.
size_t place(size_t index, const Shape& tensor, const std::vector<int>& order) {
  size_t at[6]{};
  for (size_t i = order.size(); i-- > 0;) {
    const auto n = static_cast<size_t>(tensor[order[i]]);
    at[order[i]] = index % n;
    index /= n;
  }
  size_t where = 0;
  for (int axis = 0; axis < tensor.rank; ++axis)
    where = where * static_cast<size_t>(tensor[axis]) + at[axis];
  return where;
}

TEST(Layout, ShapesTellTheOrderOfSamples) {
  const std::vector<int> hwc = {0, 1, 2}, chw = {2, 0, 1}, back = {1, 2, 0}, none = {};
  const Shape picture{3, {2, 4, 3}}, cube{3, {3, 3, 3}}, turned{3, {3, 2, 4}};
  const Order cases[] = {
      // channels last in the file and on the board
      {picture, none, Axes::automatic, {5, 2, 4, 3}, hwc},
      {picture, none, Axes::automatic, {5, 3, 2, 4}, chw},
      {picture, none, Axes::automatic, {3, 2, 4}, chw},  // one sample
      {picture, none, {}, {5, 3, 2, 4}, chw},
      {picture, none, Axes::automatic, {5, 4, 3, 2}, none},
      {cube, none, Axes::automatic, {5, 3, 3, 3}, hwc},
      {cube, none, Axes::channels_last, {5, 3, 3, 3}, hwc},
      // first in the file, last on the board
      {picture, chw, Axes::automatic, {5, 2, 4, 3}, hwc},
      {picture, chw, Axes::automatic, {5, 3, 2, 4}, chw},
      {cube, chw, Axes::automatic, {5, 3, 3, 3}, none},
      {cube, chw, {}, {5, 3, 3, 3}, chw},
      {cube, chw, Axes::channels_last, {5, 3, 3, 3}, hwc},
      {{3, {4, 4, 1}}, chw, Axes::automatic, {5, 4, 4}, hwc},  // both are the same
      // last in the file, first on the board
      {turned, back, Axes::channels_first, {5, 2, 4, 3}, back},
      {turned, back, Axes::channels_first, {5, 3, 2, 4}, hwc},
      {cube, back, Axes::channels_first, {5, 3, 3, 3}, hwc},
      // first in both
      {turned, none, Axes::channels_first, {5, 2, 4, 3}, back},
      {turned, none, Axes::channels_first, {5, 3, 2, 4}, hwc},
      {turned, none, Axes::channels_first, {5, 4, 2, 3}, none},
      // sequences
      {{2, {7, 2}}, none, Axes::automatic, {5, 2, 7}, {1, 0}},
      {{2, {7, 7}}, none, Axes::automatic, {5, 7, 7}, {0, 1}},
      {{2, {2, 7}}, {1, 0}, Axes::channels_first, {5, 7, 2}, {1, 0}},
      {{1, {6}}, none, Axes::automatic, {5, 6}, {0}},
  };
  const TempFolder folder;
  for (const Order& c : cases) {
    SCOPED_TRACE(to_string(c.tensor) + " <- " + shape_text(c.data));
    Graph graph;
    graph.file = "model";
    graph.add_input("x", c.tensor);
    if (!c.file.empty()) graph.input_order = {c.file};
    write_npy(folder / "x.npy", counting(c.data));
    try {
      const Samples samples(graph, {folder / "x.npy"}, {}, c.axes);
      ASSERT_FALSE(c.taken.empty());
      const size_t i = samples.count() - 1, size = static_cast<size_t>(c.tensor.size());
      const std::vector<float> values = samples.read(i, 0);
      for (size_t k = 0; k < size; ++k)
        EXPECT_EQ(values[place(k, c.tensor, c.taken)], static_cast<float>(i * size + k));
    } catch (const Error& e) {
      EXPECT_TRUE(c.taken.empty()) << e.what();
      if (c.tensor == cube) {
        EXPECT_NE(std::string(e.what()).find("--layout chw or --layout hwc"), std::string::npos);
      }
    }
  }
}

/// `scales` of a graph, for the tensors of the one that channels_first() made of it.
std::vector<Quantisation> scales_of(const Graph& turned, const std::vector<Quantisation>& scales) {
  std::vector<Quantisation> all(turned.tensors.size());
  const auto before = static_cast<size_t>(std::ranges::count_if(turned.nodes, [](const Node& n) {
    return n.source == "--layout chw" && n.name.ends_with("/hwc");
  }));
  std::ranges::copy(scales, all.begin() + static_cast<std::ptrdiff_t>(before));
  for (const Node& n : turned.nodes) {
    if (n.source != "--layout chw") continue;
    const auto in = static_cast<size_t>(n.inputs[0]), out = static_cast<size_t>(n.output);
    n.name.ends_with("/hwc") ? all[in] = all[out] : all[out] = all[in];
  }
  return all;
}

/// The same numbers, in another order, of graphs of every kind and rank: real ones, and in int8.
TEST(Layout, TurnsInputsAndOutputsOnly) {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    Random r(seed);
    const Graph graph = seed == 1 ? all_ops_graph(seed) : random_graph(6, r);
    const Graph turned = channels_first(graph);
    ASSERT_EQ(turned.inputs.size(), graph.inputs.size());
    std::vector<std::vector<float>> in, in_first;
    for (size_t i = 0; i < graph.inputs.size(); ++i) {
      const Shape& shape = graph.shape(graph.inputs[i]);
      std::vector<float> values;
      for (int k = 0; k < shape.size(); ++k) values.push_back(static_cast<float>(r.real(-2, 2)));
      in_first.push_back(first(values, shape));
      in.push_back(std::move(values));
      const Tensor &before = graph.tensors[static_cast<size_t>(graph.inputs[i])],
                   &after = turned.tensors[static_cast<size_t>(turned.inputs[i])];
      EXPECT_EQ(after.name, before.name);
      EXPECT_EQ(in_file_order(after.shape, turned.input_order, i), before.shape);
    }
    const auto want = run_float(graph, in), got = run_float(turned, in_first);
    const std::vector<Quantisation> scales = usual_scales(graph);
    const Lowering lowering{.numbers = {true, Rounding::single_rounding, Layout::plain}};
    const auto want8 = run_once(lower(graph, scales, lowering), in);
    const auto got8 = run_once(lower(turned, scales_of(turned, scales), lowering), in_first);
    ASSERT_EQ(got.size(), want.size());
    for (size_t o = 0; o < want.size(); ++o) {
      EXPECT_EQ(bits(got[o]), bits(first(want[o], graph.shape(graph.outputs[o]))));
      EXPECT_EQ(got8[o], first(want8[o], graph.shape(graph.outputs[o])));
      EXPECT_EQ(in_file_order(turned.shape(turned.outputs[o]), turned.output_order, o),
                graph.shape(graph.outputs[o]));
    }
  }
}

TEST(Layout, MovesNothingWhereNothingHasToMove) {
  Random r(2);
  for (const Shape& shape : {Shape{3, {5, 6, 1}}, {3, {1, 1, 7}}, {2, {9, 1}}, {1, {8}}}) {
    Graph g;
    g.file = g.name = "m";
    g.add_input("x", shape);
    g.outputs = {add_random(g, "Activation", {0}, r)};
    for (const Node& node : channels_first(g).nodes)
      EXPECT_FALSE(std::holds_alternative<nnom::Transpose>(node.op)) << to_string(shape);
  }
}

/// A model of real Keras's through the command: 5 x 3 x 4 in and out; first_layers has its channels
/// first in the file.
TEST(Layout, IsAnOptionOfTheCommands) {
  const TempFolder folder;
  const auto nnom = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), NNOM_BINARY);
    return run_command(
        {.arguments = arguments, .directory = folder / ".", .timeout = std::chrono::seconds(100)});
  };
  const Array x = read_array(kKeras + "bn_alone.npz:input_0");
  ASSERT_EQ(x.shape, (std::vector<int64_t>{3, 5, 3, 4}));
  const Shape shape{3, {5, 3, 4}};
  const auto turn = [&](const Array& last) {
    Array turned{DType::f32, {3, 4, 5, 3}, {}};
    for (int64_t sample = 0; sample < 3; ++sample) {
      std::vector<float> values(60);
      last.read(sample * 60, values);
      const std::vector<float> moved = first(values, shape);
      const auto* bytes = reinterpret_cast<const std::byte*>(moved.data());
      turned.bytes.insert(turned.bytes.end(), bytes, bytes + moved.size() * sizeof(float));
    }
    return turned;
  };
  write_npy(folder / "last.npy", x);
  write_npy(folder / "first.npy", turn(x));
  const auto run = [&](const char* layout, const char* data, const char* output) {
    const Outcome outcome = nnom({"run", kKeras + "bn_alone.keras", "--layout", layout,
                                  "--calibrate", "last.npy", "--input", data, "-o", output});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
    return read_array(folder / output);
  };
  const Array last = run("hwc", "last.npy", "y.npy");
  EXPECT_EQ(last.shape, x.shape);
  EXPECT_EQ(run("hwc", "first.npy", "y.npy").bytes, last.bytes);
  for (const char* data : {"last.npy", "first.npy"}) {
    const Array chw = run("chw", data, "y.npy");
    EXPECT_EQ(chw.shape, (std::vector<int64_t>{3, 4, 5, 3}));
    EXPECT_EQ(chw.bytes, turn(last).bytes) << data;
  }
  const Outcome converted = nnom({"convert", kKeras + "bn_alone.keras", "--layout", "chw",
                                  "--calibrate", "first.npy", "--c-api", "-o", "m.hpp"});
  ASSERT_EQ(converted.exit_code, 0) << converted.errors;
  const auto header = read_file(folder / "m.hpp"), c = read_file(folder / "m.h");
  for (const auto* text : {&header, &c})
    EXPECT_NE(as_text(*text).find(": 4 x 5 x 3, channels first"), std::string::npos)
        << as_text(*text);
  const Outcome inspected = nnom({"inspect", kKeras + "bn_alone.keras", "--layout", "chw"});
  EXPECT_NE(inspected.output.find("4 x 5 x 3; samples may be 5 x 3 x 4"), std::string::npos)
      << inspected.output;
  EXPECT_EQ(nnom({"inspect", "m.keras", "--layout", "wch"}).exit_code, 2);
}

}  // namespace
}  // namespace nnomc
