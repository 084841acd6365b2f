#include "compiler/passes/passes.hpp"
#include "compiler/passes/rewrite.hpp"

namespace nnomc {
namespace {

/// Gives `op`, which read the output of `pad`, the border itself.
template <class O>
bool take(Node& node, const nnom::Pad& pad) {
  auto* op = std::get_if<O>(&node.op);
  if (!op) return false;
  op->in = pad.in;
  op->pad.top += pad.pad.top, op->pad.left += pad.pad.left;
  op->pad.bottom += pad.pad.bottom, op->pad.right += pad.pad.right;
  return true;
}

}  // namespace

bool fold_pad(Graph& graph) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto* pad = std::get_if<nnom::Pad>(&graph.nodes[i].op);
    if (!pad || graph.is_output(graph.nodes[i].output)) continue;
    bool all = true;
    for (const int c : graph.consumers(graph.nodes[i].output)) {
      const Op& op = node_of(graph, c).op;
      all &= std::holds_alternative<nnom::Conv2D>(op) ||
             std::holds_alternative<nnom::DepthwiseConv2D>(op);
    }
    if (!all) continue;
    const nnom::Pad border = *pad;
    for (const int c : graph.consumers(graph.nodes[i].output)) {
      Node& n = node_of(graph, c);
      take<nnom::Conv2D>(n, border) || take<nnom::DepthwiseConv2D>(n, border);
    }
    bypass(graph, i, graph.nodes[i].inputs[0]);
    return true;
  }
  return false;
}

}  // namespace nnomc
