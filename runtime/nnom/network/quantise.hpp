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
  auto multiplier = static_cast<int64_t>(factor * 2147483648.0 + 0.5);
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
    bool fits = true;
  };

  /// Where weight k of a channel lies in what was given.
  static constexpr int place(int c, int k) {
    return __is_same(Op, DepthwiseConv2D) ? k * channels + c : c * per_channel + k;
  }
  static constexpr Arrays make() {
    Arrays a{};
    const Weights& w = g.settings.weights;
    const double in = double{g.in[0].scale};
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
      for (double& f : folded) f = N::quantised ? nearest_wide(bias / (in * scale)) : bias;
      for (int k = 0; k < per_channel; ++k) {
        auto& to = a.weights.at[Packing<N>::packed(op, c, k)];
        if constexpr (N::quantised) {
          const int q = w.is_stored() ? w.stored[place(c, k)]
                                      : nearest_whole(double{w.real[place(c, k)]} / scale);
          to = static_cast<int8_t>(q);
          folded[Packing<N>::phase(op, k)] -= g.in[0].zero * q;
          size += (q < 0 ? -q : q) * 256.0;
        } else {
          to = static_cast<float>(w(place(c, k), c));
        }
      }
      for (int p = 0; p < int{packing.phases}; ++p) {
        if (N::quantised && (folded[p] < 0 ? -folded[p] : folded[p]) + size > INT32_MAX)
          a.fits = false, folded[p] = 0;
        a.bias.at[p * channels + c] = static_cast<typename N::Bias>(folded[p]);
      }
      if constexpr (N::quantised) a.rescale.at[c] = rescale_by(in * scale / double{g.out.scale});
    }
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
      d.rescale = arrays.rescale.at, d.in_zero = static_cast<int8_t>(g.in[0].zero);
    d.clamp = clamp_of<N>(g);
    return d;
  }
  static constexpr Linear<N> data = made();

 private:
  /// The same as nearest_whole, up to 2^52.
  static constexpr double nearest_wide(double x) {
    const auto whole = static_cast<int64_t>(x);
    const double rest = x - static_cast<double>(whole);
    return static_cast<double>(whole + (rest >= 0.5) - (rest <= -0.5));
  }
};

/// From the stored values of one scale to those of another, through a function.
constexpr Array<int8_t, 256> table_of(const Quantisation& in, const Quantisation& out, auto f) {
  Array<int8_t, 256> t;
  for (int q = -128; q < 128; ++q) t.at[q + 128] = stored_as(f(real_of(in, q)), out);
  return t;
}
constexpr bool same(const Quantisation& a, const Quantisation& b) {
  return a.scale == b.scale && a.zero == b.zero;
}

/// A table from one scale to another; null if they are the same.
template <Quantisation in, Quantisation out>
struct Between {
  static constexpr Array<int8_t, 256> table = table_of(in, out, [](double x) { return x; });
  static constexpr const int8_t* pointer = same(in, out) ? nullptr : table.at;
};

template <class N, const Activation& op, const Given& g>
struct Constants<Activation, N, op, g> {
  static constexpr auto make() {
    if constexpr (N::quantised)
      return table_of(g.in[0], g.out, [](double x) { return Activation::apply(op, x); });
    else
      return Array<float, 0>{};
  }
  static constexpr auto table = make();
  static constexpr auto made() {
    Activation::Data<N> d;
    if constexpr (N::quantised) d.table = table.at;
    return d;
  }
  static constexpr Activation::Data<N> data = made();
};

/// e^x for x <= 0, as every compiler computes it.
constexpr double exp_of(double x) {
  if (x < -64) return 0;
  int halved = 0;
  for (; x < -0.5; ++halved) x /= 2;
  double sum = 1, term = 1;
  for (int n = 1; n < 18; ++n) sum += term *= x / n;
  for (; halved > 0; --halved) sum *= sum;
  return sum;
}

template <class N, const Softmax& op, const Given& g>
struct Constants<Softmax, N, op, g> {
  /// e^(-d * beta * scale), d = 0 .. 255, in units of 2^-31.
  static constexpr auto make() {
    Array<int32_t, N::quantised ? 256 : 0> t;
    for (int d = 0; N::quantised && d < 256; ++d) {
      const double power = exp_of(-d * double{op.beta} * double{g.in[0].scale});
      const auto v = static_cast<int64_t>(power * 2147483648.0 + 0.5);
      t.at[d] = v > INT32_MAX ? INT32_MAX : static_cast<int32_t>(v);
    }
    return t;
  }
  static constexpr auto table = make();
  static constexpr auto made() {
    Softmax::Data<N> d;
    if constexpr (N::quantised) d.table = table.at;
    return d;
  }
  static constexpr Softmax::Data<N> data = made();
};

template <class N, const Pad& op, const Given& g>
struct Constants<Pad, N, op, g> {
  static constexpr auto made() {
    Pad::Data<N> d;
    if constexpr (N::quantised)
      d.value = stored_as(double{op.value}, g.in[0]);
    else
      d.value = op.value;
    return d;
  }
  static constexpr Pad::Data<N> data = made();
};

