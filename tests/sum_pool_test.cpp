// Sum pooling: its scale from calibration, by hand, or chosen when it runs. What it computes is
// seen by kernels_test.
#include <gtest/gtest.h>

#include <numeric>

#include "compiler/compile.hpp"
#include "compiler/error.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/io/array.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/simulate/simulate.hpp"

namespace nnomc {
namespace {

constexpr nnom::Shape kPicture{3, {4, 6, 2}};

template <class Pool>
Pool window() {
  Pool op;
  op.kernel = op.stride = {2, 3};
  op.dilation = {1, 1};
  return op;
}

/// A picture, then `op`; then what `more` adds.
template <class O>
Graph graph_of(const O& op, const std::vector<float>& weights = {}) {
  Graph g;
  g.file = "test", g.name = "test";
  const int in = g.add_input("picture", kPicture);
  g.outputs = {
      g.add({.name = "pool", .source = "Pool", .op = op, .inputs = {in}, .weights = weights})};
  return g;
}

/// Appends a layer to the graph's only output.
template <class O>
void append(Graph& g, const char* name, const O& op, const std::vector<float>& weights = {}) {
  g.outputs = {
      g.add({.name = name, .source = "Test", .op = op, .inputs = g.outputs, .weights = weights})};
}

/// Samples 0 to 1 for a graph of the picture above.
Samples samples_for(const Graph& g, const TempDir& folder) {
  std::vector<float> values(5 * static_cast<size_t>(kPicture.size()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * 7 % 101) / 100;
  Array array{DType::f32, {5, 4, 6, 2}, {}};
  const auto* bytes = reinterpret_cast<const std::byte*>(values.data());
  array.bytes.assign(bytes, bytes + values.size() * sizeof(float));
  const std::string path = folder.file("x.npy");
  write_npy(path, array);
  return Samples(g, {path}, {});
}

std::vector<int> run(const Program& program, const std::vector<int>& stored) {
  Simulator simulator(program);
  std::transform(stored.begin(), stored.end(), simulator.input_bytes(0).begin(),
                 [](int v) { return static_cast<unsigned char>(v); });
  simulator.run();
  std::vector<int> out;
  for (const unsigned char b : simulator.output_bytes(0)) out.push_back(static_cast<int8_t>(b));
  return out;
}

TEST(SumPool, ScaleComesFromCalibrationOrByHand) {
  const TempDir folder;
  const Graph g = graph_of(window<nnom::SumPool2D>());
  const Samples samples = samples_for(g, folder);
  const auto scale = [&](const CompileOptions& o) {
    return compile(g, samples, o).scales[static_cast<size_t>(g.outputs[0])];
  };
  CompileOptions o;
  o.calibration = Calibration::min_max;
  EXPECT_LT(scale(o).scale, 6.0 / 255);  // no window is all ones
  EXPECT_GT(scale(o).scale, 4.0 / 255);
  o.rounding = Rounding::nearest;
  EXPECT_EQ(scale(o), (Quantisation{1.0 / 16, 0}));
  for (const Calibration method : {Calibration::automatic, Calibration::min_max, Calibration::kl}) {
    CompileOptions given;
    given.calibration = method;
    given.ranges["pool"] = {-1, 50};
    EXPECT_FLOAT_EQ(static_cast<float>(scale(given).scale), 51.0f / 255);
    EXPECT_EQ(scale(given).zero, -123);
  }
}

TEST(SumPool, RangesGivenToWhatHasNoneAreRefused) {
  const TempDir folder;
  Graph g = graph_of(window<nnom::SumPool2D>());
  append(g, "softmax", nnom::Softmax{});
  const Samples samples = samples_for(g, folder);
  for (const auto& [name, message] :
       {std::pair{"nobody", "no input or layer of that name"}, {"softmax", "takes no range"}}) {
    CompileOptions o;
    o.ranges[name] = {0, 1};
    try {
      compile(g, samples, o);
      ADD_FAILURE() << name;
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(message), std::string::npos) << e.what();
    }
  }
}

TEST(SumPool, AnAverageTimesItsWindowIsASum) {
  struct Case {
    bool padded;
    float factor;
    bool summed;
  };
  for (const Case& c : std::vector<Case>{
           {false, 6, true}, {false, 5, false}, {true, 6, false}, {false, -6, false}}) {
    auto average = window<nnom::AveragePool2D>();
    if (c.padded) average.pad = {1, 0, 0, 0};
    Graph g = graph_of(average);
    nnom::Mul times;
    times.constant = 1, times.constant_shape = {1, {1}};
    append(g, "times", times, {c.factor});
    g.nodes.back().range.lo = 1;
    const Graph before = g;
    optimise(g);
    ASSERT_EQ(g.nodes.size() == 1, c.summed) << c.factor;
    if (c.summed) {
      EXPECT_TRUE(std::holds_alternative<nnom::SumPool2D>(g.nodes[0].op));
      EXPECT_EQ(g.nodes[0].range.lo, 1);
    }
    const Program one = lower_float(before), other = lower_float(g);
    Simulator a(one), b(other);
    std::vector<float> x(static_cast<size_t>(kPicture.size()));
    std::iota(x.begin(), x.end(), -9.0f);
    a.set_input(0, x), b.set_input(0, x);
    a.run(), b.run();
    const auto want = a.tensor(before.outputs[0]), got = b.tensor(g.outputs[0]);
    ASSERT_EQ(want.size(), got.size());
    for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(want[i], got[i], 1e-4f);
  }
}

TEST(DynamicSumPool, TheShiftFillsInt8AndComesWithTheOutput) {
  nnom::DynamicSumPool2D op;
  op.pool = window<nnom::SumPool2D>();
  const Graph g = graph_of(op);
  struct Case {
    int stored, zero, shift, sum;  // six of one value: what is stored of their sum
  };
  for (const Case& c : std::vector<Case>{{0, 0, 0, 0},
                                         {1, 0, 0, 6},
                                         {21, 0, 0, 126},
                                         {22, 0, 1, 66},
                                         {127, 0, 3, 95},
                                         {-21, 0, 0, -126},
                                         {-128, 0, 3, -96},
                                         {-128, -128, 0, -128},
                                         {127, -128, 3, 63},  // 1530 / 8 - 128, a half up
                                         {-86, -128, 0, 124}}) {
    for (const Rounding r : {Rounding::single_rounding, Rounding::double_rounding}) {
      const Program p = lower(g, {{0.5, c.zero}, {0.5, c.zero}}, {.numbers = {true, r}});
      const auto got = run(p, std::vector<int>(static_cast<size_t>(kPicture.size()), c.stored));
      ASSERT_EQ(got.size(), 2u * 2 * 2 + 1);
      EXPECT_EQ(got.back(), c.shift) << c.stored;
      for (size_t i = 0; i + 1 < got.size(); ++i) EXPECT_EQ(got[i], c.sum) << c.stored;
    }
  }
}

TEST(DynamicSumPool, NoLayerCanReadIt) {
  nnom::DynamicSumPool2D op;
  op.pool = window<nnom::SumPool2D>();
  Graph g = graph_of(op);
  append(g, "after", nnom::Activation{.function = nnom::Function::relu});
  try {
    lower(g, std::vector<Quantisation>(3), {.numbers = {true}});
    ADD_FAILURE() << "no error";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(),
                 "test: layer 'pool' (Pool) chooses its scale when it runs, so no layer can read "
                 "what it gives: make it an output of the model, or use one whose scale is "
                 "calibrated");
  }
}

}  // namespace
}  // namespace nnomc
