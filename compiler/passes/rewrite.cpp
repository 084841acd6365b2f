#include "compiler/passes/rewrite.hpp"

#include <algorithm>

namespace nnomc {

Node* sole_producer(Graph& graph, const Node& node) {
  const int input = node.inputs[0], producer = graph.producer(input);
  if (producer < 0 || graph.is_output(input) || graph.consumers(input).size() != 1) return nullptr;
  return &node_of(graph, producer);
}

void bypass(Graph& graph, size_t index, int replacement) {
  const int gone = graph.nodes[index].output;
  graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(index));
  for (Node& n : graph.nodes) std::replace(n.inputs.begin(), n.inputs.end(), gone, replacement);
  std::replace(graph.outputs.begin(), graph.outputs.end(), gone, replacement);
  for (Variable& v : graph.variables)
    if (v.next == gone) v.next = replacement;
}

void absorb(Graph& graph, Node& before, const Node& after) {
  const int output = after.output;
  before.output = output;
  // The producer keeps its place, which is before every reader of the tensor.
  std::erase_if(graph.nodes, [&](const Node& n) { return n.output == output && &n != &before; });
}

}  // namespace nnomc
