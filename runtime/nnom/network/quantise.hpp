/// \file
/// Op::Data of layers made by hand, computed at compile time. `Constants<Op, N, op, given>::data`
/// is that of `op` in the arithmetic N: Int8<Double, any layout>, or Float.
#pragma once

#include "nnom/network/output_scale.hpp"
#include "nnom/network/text.hpp"

namespace nnom {

/// What a layer's data is made from.
struct Given {
  const char* name = "";
  Settings settings{};
  Quantisation in[8]{unknown, unknown, unknown, unknown, unknown, unknown, unknown, unknown};
  Quantisation out = unknown;

  constexpr Text complaint(const char* type, const char* why) const {
    Text t;
    return t << "layer '" << name << "' (" << type << "): " << why;
  }
};

/// `factor` as 31 bits of multiplier and a shift, halves away from zero; factors below 2^-32 become
/// 0, those above 2^30 the largest there is.
constexpr Double rescale_by(double factor) {
  int shift = 0;
  if (!(factor > 0)) return {0, 0};
  for (; factor >= 1 && shift <= 31; ++shift) factor /= 2;
  for (; factor < 0.5 && shift >= -32; --shift) factor *= 2;
  int64_t multiplier = nearest_wide(factor * 2147483648.0);
  if (multiplier >= int64_t{1} << 31) multiplier = int64_t{1} << 30, ++shift;
  if (shift < -31) return {0, 0};
  if (shift > 30) return {INT32_MAX, 30};
  return {static_cast<int32_t>(multiplier), shift};
}

/// An array that functions can give back.
template <class T, int N>
struct Array {
  alignas(16) T at[N > 0 ? N : 1]{};
};

template <class N>
constexpr Clamp<N> clamp_of(const Given& g) {
  Clamp<N> c;
  if constexpr (N::quantised) {
    c.zero = static_cast<int8_t>(g.out.zero);
    c.lo = stored_as(double{g.settings.lo}, g.out);
    c.hi = stored_as(double{g.settings.hi}, g.out);
  } else {
    c.lo = g.settings.lo, c.hi = g.settings.hi;
  }
  return c;
}

/// By default an op needs nothing.
template <class Op, class N, const Op& op, const Given& g>
struct Constants {
  static_assert(__is_same(typename Op::template Data<N>, Moved<N>),
                "layers of this op are not made by hand: give its data to Network::layer");
  static constexpr typename Op::template Data<N> data{};
};

template <class Op, class N, const Op& op, const Given& g>
requires(is_linear<Op>()) struct Constants<Op, N, op, g> {
  static constexpr Packing<N> packing{op};
  static constexpr int channels = packing.channels, per_channel = packing.per_channel;

  struct Arrays {
    Array<typename N::Weight, int{packing.size}> weights;
    Array<typename N::Bias, int{packing.phases * packing.channels}> bias;
    Array<typename N::Rescale, N::quantised ? channels : 0> rescale;
    bool fits = true, brief = false, joined = false;
  };

  /// Where weight k of a channel lies in what was given.
  static constexpr int place(int c, int k) {
    return __is_same(Op, DepthwiseConv2D) ? k * channels + c : c * per_channel + k;
  }
  static constexpr Arrays make() {
    Arrays a{};
    const Weights& w = g.settings.weights;
    const double in = double{g.in[0].scale};
    Brevity<N> brevity;
    for (int c = 0; c < channels; ++c) {
      const double bias = g.settings.bias.count ? double{g.settings.bias.real[c]} : 0;
      double scale = 0;
      if constexpr (N::quantised) {
        for (int k = 0; k < per_channel && !w.is_stored(); ++k) {
          const double v = double{w.real[place(c, k)]};
          scale = v > scale ? v : -v > scale ? -v : scale;
        }
        scale = w.is_stored() ? double{w.scale[w.scales > 1 ? c : 0]} : scale / 127;
        const double finest = (bias < 0 ? -bias : bias) / in / (1 << 30);
        if (!w.is_stored() && scale < finest) scale = finest;
        if (scale <= 0) scale = double{g.out.scale} / in / 1024;
      }
      double folded[packing.phases]{}, size = 0;
      for (double& f : folded)
        f = N::quantised ? static_cast<double>(nearest_wide(bias / (in * scale))) : bias;
      for (int k = 0; k < per_channel; ++k) {
        auto& to = a.weights.at[Packing<N>::packed(op, c, k)];
        if constexpr (N::quantised) {
          const int q = w.is_stored() ? w.stored[place(c, k)]
                                      : nearest_whole(double{w.real[place(c, k)]} / scale);
          to = static_cast<int8_t>(q);
          folded[Packing<N>::phase(op, k)] -= g.in[0].zero * q;
          size += (q < 0 ? -q : q) * 256.0;
          brevity.add(q);
        } else {
          to = static_cast<float>(w(place(c, k), c));
        }
      }
      for (int p = 0; p < int{packing.phases}; ++p) {
        if (N::quantised && (folded[p] < 0 ? -folded[p] : folded[p]) + size > INT32_MAX)
          a.fits = false, folded[p] = 0;
        a.bias.at[p * channels + c] = static_cast<typename N::Bias>(folded[p]);
      }
      if constexpr (N::quantised) {
        a.rescale.at[c] = rescale_by(in * scale / double{g.out.scale});
        brevity.end(folded[0]);
      }
    }
    if constexpr (N::quantised)
      a.brief = packing.phases == 1 && brevity.shorten(a.rescale.at, channels);
    if constexpr (joins<Op, N>()) a.joined = a.brief && N::Layout::join(a.weights.at, packing.size);
    return a;
  }
  static constexpr Arrays arrays = make();
  static constexpr Linear<N> made() {
    static_assert(Buildable < arrays.fits
                      ? Text{}
                      : g.complaint(Op::name,
                                    "its sums don't fit 32 bits: its weights or "
                                    "biases are too large for its scales") > ::yes);
    Linear<N> d;
    d.weights = arrays.weights.at, d.bias = arrays.bias.at;
    if constexpr (N::quantised)
      d.rescale = arrays.rescale.at, d.brief = arrays.brief, d.joined = arrays.joined,
      d.in_zero = static_cast<int8_t>(g.in[0].zero);
    d.clamp = clamp_of<N>(g);
    return d;
  }
  static constexpr Linear<N> data = made();
};

}  // namespace nnom
