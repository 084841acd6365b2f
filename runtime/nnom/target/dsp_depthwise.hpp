/// \file
/// Depthwise convolution with the DSP extension.
#pragma once

#include "nnom/target/dsp_words.hpp"
#include "nnom/target/scalar.hpp"

namespace nnom::target {

struct DspDepthwise : Scalar {
  /// What Double makes of half a number, plus `offset`: halves are rounded away from zero by one
  /// product, that adds half a step, and one shift. The shift is to the right.
  struct Down {
    int32_t multiplier, shift, add;

    Down() = default;
    [[gnu::always_inline]] Down(const Double& d, int32_t offset)
        : multiplier(d.multiplier), shift(-d.shift), add((2 * offset + 1) * (1 << (shift - 1))) {}
    [[gnu::always_inline]] int32_t operator()(int32_t twice) const {
      return (dsp::add_high_product(add, twice, multiplier) + (twice >> 31)) >> shift;
    }
  };

  using Scalar::brief;
  using Scalar::finish;
  using Scalar::limit;

  static auto brief(const Double& rescale) {
    return [down = Down(rescale, 0)](int32_t sum) NNOM_INLINE { return down(2 * sum); };
  }

  /// Four channels of each tap. Words of pixels and of weights are spread alike.
  template <class N, int B, class Line>
  [[gnu::always_inline]] static void depthwise(const Window<Line>& window, int c, int channels,
                                               const typename N::Weight* weights,
                                               typename N::Acc (&acc)[B]) {
    constexpr bool taps_follow = !requires { N::Layout::depthwise(0, 0, 0, 0); };
    if constexpr (B == 4 && taps_follow && __is_same(Line, int8_t)) {
      weights += c;
      window.taps([&](const int8_t* x) NNOM_INLINE {
        const uint32_t pixel = dsp::load(x + c), weight = dsp::load(weights);
        const dsp::Pairs a = dsp::spread(pixel), b = dsp::spread(weight);
        acc[0] = __smlabb(dsp::to_int(a.even), dsp::to_int(b.even), acc[0]);
        acc[1] = __smlabb(dsp::to_int(a.odd), dsp::to_int(b.odd), acc[1]);
        acc[2] = __smlatt(dsp::to_int(a.even), dsp::to_int(b.even), acc[2]);
        acc[3] = __smlatt(dsp::to_int(a.odd), dsp::to_int(b.odd), acc[3]);
        weights += channels;
      });
    } else {
      Scalar::depthwise<N>(window, c, channels, weights, acc);
    }
  }

  template <class N>
  struct Channel : Scalar::Channel<N> {
    using Scalar::Channel<N>::Channel;
  };
  template <class L>
  struct Channel<Int8<Double, L>> {
    int32_t bias;
    Down down;
    const Double* rescale;

    Channel() = default;
    [[gnu::always_inline]] Channel(const Linear<Int8<Double, L>>& d, int c)
        : bias(d.bias[c]), rescale(d.rescale + (d.per_channel ? c : 0)) {
      if (d.brief) down = Down(*rescale, d.clamp.zero);
    }
  };

  template <class L, int P>
  [[gnu::always_inline]] static void finish(const Linear<Int8<Double, L>>& d, int c,
                                            const int32_t (&sum)[P], int8_t* out, int step) {
    finish(d, Channel<Int8<Double, L>>(d, c), sum, out, step);
  }
  template <class L, int P>
  [[gnu::always_inline]] static void finish(const Linear<Int8<Double, L>>& d,
                                            const Channel<Int8<Double, L>>& channel,
                                            const int32_t (&sum)[P], int8_t* out, int step) {
    if (!d.brief) [[unlikely]] {
      const Double& rescale = *channel.rescale;
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p, out += step)
        finish_any(sum[p], rescale.multiplier, rescale.shift, d.clamp, out);
      return;
    }
    const Down down = channel.down;
    int32_t value[P];
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p) {
      value[p] = __ssat(down(sum[p] * 2), 8);
      keep(value[p]);
    }
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p, out += step) *out = static_cast<int8_t>(value[p]);
  }
  template <class L>
  [[gnu::always_inline]] static void limit(const Linear<Int8<Double, L>>& d, int8_t* out,
                                           int channels, int pixels, int step) {
    const int8_t lo = d.clamp.lo, hi = d.clamp.hi;
    if (!d.brief || (lo == INT8_MIN && hi == INT8_MAX)) return;
    for (; pixels > 0; --pixels, out += step)
      for (int c = 0; c < channels; ++c) out[c] = out[c] < lo ? lo : out[c] > hi ? hi : out[c];
  }

  [[gnu::always_inline]] static void pair_up(int16_t* to, const int8_t* a, const int8_t* b) {
    const uint32_t first = dsp::load(a), second = dsp::load(b);
    const dsp::Pairs u = dsp::spread(first), v = dsp::spread(second);
    dsp::store(to, dsp::join_low(u.even, v.even));
    dsp::store(to + 2, dsp::join_low(u.odd, v.odd));
    dsp::store(to + 4, dsp::join_high(u.even, v.even));
    dsp::store(to + 6, dsp::join_high(u.odd, v.odd));
  }

  template <int stride, int step, int P>
  [[gnu::always_inline]] static void three_taps(const int16_t* x, int pitch, const int16_t* w,
                                                int rows, int32_t (&acc)[P]) {
    constexpr int pairs = (P - 1) * stride / 2 + 2;
#pragma GCC unroll 3
    for (; rows > 0; --rows, x += pitch, w += 2 * step) {
      uint32_t v[pairs], w01 = dsp::load(w), w12 = dsp::load(w + step);
#pragma GCC unroll 8
      for (int i = 0; i < pairs; ++i) v[i] = dsp::load(x + i * step);
      // All loads one after the other, then all products: GCC would spill in between.
      keep(w01), keep(w12);
#pragma GCC unroll 8
      for (int i = 0; i < pairs; ++i) keep(v[i]);
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) {
        const uint32_t a = v[p * stride / 2], b = v[p * stride / 2 + 1];
        if (p * stride % 2 == 0) {
          acc[p] = __smlad(dsp::to_pair(a), dsp::to_pair(w01), acc[p]);
          acc[p] = __smlabt(dsp::to_int(b), dsp::to_int(w12), acc[p]);
        } else {
          acc[p] = __smlatb(dsp::to_int(a), dsp::to_int(w01), acc[p]);
          acc[p] = __smlad(dsp::to_pair(b), dsp::to_pair(w12), acc[p]);
        }
      }
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) keep(acc[p]);
    }
  }

 protected:
  /// Any sum, slowly: with little code where it is called.
  template <class N>
  [[gnu::noinline]] static void finish_any(int32_t sum, int32_t multiplier, int32_t shift,
                                           Clamp<N> clamp, int8_t* out) {
    *out = clamp(Double{multiplier, shift}(sum));
  }

  /// Has `value` computed by here.
  [[gnu::always_inline]] static void keep(auto& value) { asm volatile("" : "+r"(value)); }
};

}  // namespace nnom::target
