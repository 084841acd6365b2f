#include <algorithm>

#include "compiler/op_table.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/passes/rewrite.hpp"

namespace nnomc {

bool fuse_range(Graph& graph) {
  for (Node& node : graph.nodes) {
    const auto* f = std::get_if<nnom::Activation>(&node.op);
    if (!f || f->function != nnom::Function::relu || f->slope != 0 || f->threshold != 0) continue;
    Node* before = sole_producer(graph, node);
    if (!before || !info(before->op).clamps) continue;
    const float lo = std::max(before->range.lo, 0.0f);
    before->range = {lo, std::max(std::min(before->range.hi, f->high), lo)};
    absorb(graph, *before, node);
    return true;
  }
  return false;
}

}  // namespace nnomc
