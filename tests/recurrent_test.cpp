// Trained recurrent networks in int8: what they lose to float, on the host and on a board, and one
// step a run.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "compiler/compile.hpp"
#include "compiler/firmware/model_firmware.hpp"
#include "compiler/quantise/compare.hpp"
#include "compiler/simulate/simulate.hpp"
#include "nnom/tanh16.hpp"
#include "tests/board_model.hpp"

namespace nnomc {
namespace {

const std::string kModels = NNOM_SOURCE_DIR "/tests/fixtures/rnn/";
const std::string kData = NNOM_SOURCE_DIR "/examples/fashion_mnist/";

/// A model of tests/fixtures/rnn/train.py, and images for it, row by row.
struct Trained {
  explicit Trained(const std::string& name)
      : graph(load_model(kModels + name + ".keras")),
        calibration(graph, {kData + "calibration.npy"}, {1.0 / 255, 0}),
        test(graph, {kData + "test_images.npy"}, {1.0 / 255, 0}) {}

  Program compiled(const std::string& target, Rounding rounding) const {
    CompileOptions options;
    options.target = target, options.rounding = rounding;
    return compile(graph, calibration, options);
  }

  Graph graph;
  Samples calibration, test;
};

size_t right_of(const Program& program, const Samples& samples) {
  const Array labels = read_array(kData + "test_labels.npy");
  std::vector<char> right(samples.count());
  in_parallel(samples.count(), [&](size_t s) {
    Simulator simulator(program);
    simulator.set_input(0, samples.read(s, 0));
    simulator.run();
    const std::vector<float> scores = simulator.output(0);
    const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
    right[s] = best == static_cast<std::ptrdiff_t>(labels.at(static_cast<int64_t>(s)));
  });
  return static_cast<size_t>(std::count(right.begin(), right.end(), 1));
}

/// tanh and the logistic function of gates are the nearest 16-bit value, but near half-way between
/// two; for arguments of fewer bits the same as for those of 20.
TEST(GateFunctions, AreAsGoodAsRoundedOnce) {
  const auto stored = [](double v) { return std::clamp(v * 32768, -32768.0, 32767.0); };
  for (int a = -(14 << 20); a <= 14 << 20; a += 61) {
    const double x = std::ldexp(a, -20);
    ASSERT_LE(std::abs(nnom::tanh16::tanh(a, 20) - stored(std::tanh(x))), 0.55) << a;
    ASSERT_LE(std::abs(nnom::tanh16::logistic(a, 20) - stored(1 / (1 + std::exp(-x)))), 0.55) << a;
  }
  for (int a = -(20 << 12); a <= 20 << 12; ++a) {
    ASSERT_EQ(nnom::tanh16::tanh(a, 12), nnom::tanh16::tanh(a * 256, 20)) << a;
    ASSERT_EQ(nnom::tanh16::logistic(a, 12), nnom::tanh16::logistic(a * 256, 20)) << a;
  }
  for (const int far : {-(1 << 29), (1 << 29) - 1}) {
    EXPECT_EQ(nnom::tanh16::tanh(far, 12), far < 0 ? -32768 : 32767);
    EXPECT_EQ(nnom::tanh16::logistic(far, 12), far < 0 ? 0 : 32767);
  }
}

class Recurrent : public testing::TestWithParam<const char*> {};

TEST_P(Recurrent, Int8LosesAtMostAPoint) {
  const Trained model(GetParam());
  const size_t real = right_of(lower_float(model.graph), model.test);
  EXPECT_GT(real, model.test.count() * 3 / 4);
  for (const Rounding rounding : {Rounding::single_rounding, Rounding::double_rounding}) {
    const Program program = model.compiled("host", rounding);
    const size_t stored = right_of(program, model.test);
    EXPECT_GE(stored + model.test.count() / 100, real);
    double least = 1000;
    for (const LayerError& e : compare_with_float(program, model.calibration, true))
      least = std::min(least, e.sqnr);
    EXPECT_GT(least, 20);
    fmt::print("{}: float {}, int8 {} of {}; least SQNR {:.1f} dB\n", GetParam(), real, stored,
               model.test.count(), least);
  }
}

TEST_P(Recurrent, ABoardGivesTheSameBytes) {
  if (find_program("arm-none-eabi-g++").empty() || find_program("qemu-system-arm").empty())
    GTEST_SKIP() << "needs arm-none-eabi-g++ and qemu-system-arm";
  const Trained model(GetParam());
  const Program program = model.compiled("cortex-m4", Rounding::single_rounding);
  const TempDir folder;
  const std::string elf = firmware_of(program, folder, "cortex-m4");
  std::vector<std::byte> in, out;
  Simulator simulator(program);
  for (size_t s = 0; s < 5; ++s) {
    simulator.set_input(0, model.test.read(s, 0));
    const auto bytes = std::as_bytes(simulator.input_bytes(0));
    in.insert(in.end(), bytes.begin(), bytes.end());
    simulator.reset();
    simulator.run();
    const auto result = std::as_bytes(simulator.output_bytes(0));
    out.insert(out.end(), result.begin(), result.end());
  }
  EXPECT_EQ(run_model_firmware(elf, "cortex-m4", in).output, out);
}

INSTANTIATE_TEST_SUITE_P(All, Recurrent, testing::Values("gru", "lstm", "simple", "bidirectional"),
                         [](const auto& one) { return std::string(one.param); });

/// The recurrent layer of a model alone, for sequences of `steps` steps.
template <class Layer>
Program layer_alone(const Program& whole, int steps, bool stateful) {
  Graph g;
  g.file = g.name = "alone";
  Node node = whole.graph.nodes.at(0);
  auto op = std::get<Layer>(node.op);
  op.stateful = stateful;
  node.op = op;
  node.inputs = {g.add_input("x", {2, {steps, op.inputs}})};
  g.outputs = {g.add(std::move(node))};
  const Node& first = whole.graph.nodes[0];
  return lower(g,
               {whole.scales[static_cast<size_t>(first.inputs[0])],
                whole.scales[static_cast<size_t>(first.output)]},
               {.numbers = whole.numbers});
}

template <class Layer>
void check_steps(const char* name) {
  const Trained model(name);
  const Program program = model.compiled("host", Rounding::double_rounding);
  const Program all = layer_alone<Layer>(program, 28, false);
  const Program one = layer_alone<Layer>(program, 1, true);
  Simulator whole(all), stepwise(one);
  for (size_t s = 0; s < 20; ++s) {
    const std::vector<float> rows = model.test.read(s, 0);
    whole.set_input(0, rows);
    whole.run();
    stepwise.reset();
    for (std::ptrdiff_t t = 0; t < 28; ++t) {
      stepwise.set_input(0, std::vector<float>(rows.begin() + 28 * t, rows.begin() + 28 * (t + 1)));
      stepwise.run();
    }
    ASSERT_EQ(stepwise.output(0), whole.output(0)) << s;
  }
}

TEST(RecurrentState, GivesTheSameBitsStepByStep) {
  check_steps<nnom::GruLayer>("gru");
  check_steps<nnom::LstmLayer>("lstm");
  check_steps<nnom::RnnLayer>("simple");
}

}  // namespace
}  // namespace nnomc
