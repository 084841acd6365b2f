// Weights joined in pairs (nnom::Linear::joined): done where it is exact and nowhere else, at the
// very edges of the proof, and with the bytes of plain weights on every core that reads them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "compiler/compile.hpp"
#include "compiler/firmware/boards.hpp"
#include "compiler/firmware/model_firmware.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/board_model.hpp"
#include "tests/random_layers.hpp"

namespace nnomc {
namespace {

using Bytes = std::vector<std::byte>;

/// A convolution whose stored weights are drawn from [least, most], those of every other output
/// channel from [least_b, most_b].
struct Case {
  const char* name;
  bool joined;
  Shape in;
  int channels;
  nnom::Size kernel;
  int least, most, least_b, most_b;
  int64_t bias = 0;
  double factor = 0.004;  ///< from accumulator to output
  nnom::Size stride{1, 1};
  int groups = 1;
};

const Shape kPicture{3, {5, 7, 6}}, kLine{1, {512}};

const Case kCases[] = {
    {"even sizes", true, {3, {6, 6, 8}}, 8, {3, 3}, -127, 127, -127, 127},
    {"odd channels", true, {3, {7, 5, 3}}, 7, {3, 2}, -127, 127, -127, 127, -3000},
    {"one output channel", true, kPicture, 1, {2, 3}, -127, 127, 0, 0},
    {"one weight", true, {3, {4, 5, 1}}, 3, {1, 1}, -127, 127, -127, 127, 99, 0.1},
    {"one pixel", true, {1, {37}}, 9, {1, 1}, -127, 127, -127, 127},
    {"strides over pixels", true, kPicture, 5, {1, 1}, -127, 127, -127, 127, 0, 0.01, {2, 3}},
    {"few channels", true, {3, {9, 8, 2}}, 10, {3, 3}, -127, 127, -127, 127, 0, 0.01, {2, 2}},
    {"few channels, long windows", true, {3, {9, 7, 1}}, 3, {8, 5}, -127, 127, -127, 127, 7},
    {"groups", true, kPicture, 9, {3, 3}, -127, 127, -127, 127, 0, 0.01, {2, 1}, 3},
    {"-128 above what is not negative", true, kPicture, 6, {2, 2}, -128, -128, 0, 127},
    {"-128 below", true, kPicture, 6, {2, 2}, -127, 127, -128, -128},
    {"-128 above what is negative", false, kPicture, 6, {2, 2}, -128, -128, -128, 127},
    {"the largest sum", true, kLine, 4, {1, 1}, -127, -127, -127, 0, 65535, 0x1p-16},
    {"a larger one", false, kLine, 4, {1, 1}, -127, -127, -127, 0, 65536, 0x1p-16},
    {"the least sum", true, kLine, 4, {1, 1}, 127, 127, 0, 127, -65535, 0x1p-16},
    {"a lesser one", false, kLine, 4, {1, 1}, 127, 127, 0, 127, -65536, 0x1p-16},
    {"no shift", false, {1, {9}}, 4, {1, 1}, -9, 9, -9, 9, 0, 0.5},
    {"a shift by one", true, {1, {9}}, 4, {1, 1}, -9, 9, -9, 9, 0, 0.499},
    {"the longest shift", true, kLine, 4, {1, 1}, -127, -127, 0, 127, 65535, 0x1p-23 * 0.99},
    {"everything vanishes", true, kLine, 4, {1, 1}, -127, -127, 0, 127, 65535, 0x1p-24 * 0.99},
    {"a factor of 0", true, kLine, 4, {1, 1}, -127, -127, 0, 127, 65535, 0x1p-40},
};

/// A layer for each case, on an input of its own.
Graph graph_of_cases() {
  Random r(1);
  Graph graph;
  graph.file = graph.name = "joined";
  for (const Case& c : kCases) {
    Node node;
    node.name = c.name, node.source = "Case";
    node.inputs = {graph.add_input(c.name, c.in)};
    nnom::Conv2D op;
    op.out.c = c.channels, op.kernel = c.kernel, op.stride = c.stride, op.groups = c.groups;
    op.dilation = {1, 1};
    op.pad = nnom::same_border(nnom::image(c.in), c.kernel, c.stride, op.dilation);
    const int own = c.kernel.size() * c.in.back() / c.groups;
    for (int o = 0; o < c.channels; ++o)
      for (int k = 0; k < own; ++k)
        node.weights.push_back(static_cast<float>(o % (c.channels / c.groups) % 2
                                                      ? r.whole(c.least_b, c.most_b)
                                                      : r.whole(c.least, c.most)));
    node.op = op;
    node.stored =
        StoredWeights{.scale = std::vector<float>(static_cast<size_t>(c.channels), 1),
                      .bias = std::vector<int64_t>(static_cast<size_t>(c.channels), c.bias)};
    graph.outputs.push_back(graph.add(std::move(node)));
  }
  return graph;
}

Program program_of(const std::string& target, Rounding rounding) {
  const Graph graph = graph_of_cases();
  std::vector<Quantisation> scales(graph.tensors.size(), {1, 0});
  for (size_t i = 0; i < std::size(kCases); ++i)
    scales[static_cast<size_t>(graph.outputs[i])] = {1 / kCases[i].factor, i % 2 ? -7 : 0};
  return lower(graph, scales, {.numbers = {true, rounding, layout_of(target)}});
}

/// Random inputs and, where sums have to be largest, extreme ones.
Bytes samples_of(const Graph& graph) {
  Random r(2);
  Bytes bytes;
  for (const int extreme : {0, -128, 127})
    for (const int t : graph.inputs)
      for (int i = graph.shape(t).size(); i > 0; --i)
        bytes.push_back(static_cast<std::byte>(extreme ? extreme : r.whole(-128, 127)));
  return bytes;
}

Bytes on_host(const Program& program, const Bytes& samples) {
  Simulator simulator(program);
  Bytes outputs;
  for (auto at = samples.begin(); at != samples.end();) {
    for (size_t i = 0; i < program.graph.inputs.size(); ++i) {
      const auto to = std::as_writable_bytes(simulator.input_bytes(i));
      std::copy_n(at, to.size(), to.begin());
      at += static_cast<std::ptrdiff_t>(to.size());
    }
    simulator.run();
    for (size_t i = 0; i < program.graph.outputs.size(); ++i) {
      const auto bytes = std::as_bytes(simulator.output_bytes(i));
      outputs.insert(outputs.end(), bytes.begin(), bytes.end());
    }
  }
  return outputs;
}

TEST(Joined, WhereItIsExact) {
  const Program program = program_of("cortex-m4", Rounding::double_rounding);
  using Data = nnom::Linear<nnom::Int8<nnom::Double, nnom::layout::Dsp>>;
  for (size_t i = 0; i < std::size(kCases); ++i)
    EXPECT_EQ(static_cast<const Data*>(program.data[i].value.get())->joined, kCases[i].joined)
        << kCases[i].name;
}

TEST(Joined, GivesTheBytesOfPlainWeights) {
  for (const Rounding rounding : {Rounding::double_rounding, Rounding::single_rounding}) {
    const Program plain = program_of("any", rounding);
    const Bytes samples = samples_of(plain.graph), want = on_host(plain, samples);
    const Program dsp = program_of("cortex-m4", rounding);
    EXPECT_TRUE(on_host(dsp, samples) == want);
    if (find_program("arm-none-eabi-g++").empty() || find_program("qemu-system-arm").empty())
      GTEST_SKIP() << "needs arm-none-eabi-g++ and qemu-system-arm";
    for (const char* core : {"cortex-m4", "cortex-m7", "cortex-m33"}) {
      const TempDir folder;
      const std::string elf = firmware_of(dsp, folder, core, "-O2", {});
      const ModelRun got = run_model_firmware(
          elf, core, samples, {.count = false, .timeout = std::chrono::seconds(300)});
      EXPECT_TRUE(got.output == want) << core;
    }
  }
}

}  // namespace
}  // namespace nnomc
