#include <algorithm>

#include "compiler/passes/passes.hpp"
#include "compiler/passes/rewrite.hpp"

namespace nnomc {
namespace {

bool is_identity(const Graph& graph, const Node& n) {
  const auto scale = [&](int t) { return graph.tensors[static_cast<size_t>(t)].quantisation; };
  if (n.inputs.empty() || scale(n.inputs[0]) != scale(n.output)) return false;
  if (const auto* f = std::get_if<nnom::Activation>(&n.op))
    return f->function == nnom::Function::linear;
  if (const auto* pad = std::get_if<nnom::Pad>(&n.op)) return !pad->any();
  if (std::holds_alternative<nnom::Reshape>(n.op))
    return graph.shape(n.inputs[0]) == graph.shape(n.output);
  return false;
}

}  // namespace

bool remove_identities(Graph& graph) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& n = graph.nodes[i];
    const bool output = graph.is_output(n.output);
    if (!output && graph.consumers(n.output).empty()) {
      graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(i));
      return true;
    }
    // An output that is an input, or the same tensor as another output, keeps a node of its own.
    if (is_identity(graph, n) &&
        !(output && (graph.producer(n.inputs[0]) < 0 || graph.is_output(n.inputs[0])))) {
      bypass(graph, i, n.inputs[0]);
      return true;
    }
    // Reshape of a Reshape: the first does not matter.
    if (auto* outer = std::get_if<nnom::Reshape>(&n.op)) {
      const int p = graph.producer(n.inputs[0]);
      if (outer && p >= 0 && std::holds_alternative<nnom::Reshape>(node_of(graph, p).op)) {
        n.inputs[0] = node_of(graph, p).inputs[0];
        return true;
      }
    }
  }
  return false;
}

}  // namespace nnomc
