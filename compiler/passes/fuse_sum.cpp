#include <algorithm>

#include "compiler/passes/passes.hpp"
#include "compiler/passes/rewrite.hpp"

namespace nnomc {
namespace {

/// Whether a node multiplies by one number, the same everywhere, and does nothing else. A factor
/// for each channel is a depthwise convolution of one pixel.
bool is_factor(const Node& node) {
  const auto* mul = std::get_if<nnom::Mul>(&node.op);
  const auto* scale = std::get_if<nnom::DepthwiseConv2D>(&node.op);
  if (mul ? mul->constant < 0 : !scale || scale->kernel.size() != 1) return false;
  const auto differs = [&](float w) { return w != node.weights[0]; };
  return !node.weights.empty() && std::ranges::none_of(node.weights, differs) &&
         std::ranges::none_of(node.bias, [](float b) { return b != 0; });
}

}  // namespace

bool fuse_sum(Graph& graph) {
  for (Node& node : graph.nodes) {
    if (!is_factor(node)) continue;
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
