/// \file
/// Op::Data of layers made by hand that have no weights: functions, merges, means, borders.
#pragma once

#include "nnom/network/quantise.hpp"

namespace nnom {

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
      const int64_t v = nearest_wide(power * 2147483648.0);
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

template <class N, const SumPool2D& op, const Given& g>
struct Constants<SumPool2D, N, op, g> {
  static constexpr auto made() {
    SumPool2D::Data<N> d;
    d.clamp = clamp_of<N>(g);
    if constexpr (N::quantised) {
      d.zero = static_cast<int8_t>(g.in[0].zero);
      d.sum.rescale = rescale_by(double{g.in[0].scale} / double{g.out.scale});
    }
    return d;
  }
  static constexpr SumPool2D::Data<N> data = made();
};

template <class N, const DynamicSumPool2D& op, const Given& g>
struct Constants<DynamicSumPool2D, N, op, g> {
  static constexpr DynamicSumPool2D::Data<N> data{
      static_cast<typename N::In>(N::quantised ? g.in[0].zero : 0)};
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
