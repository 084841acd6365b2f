// The same int8 model gives the same bytes on the host and on every emulated core, however it is
// packed, rounded and optimised.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "compiler/compile.hpp"
#include "compiler/firmware/boards.hpp"
#include "compiler/firmware/model_firmware.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/board_model.hpp"
#include "tests/compile.hpp"
#include "tests/random_layers.hpp"

namespace nnomc {
namespace {

struct Case {
  const char* core;
  const char* target;
  Optimise optimise;
  Rounding rounding;
  bool per_channel;
  unsigned seed;             ///< of the model
  const char* flag = "-O2";  ///< the user's own; the model's code has its level written in it
};

constexpr auto kSize = Optimise::size, kBalanced = Optimise::balanced, kSpeed = Optimise::speed;
constexpr auto kSingle = Rounding::single_rounding, kDouble = Rounding::double_rounding,
               kNearest = Rounding::nearest, kTruncating = Rounding::truncating;

std::string describe(const Case& c) {
  const char* const optimise[] = {"size", "balanced", "speed"};
  const char* const rounding[] = {"single", "double", "nearest", "truncating"};
  return fmt::format("{} for {}, {}, {}, per {}, model {}, {}", c.core, c.target,
                     optimise[static_cast<size_t>(c.optimise)],
                     rounding[static_cast<size_t>(c.rounding)],
                     c.per_channel ? "channel" : "tensor", c.seed, c.flag);
}

/// Depthwise layers with three taps in a row, which some packings have a way of their own for: one
/// for each of these widths and strides.
Graph depthwise_graph(unsigned seed) {
  Random r(seed);
  Graph graph;
  graph.file = graph.name = "depthwise";
  for (const int width : {2, 3, 4, 5, 6, 7, 9, 10, 11})
    for (const int stride : {1, 2}) {
      const int channels = r.of({4, 8, 12, 16, 20});
      const int input = graph.add_input(
          fmt::format("input {}", graph.inputs.size()),
          {3, {r.whole(1, 7), std::max(stride * width + r.whole(-1, 2), 1), channels}});
      for (bool found = false; !found;) {
        const Graph before = graph;
        if (add_random(graph, "DepthwiseConv2D", {input}, r) >= 0) {
          const auto& op = std::get<nnom::DepthwiseConv2D>(graph.nodes.back().op);
          found = op.kernel.w == 3 && op.stride.w == stride && op.out.w == width &&
                  op.dilation == nnom::Size{1, 1};
        }
        if (!found) graph = before;
      }
      graph.outputs.push_back(graph.nodes.back().output);
    }
  return graph;
}

Program program_of(const Case& c, const Graph& graph) {
  const Numbers numbers{true, c.rounding, layout_of(c.target, c.optimise)};
  return lower(graph, usual_scales(graph, numbers.scheme()),
               {.numbers = numbers, .per_channel = c.per_channel});
}

/// What the host gives for `samples`, the bytes of the inputs of each.
struct Expected {
  std::vector<std::byte> outputs, layers;  ///< of all samples; of the first
};

Expected on_host(const Program& program, std::span<const std::byte> samples) {
  Expected expected;
  Simulator simulator(program);
  for (size_t at = 0; at < samples.size();) {
    const bool first = at == 0;
    simulator.reset();
    for (size_t i = 0; i < program.graph.inputs.size(); ++i) {
      const auto to = std::as_writable_bytes(simulator.input_bytes(i));
      std::copy_n(samples.begin() + static_cast<std::ptrdiff_t>(at), to.size(), to.begin());
      at += to.size();
    }
    simulator.run([&](size_t node, const void* output) {
      if (!first || info(program.graph.nodes[node].op).alias) return;
      const auto* bytes = static_cast<const std::byte*>(output);
      const int count =
          tensor_bytes(program.graph, program.graph.nodes[node].output, program.numbers);
      expected.layers.insert(expected.layers.end(), bytes, bytes + count);
    });
    for (size_t i = 0; i < program.graph.outputs.size(); ++i) {
      const auto bytes = std::as_bytes(simulator.output_bytes(i));
      expected.outputs.insert(expected.outputs.end(), bytes.begin(), bytes.end());
    }
  }
  return expected;
}

/// The first layer whose bytes differ.
std::string first_difference(const Program& program, const std::vector<std::byte>& got,
                             const std::vector<std::byte>& want) {
  size_t at = 0;
  for (const Node& node : program.graph.nodes) {
    if (info(node.op).alias) continue;
    const int count = tensor_bytes(program.graph, node.output, program.numbers);
    for (int i = 0; i < count; ++i, ++at)
      if (at >= got.size() || got[at] != want[at])
        return fmt::format("{}, byte {}", describe(node), i);
  }
  return got.size() == want.size() ? "" : "more layers than there are";
}

void check(const Case& c, const Program& program, std::span<const std::byte> samples) {
  const TempDir folder;
  EmitOptions options;
  options.optimise = c.optimise;
  const std::string elf = firmware_of(program, folder, c.core, c.flag, options);
  const ModelRun got = run_model_firmware(
      elf, c.core, samples, {.layers = true, .count = false, .timeout = std::chrono::seconds(300)});
  const Expected want = on_host(program, samples);
  EXPECT_EQ(first_difference(program, got.layer_output, want.layers), "");
  EXPECT_TRUE(got.output == want.outputs);
}

void check(const Case& c, const Graph& graph) {
  SCOPED_TRACE(describe(c));
  const Program program = program_of(c, graph);
  Random r(c.seed);
  std::vector<std::byte> samples;
  for (int n = 0; n < 3; ++n)
    for (const int t : program.graph.inputs)
      for (int i = program.graph.shape(t).size(); i > 0; --i)
        samples.push_back(static_cast<std::byte>(r.whole(0, 255)));
  check(c, program, samples);
}
void check_all_ops(const Case& c) { check(c, all_ops_graph(c.seed)); }

TEST(Targets, AgreeOnDepthwiseLayers) {
  if (const std::string missing = missing_for("cortex-m4"); !missing.empty())
    GTEST_SKIP() << "needs " << missing;
  for (const Case& c :
       std::vector<Case>{{"cortex-m4", "cortex-m4", kSpeed, kDouble, true, 1},
                         {"cortex-m4", "cortex-m4", kSize, kDouble, false, 2, "-Os"},
                         {"cortex-m33", "cortex-m33", kSize, kDouble, true, 1, "-Os"},
                         {"cortex-m4", "cortex-m4", kSize, kSingle, false, 3, "-Os"},
                         {"cortex-m33", "cortex-m33", kSpeed, kSingle, true, 3},
                         {"cortex-m4", "cortex-m4", kSpeed, kNearest, true, 4}})
    check(c, depthwise_graph(c.seed));
}

TEST(Targets, AgreeWithTheHost) {
  if (const std::string missing = missing_for("cortex-m4"); !missing.empty())
    GTEST_SKIP() << "needs " << missing;
  for (const Case& c :
       std::vector<Case>{{"cortex-m0", "any", kSize, kSingle, true, 1, "-Os"},
                         {"cortex-m0", "any", kBalanced, kDouble, false, 2},
                         {"cortex-m0", "cortex-m0", kSpeed, kSingle, false, 3},
                         {"cortex-m3", "any", kBalanced, kSingle, false, 1},
                         {"cortex-m3", "cortex-m3", kSpeed, kDouble, true, 2},
                         {"cortex-m3", "host", kSize, kDouble, false, 3, "-Os"},
                         {"cortex-m4", "any", kSpeed, kSingle, true, 2},
                         {"cortex-m4", "cortex-m4", kSize, kDouble, true, 1, "-Os"},
                         {"cortex-m4", "cortex-m4", kSize, kDouble, false, 2, "-O0"},
                         {"cortex-m4", "any", kSize, kDouble, false, 3, "-O2"},
                         {"cortex-m4", "cortex-m4", kSize, kSingle, true, 2, "-Os"},
                         {"cortex-m33", "cortex-m33", kSize, kNearest, false, 1, "-Os"},
                         {"cortex-m4", "cortex-m4", kBalanced, kSingle, false, 3, "-O0"},
                         {"cortex-m4", "cortex-m4", kSpeed, kSingle, true, 3},
                         {"cortex-m7", "cortex-m7", kBalanced, kDouble, false, 1},
                         {"cortex-m33", "cortex-m33", kSpeed, kDouble, false, 2},
                         {"cortex-m55", "cortex-m55", kBalanced, kSingle, true, 3, "-O3"},
                         {"cortex-m55", "cortex-m55", kSize, kDouble, false, 1, "-Os"},
                         {"cortex-m55", "cortex-m55", kSpeed, kDouble, true, 2},
                         {"cortex-m55", "cortex-m55", kBalanced, kNearest, false, 1, "-O0"},
                         {"cortex-m55", "cortex-m55", kSpeed, kTruncating, true, 3},
                         {"cortex-m55", "cortex-m4", kSize, kDouble, true, 2},
                         {"cortex-m55", "cortex-m4", kBalanced, kDouble, true, 2},
                         {"cortex-m0", "any", kBalanced, kNearest, true, 1},
                         {"cortex-m3", "host", kSize, kTruncating, false, 2, "-Os"},
                         {"cortex-m4", "cortex-m4", kBalanced, kNearest, true, 2},
                         {"cortex-m33", "cortex-m33", kSpeed, kTruncating, true, 3}})
    check_all_ops(c);
}

/// Weights of `scale`, many of them the largest, and biases.
void add_weights(Node& node, float scale, Random& r) {
  const int least = r.of({-127, -128});
  node.stored = StoredWeights{{scale}, {}};
  for (size_t k = info(node.op).weights(node.op); k > 0; --k)
    node.weights.push_back(
        scale * static_cast<float>(r.one_in(3) ? r.of({least, 127}) : r.whole(least, 127)));
  for (size_t c = info(node.op).channels(node.op); c > 0; --c) {
    node.bias.push_back(0);
    node.stored->bias.push_back(r.whole(-5000, 5000));
  }
}

/// Layers whose sizes end within a vector, a tile or a tap, each with an input of its own. Weights
/// reach their limits, -128 too; some scale their sums up.
Graph vectors_graph(unsigned seed) {
  Graph g;
  g.file = g.name = "vectors";
  Random r(seed);
  const auto size = [&] { return r.of({1, 3, 4, 5, 8, 15, 16, 17, 24, 33, 48}); };
  for (int i = 0; i < 36; ++i) {
    const nnom::Size kernel = r.of<nnom::Size>({{1, 1}, {3, 3}, {3, 3}, {1, 4}, {2, 5}});
    const nnom::Size stride = r.of<nnom::Size>({{1, 1}, {1, 1}, {2, 2}, {1, 3}});
    const nnom::Size dilation = r.one_in(5) ? nnom::Size{2, 2} : nnom::Size{1, 1};
    const nnom::Border pad = r.one_in(2) ? nnom::Border{1, 1, 1, 1} : nnom::Border{};
    Shape in{3, {r.whole(5, 9), r.whole(9, 13), size()}};
    Node node;
    if (i % 3 == 0) {
      node.op = nnom::DepthwiseConv2D{
          .kernel = kernel, .stride = stride, .dilation = dilation, .pad = pad};
    } else if (i % 3 == 1) {
      node.op = nnom::Conv2D{.out = {1, 1, size()},
                             .kernel = kernel,
                             .stride = stride,
                             .dilation = dilation,
                             .pad = pad};
    } else {
      in = {1, {size() * r.of({1, 7})}};
      node.op = nnom::Dense{.out = size()};
    }
    node.name = fmt::format("layer {}", i), node.source = "Vectors";
    node.inputs = {g.add_input(fmt::format("x{}", i), in)};
    info(node.op).infer(node.op, &in, 1);
    add_weights(node, r.of({0x1p-7f, 0x1p-10f, 0x1p-10f, 2.0f}), r);
    g.outputs.push_back(g.add(std::move(node)));
  }
  return g;
}

/// Pointwise layers one after the other, whose pixels are one row and whose outputs lie over their
/// inputs; no number of channels is one of whole tiles.
Graph pointwise_graph(unsigned seed) {
  Random r(seed);
  Graph g;
  g.file = g.name = "pointwise";
  int t = g.add_input("x", {3, {6, 6, 30}});
  for (const int channels : {53, 17, 34, 62, 23, 58}) {
    Node node;
    nnom::Conv2D op;
    op.out.c = channels, op.kernel = op.stride = op.dilation = {1, 1};
    node.op = op;
    node.name = fmt::format("layer {}", g.nodes.size()), node.source = "Pointwise";
    node.inputs = {t};
    info(node.op).infer(node.op, &g.shape(t), 1);
    add_weights(node, 0x1p-10f, r);
    t = g.add(std::move(node));
  }
  g.outputs = {t};
  return g;
}

TEST(Targets, AgreeOnPointwiseLayersInPlace) {
  for (const Case& c : std::vector<Case>{{"cortex-m55", "cortex-m55", kSpeed, kDouble, true, 1},
                                         {"cortex-m4", "cortex-m4", kSpeed, kSingle, true, 2},
                                         {"cortex-m4", "cortex-m4", kSize, kDouble, true, 6},
                                         {"cortex-m3", "cortex-m3", kSize, kDouble, true, 3},
                                         {"cortex-m0", "any", kSpeed, kDouble, true, 4},
                                         {"riscv32", "riscv32", kSpeed, kSingle, true, 5}}) {
    if (const std::string missing = missing_for(c.core); !missing.empty())
      GTEST_SKIP() << "needs " << missing;
    check(c, pointwise_graph(c.seed));
  }
}

TEST(Targets, AgreeWhereVectorsEnd) {
  if (const std::string missing = missing_for("cortex-m55"); !missing.empty())
    GTEST_SKIP() << "needs " << missing;
  for (const Case& c : std::vector<Case>{{"cortex-m55", "cortex-m55", kSize, kSingle, false, 1},
                                         {"cortex-m55", "cortex-m55", kBalanced, kDouble, false, 2},
                                         {"cortex-m55", "cortex-m55", kSpeed, kDouble, false, 3},
                                         {"cortex-m55", "cortex-m55", kSize, kNearest, false, 4},
                                         {"cortex-m4", "cortex-m4", kBalanced, kDouble, false, 2},
                                         {"cortex-m4", "cortex-m4", kSize, kDouble, false, 2},
                                         {"cortex-m4", "cortex-m4", kSize, kNearest, false, 3}}) {
    SCOPED_TRACE(describe(c));
    const Graph graph = vectors_graph(c.seed);
    const Numbers numbers{true, c.rounding, layout_of(c.target, c.optimise)};
    const Program program = lower(graph, usual_scales(graph, numbers.scheme()),
                                  {.numbers = numbers, .per_channel = c.per_channel});
    Random r(c.seed);
    std::vector<std::byte> samples;
    for (const bool extreme : {false, true})
      for (const int t : graph.inputs)
        for (int i = graph.shape(t).size(); i > 0; --i)
          samples.push_back(
              static_cast<std::byte>(extreme ? r.of({-128, -128, 127}) : r.whole(-128, 127)));
    check(c, program, samples);
  }
}

TEST(Targets, AgreeWithTheHostOnRiscV) {
  if (const std::string missing = missing_for("riscv32"); !missing.empty())
    GTEST_SKIP() << "needs " << missing;
  for (const Case& c :
       std::vector<Case>{{"riscv32", "any", kSize, kSingle, true, 1, "-Os"},
                         {"riscv32", "riscv32", kSpeed, kDouble, true, 2},
                         {"riscv32", "host", kBalanced, kDouble, false, 3},
                         {"riscv32", "riscv32", kSpeed, kSingle, false, 4},
                         {"riscv32", "riscv32", kBalanced, kTruncating, true, 3, "-O0"}})
    check_all_ops(c);
}

TEST(Targets, AgreeOnTheExample) {
  const std::string example = NNOM_SOURCE_DIR "/examples/fashion_mnist/";
  const Graph graph = load_model(example + "model.keras");
  const Scaling scaling{1.0 / 255, 0};
  const Samples calibration(graph, {example + "calibration.npy"}, scaling);
  const Samples images(graph, {example + "test_images.npy"}, scaling);
  for (const char* core : {"cortex-m4", "cortex-m0", "riscv32"}) {
    SCOPED_TRACE(core);
    if (const std::string missing = missing_for(core); !missing.empty())
      GTEST_SKIP() << "needs " << missing;
    const Program program = compile(graph, calibration, {.target = core});
    std::vector<std::byte> samples;
    for (size_t i = 0; i < 5; ++i)
      for (const float v : images.read(i, 0))
        samples.push_back(static_cast<std::byte>(stored_value(program, graph.inputs[0], v)));
    check({core, core, kBalanced, kSingle, true, 0}, program, samples);
  }
}

/// Layers in turns, and an input that comes by rows, change no byte.
TEST(Targets, AgreeInTurns) {
  if (const std::string missing = missing_for("cortex-m4"); !missing.empty())
    GTEST_SKIP() << "needs " << missing;
  const std::string example = NNOM_SOURCE_DIR "/examples/fashion_mnist/";
  const Graph graph = load_model(example + "model.keras");
  const Samples calibration(graph, {example + "calibration.npy"}, {1.0 / 255, 0});
  Random r(1);
  std::vector<std::byte> samples;
  for (int i = 3 * graph.shape(graph.inputs[0]).size(); i > 0; --i)
    samples.push_back(static_cast<std::byte>(r.whole(0, 255)));
  struct {
    const char* core;
    Optimise optimise;
    MemoryLimits limits;
  } const cases[] = {{"cortex-m4", kSpeed, {.ram = 10'000}},
                     {"cortex-m4", kSize, {.ram = 8'000, .input_by_rows = true}},
                     {"cortex-m0", kBalanced, {.input_by_rows = true}},
                     {"cortex-m55", kSpeed, {.ram = 9'000, .input_by_rows = true}}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.core);
    const CompileOptions free{.target = c.core, .optimise = c.optimise};
    CompileOptions limited = free;
    limited.limits = c.limits;
    const Program whole = compile(graph, calibration, free);
    const Program program = compile(graph, calibration, limited);
    EXPECT_GT(program.plan.in_turns, 0u);
    EXPECT_LT(program.plan.arena_bytes, whole.plan.arena_bytes);
    const TempDir folder;
    EmitOptions options;
    options.optimise = c.optimise;
    const ModelRun got =
        run_model_firmware(firmware_of(program, folder, c.core, "-O2", options), c.core, samples,
                           {.layers = true, .count = false, .timeout = std::chrono::seconds(300)});
    EXPECT_TRUE(got.output == on_host(whole, samples).outputs);
    EXPECT_TRUE(got.layer_output == on_host(program, samples).layers);
  }
}

/// Every core with every combination of options; the model changes from one to the next.
TEST(SlowTargets, AgreeWithTheHost) {
  static std::vector<std::string> cores = core_names();
  for (const std::string& core : cores)
    if (const std::string missing = missing_for(core); !missing.empty())
      GTEST_SKIP() << "needs " << missing;
  unsigned seed = 100;
  for (const std::string& core : cores)
    for (const Optimise optimise : {kSize, kBalanced, kSpeed})
      for (const Rounding rounding : {kSingle, kDouble, kNearest, kTruncating})
        for (const bool per_channel : {true, false})
          for (const char* target : {"any", core == "cortex-m0plus" ? "cortex-m0" : core.c_str()})
            check_all_ops({core.c_str(), target, optimise, rounding, per_channel, seed++,
                           optimise == kSize ? "-Os" : "-O2"});
}

}  // namespace
}  // namespace nnomc
