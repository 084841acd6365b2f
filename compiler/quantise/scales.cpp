#include "compiler/quantise/scales.hpp"

#include <algorithm>
#include <cmath>

#include "compiler/op_table.hpp"
#include "compiler/quantise/fixed_point.hpp"

namespace nnomc {
namespace {

/// The largest magnitude any output of a linear node could have for inputs up to `in`, leaving out
/// the channels that stay outside of `out`, as they get no weights.
double reach(const Node& node, double in, const Quantisation& out) {
  const size_t channels = info(node.op).channels(node.op);
  double largest = 0;
  for (size_t c = 0; c < channels; ++c) {
    const ChannelWeights own = channel_weights(node, c);
    double sum = 0;
    for (size_t k = 0; k < own.count; ++k)
      sum += std::abs(static_cast<double>(node.weights[own[k]]));
    const double bias = node.bias.empty() ? 0 : static_cast<double>(node.bias[c]);
    if (!stays_outside(bias, sum * in, out)) largest = std::max(largest, sum * in + std::abs(bias));
  }
  return largest;
}

}  // namespace

std::optional<Quantisation> fixed_output(const Node& node, Scheme scheme) {
  const bool affine = scheme == Scheme::affine;
  const Quantisation share = affine ? Quantisation{1.0 / 256, -128} : Quantisation{1.0 / 128, 0};
  if (const auto* s = std::get_if<nnom::Softmax>(&node.op)) {
    if (s->log) return affine ? Quantisation{1.0 / 16, 127} : Quantisation{1.0 / 8, 0};
    return share;
  }
  if (std::holds_alternative<nnom::Compare>(node.op)) return Quantisation{1, 0};
  if (const auto* a = std::get_if<nnom::ArgMax>(&node.op)) return quantisation_of_places(a->size);
  if (std::holds_alternative<nnom::Embedding>(node.op) && !node.weights.empty()) {
    const auto [lo, hi] = std::minmax_element(node.weights.begin(), node.weights.end());
    return quantisation_of({*lo, *hi}, scheme);
  }
  if (const auto* f = std::get_if<nnom::Activation>(&node.op)) {
    using nnom::Function;
    if (f->function == Function::sigmoid || f->function == Function::hard_sigmoid) return share;
    if (f->function == Function::tanh || f->function == Function::softsign ||
        f->function == Function::erf || f->function == Function::sin ||
        f->function == Function::cos)
      return Quantisation{1.0 / 128, 0};
    if (f->function == Function::logical_not) return Quantisation{1, 0};
  }
  return {};
}

std::optional<Quantisation> fixed_input(const Graph& graph, int tensor) {
  std::optional<Quantisation> found;  // that of the longest table
  for (const int i : graph.consumers(tensor)) {
    const Node& node = graph.nodes[static_cast<size_t>(i)];
    std::optional<Quantisation> fixed;
    if (const auto* e = std::get_if<nnom::Embedding>(&node.op))
      fixed = quantisation_of_places(e->rows);
    else if (info(node.op).alias)
      fixed = fixed_input(graph, node.output);
    if (fixed && (!found || fixed->zero < found->zero)) found = fixed;
  }
  return found;
}

bool needs_range(const Graph& graph, int tensor) {
  const int producer = graph.producer(tensor);
  if (producer < 0) return !fixed_input(graph, tensor);
  const Node& node = graph.nodes[static_cast<size_t>(producer)];
  return !info(node.op).same_scale && !fixed_output(node);
}

std::vector<Quantisation> scales_of(const Graph& graph, const std::vector<Limits>& limits,
                                    Scheme scheme) {
  std::vector<Quantisation> scales(graph.tensors.size());
  for (const int t : graph.inputs)
    scales[static_cast<size_t>(t)] =
        fixed_input(graph, t).value_or(quantisation_of(limits[static_cast<size_t>(t)], scheme));
  for (const Node& node : graph.nodes) {
    const auto t = static_cast<size_t>(node.output);
    if (info(node.op).same_scale) {
      scales[t] = scales[static_cast<size_t>(node.inputs[0])];
    } else if (const auto fixed = fixed_output(node, scheme)) {
      scales[t] = *fixed;
    } else {
      Limits l = limits[t];
      if (info(node.op).linear) {
        const double largest = reach(node, most_of(scales[static_cast<size_t>(node.inputs[0])]),
                                     quantisation_of(l, scheme));
        const auto least = static_cast<float>(std::ldexp(largest, -20));
        if (l.width() < least && node.range.hi > 0) l.hi = std::max(l.hi, l.lo + least);
      }
      scales[t] = quantisation_of(l, scheme);
    }
  }
  return scales;
}

}  // namespace nnomc
