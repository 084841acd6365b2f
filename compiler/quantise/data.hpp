/// \file
/// From a node with real numbers to its Op::Data<N>: what all make() share, and that of layers with
/// weights.
#pragma once

#include <cmath>
#include <limits>

#include "compiler/emit/text.hpp"
#include "compiler/error.hpp"
#include "compiler/op_table.hpp"
#include "compiler/quantise/fixed_point.hpp"
#include "compiler/quantise/tables.hpp"
#include "nnom/packing.hpp"

namespace nnomc {

/// What make() works from, and where it keeps the arrays it makes.
struct Making {
  const Node& node;
  const NodeScales& scales;
  NodeData& out;
  bool single = true;      ///< the dialect
  bool truncates = false;  ///< where scales are powers of two

  /// Keeps `values` alive with the node's data; returns where they lie.
  template <class T>
  const T* keep(std::string field, std::vector<T> values) const {
    auto owner = std::make_shared<const std::vector<T>>(std::move(values));
    const T* data = owner->data();
    out.blobs.push_back(
        {std::move(field), data, owner->size(), owner->size() * sizeof(T), type_text<T>(), owner,
         [](const void* p, size_t n) { return elements_text(static_cast<const T*>(p), n); }});
    return data;
  }
};

/// Constants as N stores them, quantised as `q` says.
template <class N>
std::vector<typename N::Out> stored_as(const std::vector<float>& values, const Quantisation& q) {
  if constexpr (N::quantised) {
    std::vector<typename N::Out> made;
    for (const float v : values)
      made.push_back(static_cast<typename N::Out>(quantise(static_cast<double>(v), q)));
    return made;
  } else {
    return values;
  }
}

/// A table that brings input i from its scale to that of the output; null where they are the same.
template <class T>
const T* keep_table(const Making& m, size_t i, const Quantisation& in, const Quantisation& out) {
  if (in == out) return nullptr;
  if constexpr (sizeof(T) == 2) {
    throw Error("layer '{}' ({}): in int16 its inputs and output must have one scale", m.node.name,
                m.node.source);
  } else {
    const auto same = [](double x) { return x; };
    return m.keep("table" + std::to_string(i), m.scales.reference == Reference::onnx
                                                   ? onnx_table(in, out, same)
                                                   : table_of(in, out, same));
  }
}

using nnom::Packing;

template <class N>
nnom::Clamp<N> make_clamp(const Making& m) {
  nnom::Clamp<N> clamp;
  if constexpr (N::quantised) {
    using Rescale = typename N::Rescale;
    using Out = typename N::Out;
    clamp.zero = static_cast<Out>(m.scales.out.zero);
    clamp.lo = static_cast<Out>(quantise_limit<Rescale>(m.node.range.lo, m.scales.out));
    clamp.hi = static_cast<Out>(quantise_limit<Rescale>(m.node.range.hi, m.scales.out));
  } else {
    clamp.lo = m.node.range.lo, clamp.hi = m.node.range.hi;
  }
  return clamp;
}

/// The factor from accumulator to output, as the dialect that `Rescale` belongs to works it out:
/// desktop TFLite (XNNPACK) in float, TFLite Micro in double.
template <class Rescale>
double output_factor(double in, double weights, double out) {
  if constexpr (std::is_same_v<Rescale, nnom::Single>)
    return static_cast<double>(static_cast<float>(in) * static_cast<float>(weights) /
                               static_cast<float>(out));
  return in * weights / out;
}

/// The same with the product of both scales rounded to float, as some of the desktop's kernels have
/// it.
inline double output_factor(bool single, double in, double weights, double out) {
  const float product = static_cast<float>(in) * static_cast<float>(weights);
  return (single ? static_cast<double>(product) : in * weights) / out;
}

/// rescale_by, rounding as the model does.
template <class Rescale>
Rescale rescale_of(const Making& m, double factor) {
  auto rescale = rescale_by<Rescale>(factor);
  if constexpr (std::is_same_v<Rescale, nnom::PowerOfTwo>)
    if (m.truncates) rescale.half = 0;
  return rescale;
}

/// How the weights of a linear node are quantised.
struct WeightScales {
  bool per_channel = true;
  std::vector<double> scale;  ///< of each channel's weights
  std::vector<double> bias;   ///< of each channel, in units of input times weight: whole numbers
  std::vector<bool> used;     ///< channels whose weights matter
};

/// Scales from the largest weights, or as the model's file has them.
WeightScales weight_scales(const Node& node, const NodeScales& scales);

template <class N>
constexpr double kMostBias = sizeof(typename N::Bias) == 4 ? 0x1p31 - 1 : 0x1p47 - 1;

/// From the accumulator of a channel whose weights are of scale `weights` to the output.
template <class N>
typename N::Rescale linear_rescale(const Making& m, double weights) {
  using Rescale = typename N::Rescale;
  const double in = m.scales.in[0].scale, out = m.scales.out.scale;
  constexpr bool brief = sizeof(typename N::In) == 2 && std::is_same_v<Rescale, nnom::Double>;
  return rescale_of<Rescale>(m, brief ? output_factor(m.single, in, weights, out)
                                      : output_factor<Rescale>(in, weights, out));
}

template <class N, class Op>
void make(const Op& op, const Making& m, nnom::Linear<N>& d) {
  const Packing<N> p(op);
  std::vector<typename N::Weight> weights(p.size);
  std::vector<typename N::Bias> bias(p.phases * p.channels);
  d.clamp = make_clamp<N>(m);
  if constexpr (N::quantised) {
    using Rescale = typename N::Rescale;
    const Quantisation in = m.scales.in[0];
    const WeightScales w = weight_scales(m.node, m.scales);
    std::vector<Rescale> rescale;
    nnom::Brevity<N> brevity;
    d.in_zero = static_cast<typename N::In>(in.zero);
    d.per_channel = w.per_channel;
    for (size_t c = 0; c < p.channels; ++c) {
      const ChannelWeights own = channel_weights(m.node, c);
      std::vector<double> folded(p.phases, w.bias[c]);
      const Rescale own_rescale = linear_rescale<N>(m, w.scale[c]);
      double size = std::abs(w.bias[c]);
      if constexpr (std::is_same_v<Rescale, nnom::PowerOfTwo>) size += own_rescale.half;
      for (size_t k = 0; w.used[c] && k < own.count; ++k) {
        const double q =
            std::min(std::round(static_cast<double>(m.node.weights[own[k]]) / w.scale[c]), 127.0);
        weights[Packing<N>::packed(op, c, k)] = static_cast<int8_t>(q);
        folded[Packing<N>::phase(op, k)] -= in.zero * q;
        brevity.add(q);
        size += std::abs(q) * (std::abs(in.zero) + in.highest() + 1);
      }
      if (w.used[c] && size > kMostBias<N>)
        throw Error("layer '{}' ({}): the sums of its products and biases do not fit {} bits",
                    m.node.name, m.node.source, 8 * sizeof(typename N::Acc));
      for (size_t phase = 0; phase < p.phases; ++phase)
        bias[phase * p.channels + c] = static_cast<typename N::Bias>(
            std::clamp(folded[phase], -kMostBias<N> - 1, kMostBias<N>));
      brevity.end(folded[0]);
      if (d.per_channel || c == 0) rescale.push_back(own_rescale);
    }
    d.brief = p.phases == 1 && brevity.shorten(rescale.data(), rescale.size());
    if constexpr (nnom::joins<Op, N>())
      d.joined = d.brief && N::Layout::join(weights.data(), weights.size());
    d.rescale = m.keep("rescale", std::move(rescale));
  } else {
    for (size_t c = 0; c < p.channels; ++c) {
      const ChannelWeights own = channel_weights(m.node, c);
      for (size_t k = 0; k < own.count; ++k)
        weights[Packing<N>::packed(op, c, k)] = m.node.weights[own[k]];
      for (size_t phase = 0; phase < p.phases; ++phase)
        bias[phase * p.channels + c] = m.node.bias.empty() ? 0.0f : m.node.bias[c];
    }
  }
  d.weights = m.keep("weights", std::move(weights));
  d.bias = m.keep("bias", std::move(bias));
}

}  // namespace nnomc
