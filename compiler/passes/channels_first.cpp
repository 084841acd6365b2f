#include "compiler/passes/channels_first.hpp"

#include <algorithm>
#include <utility>

namespace nnomc {
namespace {

bool has_channels(const Shape& shape) { return shape.rank == 2 || shape.rank == 3; }

/// A node that makes `to` of `tensor` by moving the first axis `by` places on, in a circle.
Node turn(const Graph& graph, int tensor, const Shape& to, int by, const char* suffix) {
  const Shape& from = graph.shape(tensor);
  Node node;
  node.name = graph.tensors[static_cast<size_t>(tensor)].name + suffix;
  node.source = "--layout chw";
  node.inputs = {tensor};
  const int channels = by == 1 ? from.back() : from[0];
  nnom::Transpose op;
  for (int i = 0; i < from.rank; ++i) op.order[i] = (i + from.rank - by) % from.rank;
  if (channels == 1 || channels == from.size())
    node.op = nnom::Reshape{to};
  else
    node.op = op;
  return node;
}

/// [h, w, c] as [c, h, w].
Shape turned(const Shape& shape) {
  Shape to{shape.rank, {shape.back()}};
  for (int i = 1; i < shape.rank; ++i) to.d[i] = shape[i - 1];
  return to;
}

/// What the file's order of axes is, seen from a tensor whose last axis has come first.
void turn_order(std::vector<std::vector<int>>& orders, size_t i, int rank) {
  orders.resize(std::max(orders.size(), i + 1));
  std::vector<int>& order = orders[i];
  if (order.empty())
    for (int axis = 0; axis < rank; ++axis) order.push_back(axis);
  for (int& axis : order) axis = (axis + 1) % rank;
  if (std::ranges::is_sorted(order)) order.clear();
}

/// Puts `tensor` before all others: a tensor's number is higher than those of what it is made of.
void insert_first(Graph& graph, Tensor tensor) {
  graph.tensors.insert(graph.tensors.begin(), std::move(tensor));
  for (int& t : graph.inputs) ++t;
  for (int& t : graph.outputs) ++t;
  for (Variable& v : graph.variables) ++v.tensor, v.next += v.next >= 0;
  for (Node& node : graph.nodes) {
    for (int& t : node.inputs) ++t;
    ++node.output;
  }
}

}  // namespace

Graph channels_first(Graph graph) {
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const Tensor tensor = graph.tensors[static_cast<size_t>(graph.inputs[i])];
    if (!has_channels(tensor.shape)) continue;
    insert_first(graph, {tensor.name, turned(tensor.shape), tensor.quantisation});
    const int outer = 0, inner = graph.inputs[i];
    const int rank = tensor.shape.rank;
    graph.add(turn(graph, outer, tensor.shape, rank - 1, "/hwc"));
    graph.tensors.pop_back();  // it makes the tensor that was the input
    graph.nodes.back().output = inner;
    graph.tensors[static_cast<size_t>(inner)].name = graph.nodes.back().name;
    std::rotate(graph.nodes.begin(), graph.nodes.end() - 1, graph.nodes.end());
    graph.inputs[i] = outer;
    turn_order(graph.input_order, i, rank);
  }
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const int inner = graph.outputs[i];
    const Tensor tensor = graph.tensors[static_cast<size_t>(inner)];
    if (!has_channels(tensor.shape)) continue;
    const int outer = graph.add(turn(graph, inner, turned(tensor.shape), 1, "/chw"));
    graph.tensors[static_cast<size_t>(outer)].name = tensor.name;
    graph.tensors[static_cast<size_t>(outer)].quantisation = tensor.quantisation;
    graph.outputs[i] = outer;
    turn_order(graph.output_order, i, tensor.shape.rank);
  }
  return graph;
}

}  // namespace nnomc
