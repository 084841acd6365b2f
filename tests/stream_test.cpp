// Models of whole sequences as models of one step a run: the same bits, on the host and on a board.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compiler/compile.hpp"
#include "compiler/error.hpp"
#include "compiler/firmware/model_firmware.hpp"
#include "compiler/firmware/process.hpp"
#include "compiler/io/file.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/board_model.hpp"

namespace nnomc {
namespace {

using Bytes = std::vector<std::byte>;

const std::string kFixtures = NNOM_SOURCE_DIR "/tests/fixtures/";
const std::string kData = NNOM_SOURCE_DIR "/examples/fashion_mnist/";

/// A model, and sequences for it.
struct Case {
  const char* name;
  const char* folder;
  Rounding rounding = Rounding::single_rounding;

  std::string model() const { return kFixtures + folder + "/" + name + ".keras"; }
  Samples samples(const Graph& graph) const {
    if (folder == std::string("rnn")) return {graph, {kData + "calibration.npy"}, {1.0 / 255, 0}};
    return {graph, {kFixtures + folder + "/" + name + ".npz:input_0"}, {}};
  }
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

/// The model whole and step by step, both calibrated on the whole sequences.
struct Both {
  Both(const Case& c, const std::string& target) : graph(load_model(c.model())) {
    samples = c.samples(graph);
    samples.limit(10);
    CompileOptions options;
    options.target = target, options.rounding = c.rounding;
    whole = compile(graph, samples, options);
    options.stream = true;
    stepwise = compile(graph, samples, options);
  }
  int steps() const { return graph.shape(graph.inputs[0])[0]; }
  /// Whether an output has a row for each step.
  bool rows(size_t output) const {
    const int t = graph.outputs[output];
    return graph.shape(t).rank == stepwise.graph.shape(t).rank &&
           graph.shape(t) != stepwise.graph.shape(t);
  }
  /// The stored input of a sample, and what the whole model makes of it.
  Bytes input(size_t sample, std::vector<Bytes>& outputs) const {
    Simulator simulator(whole);
    simulator.set_input(0, samples.read(sample, 0));
    const auto in = std::as_bytes(simulator.input_bytes(0));
    Bytes stored(in.begin(), in.end());
    simulator.run();
    outputs.clear();
    for (size_t i = 0; i < graph.outputs.size(); ++i) {
      const auto out = std::as_bytes(simulator.output_bytes(i));
      outputs.emplace_back(out.begin(), out.end());
    }
    return stored;
  }

