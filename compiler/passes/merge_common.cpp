#include <tuple>

#include "compiler/op_table.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/passes/rewrite.hpp"

namespace nnomc {
namespace {

/// Whether a node remembers, or calls what the compiler doesn't know.
bool is_unlike_any(const Node& node) {
  const auto remembers = []<class O>(const O&) { return nnom::keeps_state<O>; };
  return node.hook || std::visit(remembers, node.op);
}

/// How a node's file stores its constants.
auto stored_constants(const Node& n) {
  const StoredWeights& s = *n.stored;
  return std::tie(s.scale, s.bias, s.zero, s.inner, s.kernel);
}

/// Whether two nodes make the same values.
bool are_same(const Graph& graph, const Node& a, const Node& b) {
  const auto scale = [&](const Node& n) {
    return graph.tensors[static_cast<size_t>(n.output)].quantisation;
  };
  return a.op.index() == b.op.index() && a.inputs == b.inputs && a.weights == b.weights &&
         a.bias == b.bias && a.range.lo == b.range.lo && a.range.hi == b.range.hi &&
         a.stored.has_value() == b.stored.has_value() &&
         (!a.stored || stored_constants(a) == stored_constants(b)) && scale(a) == scale(b) &&
         info(a.op).op_text(a.op) == info(b.op).op_text(b.op);
}

}  // namespace

bool merge_common(Graph& graph) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& first = graph.nodes[i];
    if (is_unlike_any(first)) continue;
    for (size_t k = i + 1; k < graph.nodes.size(); ++k) {
      const Node& again = graph.nodes[k];
      if (graph.is_output(again.output) || !are_same(graph, first, again)) continue;
      bypass(graph, k, first.output);
      return true;
    }
  }
  return false;
}

}  // namespace nnomc
