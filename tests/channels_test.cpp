// Channels that are left out: what remains has the bytes it had, on graphs made for each rule and
// on random ones.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "compiler/error.hpp"
#include "compiler/passes/drop_channels.hpp"
#include "compiler/simulate/simulate.hpp"
#include "tests/quantised_net.hpp"
#include "tests/random_layers.hpp"

namespace nnomc {
namespace {

using Kept = std::vector<std::vector<bool>>;

Numbers int8(Rounding rounding, Layout layout = Layout::vector) { return {true, rounding, layout}; }

std::vector<std::vector<float>> random_inputs(const Graph& graph, Random& r) {
  std::vector<std::vector<float>> inputs;
  for (const int t : graph.inputs) {
    std::vector<float>& values = inputs.emplace_back();
    for (int k = graph.shape(t).size(); k > 0; --k)
      values.push_back(static_cast<float>(r.real(-3, 3)));
  }
  return inputs;
}

/// Every tensor after a run.
std::vector<std::vector<float>> all_tensors(const Graph& graph, const Numbers& numbers,
                                            const std::vector<std::vector<float>>& inputs) {
  const Program program = lower(graph, {}, {.numbers = numbers, .separate = true});
  Simulator simulator(program);
  for (size_t i = 0; i < inputs.size(); ++i) simulator.set_input(i, inputs[i]);
  simulator.run();
  std::vector<std::vector<float>> tensors;
  for (size_t t = 0; t < graph.tensors.size(); ++t)
    tensors.push_back(simulator.tensor(static_cast<int>(t)));
  return tensors;
}

std::vector<float> channels_of(const std::vector<float>& values, const std::vector<bool>& kept) {
  std::vector<float> some;
  for (size_t i = 0; i < values.size(); ++i)
    if (kept[i % kept.size()]) some.push_back(values[i]);
  return some;
}

bool are_near(float a, float b, float near) {
  return a == b || (std::isnan(a) && std::isnan(b)) ||
         std::abs(a - b) <= near * std::max(1.0f, std::abs(b));
}

/// Leaves channels out, and compares what remains of every tensor, and the outputs of the model as
/// it is planned. `lean` becomes the graph without them.
void expect_same(const Graph& graph, const Numbers& numbers, Random& r, float near, Graph& lean) {
  lean = graph;
  const Kept kept = drop_channels(lean, numbers.rounding);
  for (int run = 0; run < 2; ++run) {
    const auto inputs = random_inputs(graph, r);
    const auto want = all_tensors(graph, numbers, inputs), got = all_tensors(lean, numbers, inputs);
    for (size_t t = 0; t < want.size(); ++t) {
      const std::vector<float> some = channels_of(want[t], kept[t]);
      ASSERT_EQ(got[t].size(), some.size());
      for (size_t i = 0; i < some.size(); ++i)
        ASSERT_PRED3(are_near, got[t][i], some[i], near) << "tensor " << t << ", element " << i;
    }
    const auto outputs = run_once(lower(lean, {}, {.numbers = numbers}), inputs);
    for (size_t i = 0; i < outputs.size(); ++i) {
      const std::vector<float>& apart = got[static_cast<size_t>(graph.outputs[i])];
      for (size_t k = 0; k < apart.size(); ++k)
        ASSERT_PRED3(are_near, outputs[i][k], apart[k], 0.0f) << "output " << i;
    }
  }
}

/// A network, and how many channels of its linear layers can go.
struct Case {
  const char* name;
  int64_t left_out;
  std::function<int(QuantisedNet&, int x)> build;  ///< returns the output
};

const std::vector<int> kTwo = {1, 4};
constexpr int kSome = 900;     // a bias that gives another value than the zero point
constexpr int kMuch = 200000;  // one that saturates

const std::vector<Case> kCases = {
    {"no weights, read by a pixel each", 2,
     [](QuantisedNet& n, int x) {
       return n.conv(n.conv(x, 1, false, 6, {.idle = kTwo, .bias = kSome}), 1, false, 3, {});
     }},
    {"read by nothing", 2,
     [](QuantisedNet& n, int x) {
       return n.conv(n.conv(x, 3, true, 6, {}), 3, true, 3, {.unread = kTwo});
     }},
    {"an output keeps all", 0,
     [](QuantisedNet& n, int x) { return n.conv(x, 3, true, 6, {.idle = kTwo, .bias = kSome}); }},
    {"nothing but constants: one stays", 5,
     [](QuantisedNet& n, int x) {
       return n.conv(n.conv(x, 1, false, 6, {.idle = {0, 1, 2, 3, 4, 5}, .bias = kSome}), 1, false,
                     3, {});
     }},
    {"a border reads something else", 0,
     [](QuantisedNet& n, int x) {
       return n.conv(n.conv(x, 1, false, 6, {.idle = kTwo, .bias = kSome}), 3, true, 3, {});
     }},
    {"a border without weights", 2,
     [](QuantisedNet& n, int x) {
       return n.conv(n.conv(x, 1, false, 6, {.idle = kTwo, .bias = kSome}), 3, true, 3,
                     {.edges = false});
     }},
    {"a border reads the same, as it is the zero point", 2,
     [](QuantisedNet& n, int x) {
       return n.conv(n.conv(x, 1, false, 6, {.idle = kTwo}), 3, true, 3, {});
     }},
    {"no border", 2,
     [](QuantisedNet& n, int x) {
       return n.conv(n.conv(x, 1, false, 6, {.idle = kTwo, .bias = kSome}), 3, false, 3, {});
     }},
    {"depthwise, of the zero point", 4,
     [](QuantisedNet& n, int x) {
       const int y = n.conv(x, 1, false, 6, {.idle = kTwo});
       return n.conv(n.depthwise(y, 3, true, {.idle = kTwo, .bias = kSome}), 1, false, 3, {});
     }},
    {"depthwise, another value at the border", 0,
     [](QuantisedNet& n, int x) {
       const int y = n.conv(x, 1, false, 6, {.idle = kTwo, .bias = kSome});
       return n.conv(n.depthwise(y, 3, true, {}), 1, false, 3, {});
     }},
    {"depthwise without a border", 4,
     [](QuantisedNet& n, int x) {
       const int y = n.conv(x, 1, false, 6, {.idle = kTwo, .bias = kSome});
       return n.conv(n.depthwise(y, 3, false, {}), 1, false, 3, {});
     }},
    {"depthwise that saturates at the border and inside", 4,
     [](QuantisedNet& n, int x) {
       const int y = n.conv(x, 1, false, 6, {.idle = kTwo, .bias = kSome});
       return n.conv(n.depthwise(y, 3, true, {.idle = kTwo, .bias = kMuch}), 1, false, 3, {});
     }},
    {"depthwise without weights: its input matters no more", 4,
     [](QuantisedNet& n, int x) {
       const int y = n.conv(x, 1, false, 6, {});
       return n.conv(n.depthwise(y, 3, true, {.unread = kTwo}), 1, false, 3, {});
     }},
    {"what always saturates", 2,
     [](QuantisedNet& n, int x) {
       QuantisedNet::Linear beyond{.range = {-0.5f, 0.5f}};
       const int y = n.conv(x, 1, false, 6, beyond);
       for (const int c : kTwo) n.graph.nodes.back().stored->bias[static_cast<size_t>(c)] = -kMuch;
       return n.conv(y, 1, false, 3, {});
     }},
    {"through a pool, a mean and a dense layer", 2,
     [](QuantisedNet& n, int x) {
       int y = n.conv(x, 3, true, 6, {.idle = kTwo, .bias = kSome});
       nnom::MaxPool2D pool;
       pool.kernel = pool.stride = {2, 2}, pool.dilation = {1, 1};
       y = n.add(pool, y, true);
       nnom::Mean mean;
       mean.axes[0] = mean.axes[1] = true;
       return n.dense(n.add(mean, y), 3, {});
     }},
    {"through a flattening", 2,
     [](QuantisedNet& n, int x) {
       const int y = n.conv(x, 3, true, 6, {.idle = kTwo, .bias = kSome});
       const int size = n.graph.shape(y).size();
       return n.dense(n.add(nnom::Reshape{{1, {size}}}, y, true), 3, {});
     }},
    {"a sum of two constants", 4,
     [](QuantisedNet& n, int x) {
       const int a = n.conv(x, 1, false, 6, {.idle = kTwo, .bias = kSome});
       const int b = n.conv(x, 1, false, 6, {.idle = kTwo, .bias = -kSome});
       return n.conv(n.add(nnom::Add{}, {a, b}), 1, false, 3, {});
     }},
    {"a sum with a constant on one side", 0,
     [](QuantisedNet& n, int x) {
       const int a = n.conv(x, 1, false, 6, {.idle = kTwo, .bias = kSome});
       const int b = n.conv(x, 1, false, 6, {});
       return n.conv(n.add(nnom::Add{}, {a, b}), 1, false, 3, {});
     }},
    {"a sum that nothing reads", 4,
     [](QuantisedNet& n, int x) {
       const int a = n.conv(x, 1, false, 6, {}), b = n.conv(x, 1, false, 6, {});
       return n.conv(n.add(nnom::Add{}, {a, b}), 1, false, 3, {.unread = kTwo});
     }},
    {"a sum whose operand something else reads", 0,
     [](QuantisedNet& n, int x) {
       const int a = n.conv(x, 1, false, 6, {}), b = n.conv(x, 1, false, 6, {});
       const int c = n.conv(n.add(nnom::Add{}, {a, b}), 1, false, 3, {.unread = kTwo});
       n.graph.outputs.push_back(n.conv(a, 1, false, 2, {}));
       return c;
     }},
    {"side by side", 3,
     [](QuantisedNet& n, int x) {
       const int a = n.conv(x, 1, false, 6, {.idle = kTwo, .bias = kSome});
       const int b = n.conv(x, 1, false, 4, {.idle = {0}, .bias = kSome});
       return n.conv(n.add(nnom::Concat{}, {a, b}), 1, false, 3, {});
     }},
    {"one under the other", 0,
     [](QuantisedNet& n, int x) {
       const int a = n.conv(x, 1, false, 6, {.idle = kTwo, .bias = kSome});
       const int b = n.conv(x, 1, false, 6, {.idle = {0}, .bias = kSome});
       nnom::Concat below;
       below.axis = 0;
       return n.conv(n.add(below, {a, b}), 1, false, 3, {});
     }},
    {"softmax mixes channels", 0,
     [](QuantisedNet& n, int x) {
       const int a = n.conv(x, 1, false, 6, {.idle = kTwo, .bias = kSome});
       return n.conv(n.add(nnom::Softmax{}, a), 1, false, 3, {});
     }},
};

TEST(Channels, ThatDontMatterAreLeftOut) {
  for (const Case& c : kCases)
    for (const Rounding rounding : {Rounding::single_rounding, Rounding::double_rounding})
      for (const Layout layout : {Layout::plain, Layout::dsp, Layout::vector}) {
        SCOPED_TRACE(fmt::format("{}, {}", c.name, describe(int8(rounding, layout))));
        QuantisedNet net;
        const int x = net.input({3, {5, 4, 3}});
        net.graph.outputs.push_back(c.build(net, x));
        Graph lean;
        expect_same(net.graph, int8(rounding, layout), net.r, 0, lean);
        EXPECT_EQ(channels(net.graph) - channels(lean), c.left_out);
        Graph again = lean;
        drop_channels(again, rounding);
        EXPECT_EQ(channels(again), channels(lean)) << "the second time finds more";
      }
}

TEST(Channels, IdleOnesFillWholeTiles) {
  constexpr int kTile = 5;
  int filled = 0;
  for (const Case& c : kCases)
    for (const Rounding rounding : {Rounding::single_rounding, Rounding::double_rounding}) {
      SCOPED_TRACE(fmt::format("{}, {}", c.name, describe(int8(rounding, Layout::dsp))));
      QuantisedNet net;
      const int x = net.input({3, {5, 4, 3}});
      net.graph.outputs.push_back(c.build(net, x));
      Graph lean = net.graph, least = net.graph;
      drop_channels(lean, rounding, kTile);
      drop_channels(least, rounding);
      filled += channels(lean) > channels(least);
      for (size_t t = 0; t < lean.tensors.size(); ++t) {
        const int now = lean.tensors[t].shape.back(), before = net.graph.tensors[t].shape.back();
        EXPECT_TRUE(now % kTile == 0 || now == before) << now << " of " << before;
      }
      const auto inputs = random_inputs(net.graph, net.r);
      const Lowering options{.numbers = int8(rounding, Layout::dsp)};
      EXPECT_EQ(run_once(lower(lean, {}, options), inputs),
                run_once(lower(net.graph, {}, options), inputs));
    }
  EXPECT_GT(filled, 0);
}

bool is_elementwise(const Node& node) {
  return std::visit(
      [](const auto& op) {
        return requires { op.constant_shape; };
      },
      node.op);
}

/// A random graph whose outputs are made by layers that mix channels.
Graph random_mixed(Random& r) {
  Graph graph = random_graph(r.whole(2, 20), r);
  graph.outputs.clear();
  for (int t = 0, end = static_cast<int>(graph.tensors.size()); t < end; ++t) {
    if (graph.producer(t) < 0 || !graph.consumers(t).empty()) continue;
    const bool last_of_all =
        info(graph.nodes[static_cast<size_t>(graph.producer(t))].op).scales_itself;
    const int last =
        last_of_all ? -1 : add_random(graph, graph.shape(t).rank == 1 ? "Dense" : "Conv2D", {t}, r);
    graph.outputs.push_back(last < 0 ? t : last);
  }
  return graph;
}

/// Has some channels of linear layers idle and some unread, as pruning does, and quantises the
/// graph: all of it as a file does, or no tensor.
void prune(Graph& graph, bool quantised, Random& r) {
  for (Node& node : graph.nodes) {
    if (quantised && !node.weights.empty() && is_elementwise(node))
      node.stored = StoredWeights{{0.02f}, {}, r.whole(-9, 9)};
    if (!info(node.op).linear) continue;
    const size_t channels = info(node.op).channels(node.op);
    const int in = graph.shape(node.inputs[0]).back();
    std::vector<bool> idle(channels), unread(static_cast<size_t>(in));
    for (size_t c = 0; c < channels; ++c) idle[c] = r.one_in(3);
    for (size_t c = 0; c < unread.size(); ++c) unread[c] = r.one_in(4);
    StoredWeights stored;
    const bool per_channel = r.one_in(2);
    node.bias.resize(channels);
    for (size_t c = 0; c < channels; ++c) {
      const ChannelWeights own = channel_weights(node, c);
      for (size_t k = 0; k < own.count; ++k)
        if (idle[c] || unread[k % unread.size()]) node.weights[own[k]] = 0;
      if (idle[c]) node.bias[c] = static_cast<float>(r.of({0.0, 0.0, r.real(-1, 1), 9.0}));
    }
    if (!quantised) continue;
    const double scale = graph.tensors[static_cast<size_t>(node.inputs[0])].quantisation->scale;
    for (size_t c = 0; c < channels; ++c) {
      const auto unit = static_cast<float>(per_channel ? r.real(0.005, 0.02) : 0.01);
      if (per_channel || c == 0) stored.scale.push_back(unit);
      const ChannelWeights own = channel_weights(node, c);
      for (size_t k = 0; k < own.count; ++k) {
        float& w = node.weights[own[k]];
        w = std::clamp(std::round(w / unit), -127.0f, 127.0f) * unit;
      }
      stored.bias.push_back(std::lrint(static_cast<double>(node.bias[c] / unit) / scale));
    }
    node.stored = std::move(stored);
  }
}

/// What random graphs that lost channels had them taken off.
using Tally = std::map<std::string, int>;

void check_random(unsigned first_seed, unsigned count, bool quantised, Tally& tally) {
  for (unsigned seed = first_seed; seed < first_seed + count && !testing::Test::HasFailure();
       ++seed) {
    Random r(seed);
    Graph graph = random_mixed(r);
    const Numbers numbers =
        quantised ? int8(seed % 2 ? Rounding::single_rounding : Rounding::double_rounding,
                         r.of({Layout::plain, Layout::dsp, Layout::vector}))
                  : Numbers{};
    if (quantised) {
      const auto scales = usual_scales(graph);
      for (size_t t = 0; t < scales.size(); ++t) graph.tensors[t].quantisation = scales[t];
    }
    prune(graph, quantised, r);
    std::string text;
    for (const Node& n : graph.nodes)
      text += fmt::format("\n  {} = {}({})", n.output, describe(n), fmt::join(n.inputs, ", "));
    SCOPED_TRACE(fmt::format("seed {}, {}:{}", seed, describe(numbers), text));
    Graph lean;
    expect_same(graph, numbers, r, quantised ? 0 : 1e-4f, lean);
    for (size_t i = 0; i < graph.nodes.size(); ++i)
      if (const int t = graph.nodes[i].output; lean.shape(t).back() < graph.shape(t).back())
        ++tally[info(graph.nodes[i].op).name];
  }
}

void expect_some(const Tally& tally) {
  for (const char* op : {"Conv2D", "DepthwiseConv2D", "Add", "Concat", "MaxPool2D", "AveragePool2D",
                         "Activation", "Reshape", "Pad"})
    EXPECT_GT(tally.contains(op) ? tally.at(op) : 0, 5) << op;
}

TEST(Channels, LeftOutOfRandomGraphsChangeNoByte) {
  Tally tally;
  check_random(1, 3000, true, tally);
  expect_some(tally);
}
TEST(Channels, LeftOutOfRandomGraphsOfRealNumbersChangeNothing) {
  Tally tally;
  check_random(1, 1500, false, tally);
  expect_some(tally);
}
TEST(SlowChannels, LeftOutOfRandomGraphsChangeNoByte) {
  Tally tally;
  check_random(10'000, 50'000, true, tally);
}

}  // namespace
}  // namespace nnomc
