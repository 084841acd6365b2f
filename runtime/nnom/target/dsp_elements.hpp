/// \file
/// Four int8 of a tensor at a time with the DSP extension: maxima, and sums of two tensors and of
/// windows.
#pragma once

#include "nnom/target/dsp_depthwise.hpp"

namespace nnom::target {

struct DspElements : DspDepthwise {
  using Scalar::add;
  using Scalar::maximum;
  using Scalar::window_sums;

  /// out[i] = max(out[i], in[i]) for i < n.
  [[gnu::always_inline]] static void maximum(int8_t* out, const int8_t* in, int n) {
    const int whole = n & ~3;
    for (int i = 0; i < whole; i += 4) {
      uint32_t a = dsp::load(out + i);
      const uint32_t b = dsp::load(in + i);
      uint32_t difference;
      asm("ssub8 %1, %0, %2\n\tsel %0, %0, %2" : "+r"(a), "=&r"(difference) : "r"(b));
      dsp::store(out + i, a);
    }
    Scalar::maximum(out + whole, in + whole, n - whole);
  }

  /// Sums whose larger scale is that of one operand: its half is exact. Everything is twice as
  /// large as in DoubleSum, as its products are halved.
  template <class N>
  [[gnu::always_inline]] static void add(const DoubleSum& sum, const Clamp<N>& clamp,
                                         const int8_t* a, const int8_t* b, int8_t* out, int n) {
    const int larger = sum.rescale[1].multiplier == 1 << 30 && sum.rescale[1].shift == 0;
    const Double &half = sum.rescale[larger], &other = sum.rescale[1 - larger];
    if (sum.minus || half.multiplier != 1 << 30 || half.shift != 0 || other.shift >= 0 ||
        sum.total.shift >= 0 || sum.total.shift < -22)
      return Scalar::add(sum, clamp, a, b, out, n);
    const int8_t *x = larger ? b : a, *y = larger ? a : b;
    const int32_t x_zero = -sum.zero[larger] * (1 << 20);
    const int32_t y_zero = -sum.zero[1 - larger] * (1 << 21);
    const Down down(other, 0), total(sum.total, clamp.zero);
    const bool limits = clamp.lo != N::lowest || clamp.hi != N::highest;
    const int whole = n & ~3;
    for (int i = 0; i < whole; i += 4) {
      const uint32_t u = dsp::load(x + i), v = dsp::load(y + i);
      int32_t value[4];
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) {
        value[k] = down(byte(v, k) * (1 << 21) + y_zero);
        keep(value[k]);
      }
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) {
        value[k] = __ssat(total(byte(u, k) * (1 << 20) + x_zero + value[k] * 2), 8);
        keep(value[k]);
      }
      if (limits) {
#pragma GCC unroll 4
        for (int k = 0; k < 4; ++k)
          value[k] = value[k] < clamp.lo ? clamp.lo : value[k] > clamp.hi ? clamp.hi : value[k];
      }
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) out[i + k] = static_cast<int8_t>(value[k]);
    }
    Scalar::add(sum, clamp, a + whole, b + whole, out + whole, n - whole);
  }

  /// Up to 255 values of int8 fit a sum of 16 bits.
  [[gnu::always_inline]] static void window_sums(const Window<int8_t>& window, int c,
                                                 int32_t (&sum)[4]) {
    if (window.rows * window.columns > 255) return Scalar::window_sums(window, c, sum);
    uint32_t even = 0, odd = 0;
    window.taps([&](const int8_t* x) NNOM_INLINE {
      const uint32_t v = dsp::load(x + c);
      asm("sxtab16 %0, %0, %1" : "+r"(even) : "r"(v));
      asm("sxtab16 %0, %0, %1, ror #8" : "+r"(odd) : "r"(v));
    });
    sum[0] += static_cast<int16_t>(even), sum[1] += static_cast<int16_t>(odd);
    sum[2] += dsp::to_int(even) >> 16, sum[3] += dsp::to_int(odd) >> 16;
  }

  static int clamp16(int v) { return __ssat(v, 16); }
  /// As values of 16 bits with a sign both are 2^16 less.
  [[gnu::always_inline]] static int between(const uint16_t* t, int part, int bits) {
    const auto weights = static_cast<uint32_t>(part * 0xFFFF + (1 << bits));  // 2^bits - part, part
    return __smuad(dsp::to_pair(dsp::load(t)), dsp::to_pair(weights)) + (1 << (16 + bits));
  }

 private:
  [[gnu::always_inline]] static int32_t byte(uint32_t word, int k) {
    return static_cast<int8_t>(word >> (8 * k));
  }
};

}  // namespace nnom::target
