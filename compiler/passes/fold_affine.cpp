#include <algorithm>
#include <cmath>

#include "compiler/op_table.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/passes/rewrite.hpp"

namespace nnomc {
namespace {

/// A 1x1 depthwise convolution: scales and shifts each channel.
bool is_affine(const Node& n) {
  const auto* op = std::get_if<nnom::DepthwiseConv2D>(&n.op);
  return op && op->kernel.size() == 1 && op->stride.size() == 1 && !op->pad.any();
}

/// out = (W x + b) * s + t = (s W) x + (s b + t)
void fold_after(Node& linear, const Node& affine) {
  const size_t channels = affine.weights.size();
  linear.bias.resize(channels, 0.0f);
  if (linear.stored) {
    std::vector<float>& scale = linear.stored->scale;
    scale.resize(channels, scale[0]);
    for (size_t c = 0; c < channels; ++c) scale[c] *= std::abs(affine.weights[c]);
    linear.stored->bias.clear();
  }
  for (size_t c = 0; c < channels; ++c) {
    const ChannelWeights own = channel_weights(linear, c);
    const double scale = static_cast<double>(affine.weights[c]);
    for (size_t k = 0; k < own.count; ++k) {
      float& w = linear.weights[own[k]];
      w = static_cast<float>(static_cast<double>(w) * scale);
    }
    const double shift = affine.bias.empty() ? 0.0 : static_cast<double>(affine.bias[c]);
    linear.bias[c] = static_cast<float>(static_cast<double>(linear.bias[c]) * scale + shift);
  }
  linear.range = affine.range;
}

/// Input channel that weight k of output channel c reads.
size_t input_channel(const Node& n, size_t c, size_t k) {
  if (const auto* conv = std::get_if<nnom::Conv2D>(&n.op)) {
    const auto group = static_cast<size_t>(conv->in.c / conv->groups);
    const auto filters = static_cast<size_t>(conv->out.c / conv->groups);
    return c / filters * group + k % group;
  }
  if (const auto* conv = std::get_if<nnom::TransposeConv2D>(&n.op))
    return k % static_cast<size_t>(conv->in.c);
  return std::holds_alternative<nnom::Dense>(n.op) ? k : c;
}

/// W (s x + t) + b = (W s) x + (b + W t); exact unless a border of zeros is added in between.
void fold_before(const Node& affine, Node& linear) {
  const size_t channels = info(linear.op).channels(linear.op);
  linear.bias.resize(channels, 0.0f);
  for (size_t c = 0; c < channels; ++c) {
    const ChannelWeights own = channel_weights(linear, c);
    double shift = 0;
    for (size_t k = 0; k < own.count; ++k) {
      float& w = linear.weights[own[k]];
      const size_t i = input_channel(linear, c, k);
      const double before = static_cast<double>(w);
      if (!affine.bias.empty()) shift += before * static_cast<double>(affine.bias[i]);
      w = static_cast<float>(before * static_cast<double>(affine.weights[i]));
    }
    linear.bias[c] = static_cast<float>(static_cast<double>(linear.bias[c]) + shift);
  }
}

/// Whether some output pixels see fewer taps than others.
bool has_border(const Node& n) {
  if (std::holds_alternative<nnom::TransposeConv2D>(n.op)) return true;
  if (const auto* conv = std::get_if<nnom::Conv2D>(&n.op)) return conv->pad.any();
  if (const auto* conv = std::get_if<nnom::DepthwiseConv2D>(&n.op)) return conv->pad.any();
  return false;
}

bool shifts(const Node& affine) {
  return std::any_of(affine.bias.begin(), affine.bias.end(), [](float b) { return b != 0; });
}

/// Whether `linear` reads the channels `affine` writes, one for one.
bool channels_match(const Node& affine, const Node& linear) {
  if (const auto* dense = std::get_if<nnom::Dense>(&linear.op))
    return dense->in == static_cast<int>(affine.weights.size());
  return true;
}

/// The linear op whose output is `tensor`, resized or not, if nothing else comes of it; else null.
Node* linear_behind(Graph& graph, int tensor) {
  const int producer = graph.producer(tensor);
  if (producer < 0 || graph.is_output(tensor) || graph.consumers(tensor).size() != 1)
    return nullptr;
  Node& node = node_of(graph, producer);
  if (!node.range.all() || node.stored || graph.tensors[static_cast<size_t>(tensor)].quantisation)
    return nullptr;
  if (std::holds_alternative<nnom::Resize>(node.op)) return linear_behind(graph, node.inputs[0]);
  return info(node.op).linear ? &node : nullptr;
}

/// (a + b) * s + t = (a * s + t) + b * s
bool fold_into_sum(Graph& graph, Node& sum, const Node& affine) {
  const auto* add = std::get_if<nnom::Add>(&sum.op);
  if (!add || add->constant >= 0 || !sum.range.all()) return false;
  for (const int input : sum.inputs)
    if (graph.shape(input) != graph.shape(sum.output)) return false;
  Node* const a = linear_behind(graph, sum.inputs[0]);
  Node* const b = linear_behind(graph, sum.inputs[1]);
  if (!a || !b || a == b) return false;
  Node scale = affine;
  scale.range = {};
  fold_after(*a, scale);
  scale.bias.clear();
  fold_after(*b, scale);
  sum.range = affine.range;
  absorb(graph, sum, affine);
  return true;
}

}  // namespace

bool fold_affine(Graph& graph) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = graph.nodes[i];
    if (!info(node.op).linear) continue;
    Node* before = sole_producer(graph, node);
    if (before && is_affine(node) && !node.stored && fold_into_sum(graph, *before, node))
      return true;
    if (!before || !info(before->op).linear || !before->range.all()) continue;
    if (is_affine(node) && !node.stored) {
      fold_after(*before, node);
      absorb(graph, *before, node);
      return true;
    }
    if (is_affine(*before) && !node.stored && channels_match(*before, node) &&
        !(has_border(node) && shifts(*before))) {
      fold_before(*before, node);
      bypass(graph, static_cast<size_t>(before - graph.nodes.data()), before->inputs[0]);
      return true;
    }
  }
  return false;
}

}  // namespace nnomc
