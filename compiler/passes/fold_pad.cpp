#include "compiler/passes/passes.hpp"
#include "compiler/passes/rewrite.hpp"

namespace nnomc {
namespace {

/// Whether `pad` adds nothing but zeros around a picture.
bool is_border(const nnom::Pad& pad) {
  const int channel = pad.in.rank - 1;
  return pad.mode == nnom::Beyond::constant && pad.value == 0 && pad.in.rank <= 3 && channel >= 0 &&
         !pad.before[channel] && !pad.after[channel];
}

/// Gives the op of `node`, which read the output of `pad`, the border itself.
template <class O>
bool take(Node& node, const nnom::Pad& pad) {
  auto* op = std::get_if<O>(&node.op);
  if (!op) return false;
  op->in = nnom::image(pad.in);
  const int column = pad.in.rank - 2, row = pad.in.rank - 3;
  if (column >= 0) op->pad.left += pad.before[column], op->pad.right += pad.after[column];
  if (row >= 0) op->pad.top += pad.before[row], op->pad.bottom += pad.after[row];
  return true;
}

}  // namespace

bool fold_pad(Graph& graph) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto* pad = std::get_if<nnom::Pad>(&graph.nodes[i].op);
    if (!pad || !is_border(*pad) || graph.is_output(graph.nodes[i].output)) continue;
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
