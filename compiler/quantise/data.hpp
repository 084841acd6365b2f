/// \file
/// From a node with real numbers to its Op::Data<N>: one make() for each kind of data.
#pragma once

#include <cmath>
#include <limits>

#include "compiler/emit/text.hpp"
#include "compiler/error.hpp"
#include "compiler/op_table.hpp"
#include "compiler/quantise/fixed_point.hpp"
#include "compiler/quantise/tables.hpp"

namespace nnomc {

/// What make() works from, and where it keeps the arrays it makes.
struct Making {
  const Node& node;
  const NodeScales& scales;
  NodeData& out;

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

/// The packed place of weight `k` of output channel `channel`, and how the weights are counted.
template <class N>
struct Packing {
  size_t channels = 0, per_channel = 0, size = 0;

  template <class Op>
  explicit Packing(const Op& op) {
    if constexpr (requires { op.matrix(); }) {
      const nnom::Matrix m = op.matrix();
      channels = static_cast<size_t>(outputs(op));
      per_channel = static_cast<size_t>(m.taps) * static_cast<size_t>(m.length);
      size = channels / static_cast<size_t>(m.rows) * static_cast<size_t>(N::Layout::size(m));
    } else {
      channels = static_cast<size_t>(op.out.c);
      per_channel = static_cast<size_t>(op.kernel.size());
      size = channels * per_channel;
    }
  }
  /// Packed place of weight k of `channel`.
  template <class Op>
  static size_t packed(const Op& op, size_t channel, size_t k) {
    const auto c = static_cast<int>(channel);
    if constexpr (requires { op.matrix(); }) {
      const auto i = static_cast<int>(k);
      const nnom::Matrix m = op.matrix();
      const int group = c / m.rows * N::Layout::size(m);
      const int place = N::Layout::index(m, c % m.rows, i / m.length, i % m.length);
      return static_cast<size_t>(group) + static_cast<size_t>(place);
    } else {
      return k * static_cast<size_t>(op.out.c) +
             static_cast<size_t>(N::Layout::channel(c, op.out.c));
    }
  }
  template <class Op>
  static int outputs(const Op& op) {
    if constexpr (requires { op.out.c; })
      return op.out.c;
    else
      return op.out;
  }
};

template <class N>
nnom::Clamp<N> make_clamp(const Making& m) {
  nnom::Clamp<N> clamp;
  if constexpr (N::quantised) {
    clamp.zero = static_cast<int8_t>(m.scales.out.zero);
    clamp.lo = quantise_limit<typename N::Rescale>(m.node.range.lo, m.scales.out);
    clamp.hi = quantise_limit<typename N::Rescale>(m.node.range.hi, m.scales.out);
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

/// How the weights of a linear node are quantised.
struct WeightScales {
  bool per_channel = true;
  std::vector<double> scale;  ///< of each channel's weights
  std::vector<double> bias;   ///< of each channel, in units of input times weight: whole numbers
  std::vector<bool> used;     ///< channels whose weights matter
};

/// Scales from the largest weights, or as the model's file has them.
WeightScales weight_scales(const Node& node, const NodeScales& scales);

template <class N, class Op>
void make(const Op& op, const Making& m, nnom::Linear<N>& d) {
  const Packing<N> p(op);
  std::vector<typename N::Weight> weights(p.size);
  std::vector<typename N::Bias> bias(p.channels);
  d.clamp = make_clamp<N>(m);
  if constexpr (N::quantised) {
    using Rescale = typename N::Rescale;
    const Quantisation in = m.scales.in[0], out = m.scales.out;
    const WeightScales w = weight_scales(m.node, m.scales);
    std::vector<Rescale> rescale;
    d.in_zero = static_cast<int8_t>(in.zero);
    d.per_channel = w.per_channel;
    for (size_t c = 0; c < p.channels; ++c) {
      const ChannelWeights own = channel_weights(m.node, c);
      double folded = w.bias[c];
      for (size_t k = 0; w.used[c] && k < own.count; ++k) {
        const double q = std::round(static_cast<double>(m.node.weights[own[k]]) / w.scale[c]);
        weights[Packing<N>::packed(op, c, k)] = static_cast<int8_t>(q);
        folded -= in.zero * q;
      }
      bias[c] = static_cast<int32_t>(std::clamp(folded, -2147483648.0, 2147483647.0));
      if (d.per_channel || c == 0)
        rescale.push_back(rescale_by<Rescale>(
            output_factor<Rescale>(in.scale, w.scale[c], out.scale)));
    }
    d.rescale = m.keep("rescale", std::move(rescale));
  } else {
    for (size_t c = 0; c < p.channels; ++c) {
      const ChannelWeights own = channel_weights(m.node, c);
      for (size_t k = 0; k < own.count; ++k)
        weights[Packing<N>::packed(op, c, k)] = m.node.weights[own[k]];
      bias[c] = m.node.bias.empty() ? 0.0f : m.node.bias[c];
    }
  }
  d.weights = m.keep("weights", std::move(weights));
  d.bias = m.keep("bias", std::move(bias));
}

template <class N, class Op>
void make(const Op&, const Making& m, nnom::Moved<N>& d) {
  if constexpr (N::quantised) d.in_zero = static_cast<int8_t>(m.scales.in[0].zero);
}

/// As XNNPACK has it, for the mean of `count` values.
inline void make_mean(const NodeScales& scales, int count, nnom::SingleMean& mean) {
  const auto in = static_cast<float>(scales.in[0].scale),
             out = static_cast<float>(scales.out.scale);
  mean.scale = in / out * (1.0f / static_cast<float>(count));
  const float zeros = static_cast<float>(count * scales.in[0].zero) * mean.scale;
  // The clamp adds the output's zero point to a whole number: it must not be rounded with the rest.
  mean.offset = static_cast<float>(scales.out.zero) - zeros;
}

/// As TFLite has it: the count divides the multiplier, as far as that keeps its bits.
inline void make_mean(const NodeScales& scales, int count, nnom::DoubleMean& mean) {
  const auto whole = rescale_by<nnom::Double>(scales.in[0].scale / scales.out.scale);
  const int bits = std::min({std::ilogb(count), 32, 31 + whole.shift});
  mean.rescale = {static_cast<int32_t>((int64_t{whole.multiplier} << bits) / count),
                  whole.shift - bits};
  mean.offset = -count * scales.in[0].zero;
}

template <class N>
void make(const nnom::Mean& op, const Making& m, nnom::Mean::Data<N>& d) {
  d.clamp = make_clamp<N>(m);
  if constexpr (N::quantised) {
    make_mean(m.scales, op.pixels(), d.mean);
    if constexpr (std::is_same_v<typename N::Rescale, nnom::Single>) d.clamp.zero = 0;
  }
}

/// XNNPACK's choice: the larger of the two factors in 21 bits, the other in its unit. It is only
/// defined for factors from 2^-10 to 2^8; beyond 2^10 every value but zero saturates.
inline void make_sum(const NodeScales& scales, nnom::SingleSum& sum) {
  float factor[2];
  for (size_t i = 0; i < 2; ++i)
    factor[i] = std::min(
        static_cast<float>(scales.in[i].scale) / static_cast<float>(scales.out.scale), 1024.0f);
  sum.shift = std::min(20 - std::ilogb(std::max(factor[0], factor[1])), 30);
  sum.bias = 1 << (sum.shift - 1);
  for (size_t i = 0; i < 2; ++i) {
    sum.multiplier[i] = static_cast<int32_t>(std::lrint(std::ldexp(factor[i], sum.shift)));
    sum.bias -= sum.multiplier[i] * scales.in[i].zero;
  }
}

/// TFLite's: both inputs to the larger of their scales, doubled.
inline void make_sum(const NodeScales& scales, nnom::DoubleSum& sum) {
  const double common = 2 * std::max(scales.in[0].scale, scales.in[1].scale);
  for (size_t i = 0; i < 2; ++i) {
    sum.zero[i] = scales.in[i].zero;
    sum.rescale[i] = rescale_by<nnom::Double>(scales.in[i].scale / common);
  }
  sum.total =
      rescale_by<nnom::Double>(common / (1 << nnom::DoubleSum::headroom) / scales.out.scale);
}

template <class N>
void make(const nnom::Add&, const Making& m, nnom::Add::Data<N>& d) {
  d.clamp = make_clamp<N>(m);
  if constexpr (N::quantised) make_sum(m.scales, d.sum);
}

template <class N>
void make(const nnom::Concat& op, const Making& m, nnom::Concat::Data<N>& d) {
  if constexpr (N::quantised)
    for (int i = 0; i < op.count; ++i)
      if (const Quantisation& in = m.scales.in[static_cast<size_t>(i)]; !(in == m.scales.out))
        d.table[i] = m.keep("table" + std::to_string(i),
                            table_of(in, m.scales.out, [](double x) { return x; }));
}

template <class N>
void make(const nnom::Activation& op, const Making& m, nnom::Activation::Data<N>& d) {
  if constexpr (N::quantised)
    d.table = m.keep("table", activation_table<typename N::Rescale>(op, m.scales));
}

template <class N>
void make(const nnom::Softmax&, const Making& m, nnom::Softmax::Data<N>& d) {
  if constexpr (N::quantised)
    d.table = m.keep("table", powers<typename N::Rescale::Power>(m.scales.in[0].scale));
}

}  // namespace nnomc
