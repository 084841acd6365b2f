#include "compiler/passes/stream.hpp"

#include <algorithm>

#include "compiler/error.hpp"
#include "compiler/op_table.hpp"

namespace nnomc {
namespace {

constexpr const char* kWhole = "it needs all steps at once";

/// A node that reads steps. `why_not` makes its op that of one step, or says why there is none.
struct Stepped {
  int steps;                  ///< of the sequence
  std::vector<Shape> inputs;  ///< of all steps
  bool rows = true;           ///< what it gives has a row for each step

  int rank() const { return inputs[0].rank; }

  const char* why_not(auto&) const { return kWhole; }
  const char* why_not(nnom::Activation&) const { return nullptr; }
  const char* why_not(nnom::Embedding&) const { return nullptr; }
  const char* why_not(nnom::Softmax&) const { return rank() > 1 ? nullptr : kWhole; }

  template <class Cell>
  const char* why_not(nnom::RecurrentLayer<Cell>& op) {
    if (op.backwards) return "it begins at the last step";
    if (rank() != 2) return "it has several sequences";
    for (const nnom::Begin begin : op.begin)
      if (begin == nnom::Begin::input) return "it is given a state to begin with";
    op.stateful = true;
    rows = op.sequences;
    return nullptr;
  }
  /// Steps are rows of a picture, or of a series columns.
  const char* slides(auto& op) const {
    const bool alone =
        rank() == 3 ? op.kernel.h == 1 && op.stride.h == 1 && op.pad.top == 0 && op.pad.bottom == 0
                    : rank() == 2 && op.kernel.w == 1 && op.stride.w == 1 && op.pad.left == 0 &&
                          op.pad.right == 0;
    return alone ? nullptr : "it slides over several steps";
  }
  const char* why_not(nnom::Conv2D& op) const { return slides(op); }
  const char* why_not(nnom::DepthwiseConv2D& op) const { return slides(op); }
  const char* why_not(nnom::MaxPool2D& op) const { return slides(op); }
  const char* why_not(nnom::AveragePool2D& op) const { return slides(op); }

  template <class Rule>
  const char* why_not(nnom::Elementwise<Rule>& op) const {
    for (const Shape& s : inputs)
      if (s.rank != rank()) return kWhole;
    const Shape& constant = op.constant_shape;
    return op.constant >= 0 && constant.rank >= rank() && constant[0] > 1
               ? "it has other constants for each step"
               : nullptr;
  }
  template <class Rule>
  const char* why_not(nnom::Reduce<Rule>& op) const {
    return op.axes[0] ? kWhole : nullptr;
  }
  const char* why_not(nnom::Concat& op) const {
    return op.axis == 0 || op.axis + rank() == 0 ? kWhole : nullptr;
  }
  const char* why_not(nnom::Transpose& op) const { return op.order[0] ? kWhole : nullptr; }
  const char* why_not(nnom::Reshape& op) const {
    if (op.out.rank < 1 || op.out[0] != steps) return kWhole;
    op.out.d[0] = 1;
    return nullptr;
  }
  const char* why_not(nnom::Slice& op) {
    rows = op.begin[0] == 0 && op.step[0] == 1 && op.out[0] == steps;
    if (!rows && !(op.begin[0] == steps - 1 && op.out[0] == 1)) return "it takes some of the steps";
    op.begin[0] = 0, op.step[0] = 1, op.out.d[0] = 1;
    return nullptr;
  }
};

[[noreturn]] void fail(const Graph& graph, const Node& node, const char* why) {
  throw Error("{}: layer '{}' ({}): it can't run step by step: {}", graph.file, node.name,
              node.source, why);
}

bool keeps_state(const Op& op) {
  return std::visit(
      [](const auto& o) {
        if constexpr (requires { o.stateful; })
          return o.stateful;
        else
          return std::decay_t<decltype(o)>::name == nnom::Svdf::name;
      },
      op);
}

}  // namespace

Graph step_by_step(Graph graph) {
  const auto shape = [&](int t) -> Shape& { return graph.tensors[static_cast<size_t>(t)].shape; };
  if (!graph.variables.empty())
    throw Error("{}: it remembers by variables of its own, so it is run step by step as it is",
                graph.file);
  const Shape first = shape(graph.inputs.at(0));
  for (const int t : graph.inputs)
    if (shape(t).rank < 1 || shape(t)[0] != first[0])
      throw Error("{}: step by step its inputs have to be sequences of as many steps, not {}",
                  graph.file, to_string(shape(t)) + " and " + to_string(first));
  const Graph whole = graph;
  std::vector<bool> rows(graph.tensors.size());  // tensors with a row for each step
  for (const int t : graph.inputs) rows[static_cast<size_t>(t)] = true, shape(t).d[0] = 1;
  for (Node& node : graph.nodes) {
    const auto reads = [&](int t) { return bool{rows[static_cast<size_t>(t)]}; };
    if (std::none_of(node.inputs.begin(), node.inputs.end(), reads)) {
      if (keeps_state(node.op)) fail(graph, node, "it remembers what comes after the last step");
      continue;
    }
    if (!std::all_of(node.inputs.begin(), node.inputs.end(), reads))
      fail(graph, node, "it joins steps with what is known after the last");
    Stepped stepped{first[0], {}};
    std::vector<Shape> inputs;
    for (const int t : node.inputs) {
      stepped.inputs.push_back(whole.shape(t));
      inputs.push_back(shape(t));
    }
    if (const char* why = std::visit([&](auto& op) { return stepped.why_not(op); }, node.op))
      fail(graph, node, why);
    const nnom::Inferred made =
        info(node.op).infer(node.op, inputs.data(), static_cast<int>(inputs.size()));
    if (made.error) fail(graph, node, made.error);
    shape(node.output) = made.out;
    rows[static_cast<size_t>(node.output)] = stepped.rows;
  }
  return graph;
}

}  // namespace nnomc
