#include "compiler/passes/passes.hpp"
#include "compiler/passes/rewrite.hpp"

namespace nnomc {

bool fuse_sum(Graph& graph) {
  for (Node& node : graph.nodes) {
    const auto* factor = std::get_if<nnom::Mul>(&node.op);
    if (!factor || factor->constant < 0 || node.weights.size() != 1) continue;
    Node* before = sole_producer(graph, node);
    const auto* mean = before ? std::get_if<nnom::AveragePool2D>(&before->op) : nullptr;
    if (!mean || mean->pad.any() || node.weights[0] != static_cast<float>(mean->kernel.size()) ||
        graph.shape(node.output) != graph.shape(before->output))
      continue;
    nnom::SumPool2D sum;
    sum.in = mean->in, sum.out = mean->out, sum.kernel = mean->kernel;
    sum.stride = mean->stride, sum.dilation = mean->dilation;
    before->op = sum;
    before->range = node.range;
    absorb(graph, *before, node);
    return true;
  }
  return false;
}

}  // namespace nnomc
