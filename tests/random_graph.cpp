#include <algorithm>
#include <set>

#include "compiler/op_table.hpp"
#include "compiler/quantise/scales.hpp"
#include "tests/random_layers.hpp"

namespace nnomc {
namespace {

/// Grows a graph layer by layer, mostly from the tensors made last.
class Grower {
 public:
  Grower(Graph& graph, Random& random) : graph_(graph), r_(random) {}

  void grow() {
    const int kind = r_.whole(0, 9);
    if (kind == 0) return grow("Concat");
    if (kind <= 2) return grow(r_.of({"Add", "Add", "Add", "Mul", "Maximum"}));
    if (kind == 3) return grow(r_.of(op_names()));
    grow(r_.of({"Conv2D", "Conv2D", "DepthwiseConv2D", "MaxPool2D", "AveragePool2D", "Mean",
                "Dense", "Activation", "Activation", "Softmax", "Pad", "Reshape", "Transpose"}));
  }
  /// Adds a layer of this kind, if one fits; none that has no int8 arithmetic.
  void grow(const std::string& op) {
    if (info(op_named(op)).real_only) return;
    if (op == "Concat") return join();
    if (op == "MatMul") {
      const int t = recent();
      add(op, {t, r_.of(like(t, true))});
    } else if (const int operands = info(op_named(op)).max_inputs;
               operands > 1 && !op.ends_with("Layer")) {
      residual(op, operands - r_.one_in(3));
    } else {
      add(op, {recent()});  // of whose shape a constant is
    }
  }

 private:
  int tensors() const { return static_cast<int>(graph_.tensors.size()); }
  /// Whether layers can read tensor t.
  bool readable(int t) const {
    const int p = graph_.producer(t);
    return p < 0 || !info(graph_.nodes[static_cast<size_t>(p)].op).scales_itself;
  }
  int recent() {
    const int t = r_.one_in(4) ? r_.whole(0, tensors() - 1)
                               : r_.whole(std::max(0, tensors() - 2), tensors() - 1);
    return readable(t) ? t : recent();
  }
  /// Layers that would make tensors large are left out.
  int add(const std::string& op, const std::vector<int>& inputs) {
    const Graph before = graph_;
    const int t = add_random(graph_, op, inputs, r_);
    if (t < 0 || graph_.shape(t).size() <= 2000) return t;
    graph_ = before;
    return -1;
  }
  /// Tensors that differ from `t` in the last axis alone, or not at all.
  std::vector<int> like(int t, bool same) const {
    std::vector<int> found;
    for (int i = 0; i < tensors(); ++i) {
      nnom::Shape a = graph_.shape(i), b = graph_.shape(t);
      if (!same && a.rank && a.rank == b.rank) a.d[a.rank - 1] = b.d[b.rank - 1];
      if (a == b && readable(i)) found.push_back(i);
    }
    return found;
  }
  void join() {
    const int t = recent();
    std::vector<int> inputs = {t};
    for (int n = r_.whole(1, 4); n > 0; --n) inputs.push_back(r_.of(like(t, false)));
    add("Concat", inputs);
  }
  /// Joins tensors of one shape by `op`, all but one made from others where there are none.
  void residual(const std::string& op, int count) {
    std::vector<int> inputs = {recent()};
    while (static_cast<int>(inputs.size()) < count) {
      int other = r_.of(like(inputs[0], true));
      for (int n = other == inputs[0] ? r_.whole(0, 3) : 0; n > 0 && other >= 0; --n)
        other = add(r_.of({"Activation", "Softmax"}), {other});
      if (other < 0) return;
      inputs.push_back(other);
    }
    if (r_.one_in(2)) std::swap(inputs.front(), inputs.back());
    add(op, inputs);
  }

  Graph& graph_;
  Random& r_;
};

nnom::Shape input_shape(Random& r) {
  const int c = r.of({1, 2, 3, 4, 5, 8, 9});
  if (r.one_in(6)) return {1, {r.whole(1, 40)}};
  if (r.one_in(4)) return {2, {r.whole(1, 20), c}};
  return {3, {r.whole(1, 9), r.whole(1, 9), c}};
}

}  // namespace

namespace {

/// A graph of `layers` layers, then some of every op in `wanted`.
Graph graph_with(int layers, const std::vector<std::string>& wanted, Random& random) {
  Graph graph;
  graph.file = graph.name = "random";
  for (int i = random.whole(1, 3); i > 0; --i)
    graph.add_input("input " + std::to_string(i), input_shape(random));
  Grower grower(graph, random);
  while (static_cast<int>(graph.nodes.size()) < layers) grower.grow();
  for (const std::string& op : wanted)
    for (int attempt = 0; attempt < 3; ++attempt) grower.grow(op);
  for (int t = 0; t < static_cast<int>(graph.tensors.size()); ++t)
    if ((graph.producer(t) >= 0 && graph.consumers(t).empty()) || random.one_in(12))
      graph.outputs.push_back(t);
  return graph;
}

}  // namespace

Graph random_graph(int layers, Random& random) { return graph_with(layers, {}, random); }

Graph residual_blocks(int blocks) {
  Graph g;
  Random r(1);
  int t = g.add_input("input", {3, {8, 8, 8}});
  for (int i = 0; i < blocks; ++i) {
    int branch = t;
    for (const char* op : {"Activation", "Activation", "Softmax", "Activation"})
      branch = add_random(g, op, {branch}, r);
    t = add_random(g, "Add", {t, branch}, r);
  }
  g.outputs = {t};
  return g;
}

Graph all_ops_graph(unsigned seed) {
  std::set<std::string> wanted;
  for (const std::string& op : op_names())
    if (!info(op_named(op)).real_only) wanted.insert(op);
  for (unsigned attempt = 0;; ++attempt) {
    Random r(seed * 1000 + attempt);
    Graph graph = graph_with(20, {wanted.begin(), wanted.end()}, r);
    std::set<std::string> ops;
    for (const Node& n : graph.nodes) ops.insert(info(n.op).name);
    if (ops == wanted && graph.inputs.size() > 1 && graph.outputs.size() > 1) return graph;
  }
}

std::vector<Quantisation> usual_scales(const Graph& graph, Scheme scheme) {
  return scales_of(graph, std::vector<Limits>(graph.tensors.size(), Limits{-2.5f, 3.0f}), scheme);
}

}  // namespace nnomc