  Graph graph;
  Samples samples;
  Program whole, stepwise;
};

Bytes part(const Bytes& all, size_t index, size_t size) {
  const auto from = all.begin() + static_cast<std::ptrdiff_t>(index * size);
  return {from, from + static_cast<std::ptrdiff_t>(size)};
}

class Stream : public testing::TestWithParam<Case> {};

TEST_P(Stream, GivesTheBytesOfTheWholeSequence) {
  const Both both(GetParam(), "host");
  const auto steps = static_cast<size_t>(both.steps());
  ASSERT_GT(steps, 1u);
  EXPECT_EQ(both.stepwise.graph.shape(both.graph.inputs[0])[0], 1);
  Simulator simulator(both.stepwise);
  std::vector<Bytes> expected;
  for (size_t s = 0; s < both.samples.count(); ++s) {
    const Bytes in = both.input(s, expected);
    simulator.reset();
    for (size_t t = 0; t < steps; ++t) {
      const Bytes row = part(in, t, in.size() / steps);
      std::ranges::copy(row, std::as_writable_bytes(simulator.input_bytes(0)).begin());
      simulator.run();
      for (size_t i = 0; i < expected.size(); ++i) {
        if (!both.rows(i) && t + 1 < steps) continue;
        const auto out = std::as_bytes(simulator.output_bytes(i));
        ASSERT_EQ(Bytes(out.begin(), out.end()),
                  part(expected[i], both.rows(i) ? t : 0, out.size()))
            << "output " << i << ", step " << t << " of sample " << s;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Stream,
    testing::Values(Case{"rnn_steps", "keras"}, Case{"rnn_stateful", "keras"},
                    Case{"rnn_functions", "keras"}, Case{"simple", "rnn"}, Case{"gru", "rnn"},
                    Case{"lstm", "rnn"}, Case{"rnn_steps", "keras", Rounding::double_rounding}),
    [](const auto& one) {
      return one.param.name +
             std::string(one.param.rounding == Rounding::double_rounding ? "_double" : "");
    });

/// Until its reset a model goes on: the second sequence isn't what it would be alone.
TEST(StreamState, StaysUntilAReset) {
  const Both both({"gru", "rnn"}, "host");
  std::vector<Bytes> expected;
  const Bytes in = both.input(0, expected);
  const auto steps = static_cast<size_t>(both.steps());
  Simulator simulator(both.stepwise);
  std::vector<std::vector<float>> last;
  for (const bool reset : {true, false, true}) {
    if (reset) simulator.reset();
    for (size_t t = 0; t < steps; ++t) {
      const Bytes row = part(in, t, in.size() / steps);
      std::ranges::copy(row, std::as_writable_bytes(simulator.input_bytes(0)).begin());
      simulator.run();
    }
    last.push_back(simulator.output(0));
  }
  EXPECT_NE(last[0], last[1]);
  EXPECT_EQ(last[0], last[2]);
}

TEST(StreamBoard, GivesTheBytesOfTheWholeSequence) {
  if (find_program("arm-none-eabi-g++").empty() || find_program("qemu-system-arm").empty())
    GTEST_SKIP() << "needs arm-none-eabi-g++ and qemu-system-arm";
  const Both both({"rnn_steps", "keras"}, "cortex-m4");
  const TempDir folder;
  const std::string elf = firmware_of(both.stepwise, folder, "cortex-m4");
  std::vector<Bytes> expected;
  const Bytes in = both.input(0, expected);
  ModelRunOptions options;
  options.follow = static_cast<size_t>(both.steps());  // every sample is a step
  const Bytes out = run_model_firmware(elf, "cortex-m4", in, options).output;
  const auto steps = static_cast<size_t>(both.steps());
  const size_t run = out.size() / steps;
  ASSERT_GT(run, 0u);
  size_t at = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const size_t size = expected[i].size() / (both.rows(i) ? steps : 1);
    for (size_t t = both.rows(i) ? 0 : steps - 1; t < steps; ++t)
      EXPECT_EQ(
          part(Bytes(out.begin() + static_cast<std::ptrdiff_t>(t * run + at), out.end()), 0, size),
          part(expected[i], both.rows(i) ? t : 0, size))
          << "output " << i << ", step " << t;
    at += size;
  }
  EXPECT_EQ(at, run);
}

/// `nnom run` and `nnom evaluate` take whole sequences, and run their steps one after the other.
TEST(StreamCommands, TakeWholeSequences) {
  const TempDir folder;
  const std::string fixture = kFixtures + "keras/rnn_steps";
  const auto nnom = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), NNOM_BINARY);
    arguments.insert(arguments.begin() + 2,
                     {fixture + ".keras", "--calibrate", fixture + ".npz:input_0"});
    const Outcome outcome =
        run_command({.arguments = arguments, .directory = folder.path().string()});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
    return outcome.output;
  };
  const std::string data = fixture + ".npz:input_0";
  nnom({"run", "--input", data, "-o", "whole.bin"});
  nnom({"run", "--input", data, "-o", "steps.bin", "--stream"});
  const auto whole = read_file(folder.file("whole.bin"));
  EXPECT_FALSE(whole.empty());
  EXPECT_EQ(read_file(folder.file("steps.bin")), whole);
  write_file(folder.file("stored.bin"), std::string(2 * 9 * 4, 'a'));
  nnom({"run", "--input", "stored.bin", "-o", "whole.bin"});
  nnom({"run", "--input", "stored.bin", "-o", "steps.bin", "--stream"});
  EXPECT_EQ(read_file(folder.file("steps.bin")), read_file(folder.file("whole.bin")));
  if (!find_program("arm-none-eabi-g++").empty() && !find_program("qemu-system-arm").empty()) {
    nnom({"run", "--input", data, "-o", "board.bin", "--stream", "--on", "cortex-m4"});
    EXPECT_EQ(read_file(folder.file("board.bin")), whole);
  }
  EXPECT_THAT(nnom({"evaluate", "--data", data, "--stream"}),
              testing::HasSubstr("a step a run: 9 runs a sample; costs are of one"));
}

/// What needs more than a step is refused, with the layer's name and class.
TEST(StreamErrors, NameTheLayer) {
  const struct {
    const char *model, *what;
  } cases[] = {
      {"rnn_kinds",
       "layer 'simple_2' (SimpleRNN): it can't run step by step: it begins at the last"},
      {"rnn_states", "inputs have to be sequences of as many steps"},
      {"rnn_bidirectional", "layer 'concat/backward' (Bidirectional): it can't run step by step"},
      {"rnn_network", "layer 'conv1d' (Conv1D): it can't run step by step: it slides"},
      {"net_signal", "(Conv1D): it can't run step by step: it slides over several steps"},
      {"shapes", "it needs all steps at once"},
      {"pooling1d", "it slides over several steps"},
  };
  for (const auto& c : cases) {
    const Graph graph = load_model(kFixtures + "keras/" + c.model + ".keras");
    CompileOptions options;
    options.target = "host", options.stream = true;
    try {
      compile(graph, Samples::synthetic(graph, 2), options);
      ADD_FAILURE() << c.model << " was converted";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr(c.what));
    }
  }
}

}  // namespace
}  // namespace nnomc
