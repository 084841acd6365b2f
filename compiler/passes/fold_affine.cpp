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

}  // namespace

bool fold_affine(Graph& graph) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = graph.nodes[i];
    if (!info(node.op).linear) continue;
    Node* before = sole_producer(graph, node);
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
