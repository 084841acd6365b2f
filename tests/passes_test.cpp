// Rewrites of quantised graphs that change no byte.
#include "compiler/passes/passes.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "compiler/simulate/simulate.hpp"
#include "tests/quantised_net.hpp"

namespace nnomc {
namespace {

using Outputs = std::vector<std::vector<float>>;

Outputs outputs_of(const Graph& graph, Rounding rounding) {
  Random r(3);
  Outputs inputs;
  for (const int t : graph.inputs) {
    std::vector<float>& values = inputs.emplace_back();
    for (int k = graph.shape(t).size(); k > 0; --k)
      values.push_back(static_cast<float>(r.real(-3, 3)));
  }
  return run_once(lower(graph, {}, {.numbers = {true, rounding}}), inputs);
}

/// Expects `optimise` to leave `nodes` of a graph, whose outputs stay as they are.
void expect_nodes(const Graph& graph, size_t nodes) {
  Graph after = graph;
  optimise(after);
  EXPECT_EQ(after.nodes.size(), nodes);
  for (const Rounding rounding : {Rounding::single_rounding, Rounding::double_rounding})
    EXPECT_EQ(outputs_of(after, rounding), outputs_of(graph, rounding));
}

/// Two of one layer, the second of them changed, joined; and what is left of the three nodes.
struct Twins {
  const char* name;
  size_t nodes;
  std::function<void(Graph& graph, Node& second)> change;
};

TEST(Passes, LayersThatAreAlikeAreMerged) {
  const auto scale = [](Graph& g, const Node& n) -> Quantisation& {
    return *g.tensors[static_cast<size_t>(n.output)].quantisation;
  };
  for (const Twins& c :
       std::vector<Twins>{{"alike", 2, [](Graph&, Node&) {}},
                          {"another name", 2, [](Graph&, Node&n) { n.name = "second"; }},
                          {"an output", 3, [](Graph&g, Node&n) { g.outputs.push_back(n.output); }},
                          {"weights", 3, [](Graph&, Node&n) { n.weights[0] *= -1; }},
                          {"a bias", 3, [](Graph&, Node&n) { n.stored->bias[1] += 300; }},
                          {"scales of weights", 3, [](Graph&, Node&n) { n.stored->scale[1] *= 2; }},
                          {"a range", 3,
                           [](Graph&, Node&n) {
                             n.range = {-0.3f, 0.3f};
                           }},
                          {"a scale", 3, [&](Graph&g, Node&n) { scale(g, n).scale *= 2; }},
                          {"a zero point", 3, [&](Graph&g, Node&n) { scale(g, n).zero += 1; }},
                          {"geometry", 3, [](Graph&, Node&n) {
                             auto& op = std::get<nnom::Conv2D>(n.op);
                             op.pad = {2, 1, 0, 1};
                           }}}) {
    SCOPED_TRACE(c.name);
    QuantisedNet net;
    const int x = net.input({3, {5, 4, 3}});
    const int a = net.conv(x, 3, true, 4, {});
    Node again = net.graph.nodes.back();
    const int b = net.graph.add(again);
    net.graph.tensors[static_cast<size_t>(b)].quantisation =
        net.graph.tensors[static_cast<size_t>(a)].quantisation;
    net.graph.outputs = {net.add(nnom::Concat{}, {a, b})};
    c.change(net.graph, net.graph.nodes[1]);
    expect_nodes(net.graph, c.nodes);
  }
}

struct Relu {
  const char* name;
  size_t nodes;
  bool same_scale = true;
  Range before{};
  float high = std::numeric_limits<float>::infinity();
};

TEST(Passes, ReluGoesIntoTheLayerBeforeWhereNothingIsRounded) {
  for (const Relu& c : std::vector<Relu>{{"relu", 1},
                                         {"of a limited range", 1, true, {-0.4f, 0.7f}},
                                         {"of a negative range", 1, true, {-0.4f, -0.2f}},
                                         {"another scale", 2, false},
                                         {"relu6", 2, true, {}, 6}}) {
    SCOPED_TRACE(c.name);
    QuantisedNet net;
    const int x = net.input({3, {5, 4, 3}});
    const int y = net.conv(x, 3, true, 4, {.range = c.before});
    nnom::Activation relu;
    relu.function = nnom::Function::relu;
    relu.high = c.high;
    net.graph.outputs = {net.add(relu, y, c.same_scale)};
    expect_nodes(net.graph, c.nodes);
  }
}

}  // namespace
}  // namespace nnomc