template <class N, const Resize& op, const Given& g>
struct Constants<Resize, N, op, g> {
  struct Arrays {
    Array<int16_t, op.out.h + op.out.w> from;
    Array<typename N::Factor, op.out.h + op.out.w> fraction;
  };
  /// Pixels by their middles.
  static constexpr Arrays make() {
    Arrays a{};
    for (int i = 0; i < op.out.h + op.out.w; ++i) {
      const bool row = i < op.out.h;
      const int in = row ? op.in.h : op.in.w, out = row ? op.out.h : op.out.w;
      const int k = row ? i : i - op.out.h;
      double place = (k + 0.5) * in / out - (op.interpolation == Interpolation::linear ? 0.5 : 0);
      place = place < 0                                                     ? 0
              : place > in - 1 && op.interpolation == Interpolation::linear ? in - 1
                                                                            : place;
      a.from.at[i] = static_cast<int16_t>(place);
      const double fraction = (place - a.from.at[i]) * Blend<typename N::Rescale>::one;
      if constexpr (N::quantised)
        a.fraction.at[i] = nearest_whole(fraction);
      else
        a.fraction.at[i] = static_cast<typename N::Factor>(fraction);
    }
    return a;
  }
  static constexpr Arrays arrays = make();
  static constexpr Resize::Data<N> data{arrays.from.at, arrays.fraction.at};
};

template <class N, const Concat& op, const Given& g>
struct Constants<Concat, N, op, g> {
  template <int I>
  static constexpr void tables(auto& d) {
    if constexpr (I < op.count) {
      d.table[I] = Between<g.in[I], g.out>::pointer;
      tables<I + 1>(d);
    }
  }
  static constexpr auto made() {
    Concat::Data<N> d;
    if constexpr (N::quantised) tables<0>(d);
    return d;
  }
  static constexpr Concat::Data<N> data = made();
};

template <bool mean, class N, const Reduce<SumRule<mean>>& op, const Given& g>
struct Constants<Reduce<SumRule<mean>>, N, op, g> {
  static constexpr auto made() {
    SumData<N> d;
    d.clamp = clamp_of<N>(g);
    if constexpr (N::quantised) {  // the count divides the multiplier, as far as that keeps its
                                   // bits
      const Double whole = rescale_by(double{g.in[0].scale} / double{g.out.scale});
      const int divisor = mean ? op.count() : 1;
      const int bits = min(31 - __builtin_clz(static_cast<unsigned>(divisor)), 31 + whole.shift);
      d.mean.rescale = {static_cast<int32_t>((int64_t{whole.multiplier} << bits) / divisor),
                        whole.shift - bits};
      d.mean.offset = -op.count() * g.in[0].zero;
    }
    return d;
  }
  static constexpr SumData<N> data = made();
};

// Both inputs to the larger of their scales, doubled.
constexpr void make_rule(const AddRule& rule, const Quantisation* in, const Quantisation& out,
                         DoubleSum& d) {
  const double common = 2 * double{in[0].scale > in[1].scale ? in[0].scale : in[1].scale};
  for (int i = 0; i < 2; ++i)
    d.zero[i] = in[i].zero, d.rescale[i] = rescale_by(double{in[i].scale} / common);
  d.total = rescale_by(common / (1 << 20) / double{out.scale});
  d.minus = rule.minus;
}

template <class Rule, class N, const Elementwise<Rule>& op, const Given& g>
struct Constants<Elementwise<Rule>, N, op, g> {
  static constexpr Quantisation constant_scale =
      op.constant < 0 ? unknown : scale_of(g.settings.weights);
  static constexpr Quantisation x[2]{op.constant == 0 ? constant_scale : g.in[0],
                                     op.constant == 1   ? constant_scale
                                     : op.constant == 0 ? g.in[0]
                                                        : g.in[1]};

  static constexpr auto make() {
    const Weights& w = g.settings.weights;
    Array<typename N::In, op.constants()> a;
    for (int i = 0; i < op.constants(); ++i) {
      const double v = w(i);
      if constexpr (N::quantised)
        a.at[i] = stored_as(v, constant_scale);
      else
        a.at[i] = static_cast<float>(v);
    }
    return a;
  }
  static constexpr auto constant = make();

  static constexpr auto made() {
    using Data = typename Elementwise<Rule>::template Data<N>;
    Data d;
    if constexpr (op.constant >= 0) d.constant = constant.at;
    d.clamp = clamp_of<N>(g);
    if constexpr (N::quantised) {
      if constexpr (__is_same(Rule, AddRule)) {
        make_rule(op.rule, x, g.out, d.rule.sum);
      } else if constexpr (__is_same(Rule, ExtremeRule<true>) ||
                           __is_same(Rule, ExtremeRule<false>)) {
        d.rule.zero = static_cast<int8_t>(g.out.zero);
        d.rule.table[0] = Between<x[0], g.out>::pointer;
        d.rule.table[1] = Between<x[1], g.out>::pointer;
      } else {
        const double product = double{x[0].scale} * double{x[1].scale} / double{g.out.scale};
        for (int i = 0; i < 2; ++i) d.rule.zero[i] = static_cast<int8_t>(x[i].zero);
        if constexpr (__is_same(Rule, MulRule)) {
          d.rule.rescale = rescale_by(product);
        } else {
          static_assert(__is_same(Rule, PReluRule), "give its data to Network::layer");
          d.rule.positive = rescale_by(double{x[0].scale} / double{g.out.scale});
          d.rule.negative = rescale_by(product);
        }
      }
    }
    return d;
  }
  static constexpr typename Elementwise<Rule>::template Data<N> data = made();
};

}  // namespace nnom
