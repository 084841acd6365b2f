/// \file
/// The DSP extension where code must be small, and for weights as they come: one loop for all
/// products.
#pragma once

#include "nnom/pixels.hpp"
#include "nnom/target/dsp_elements.hpp"
#include "nnom/target/dsp_small_products.hpp"

namespace nnom::target {

/// Packed as it comes; and int8.
template <class L>
inline constexpr bool is_plain = __is_base_of(layout::Plain, L);
template <class N>
inline constexpr bool is_int8 = is_plain<typename N::Layout> && sizeof(typename N::In) == 1;

struct DspSmall : DspDepthwise {
  static constexpr bool compact = true;
  using Preferred = layout::Compact;

  using Scalar::add;
  using Scalar::fill;
  using Scalar::widen;

  [[gnu::noinline]] static void fill(int8_t* to, int8_t value, int n) {
#pragma GCC unroll 1
    for (; n > 0; --n) {
      *to++ = value;
      asm("" : "+r"(to));  // no call of memset
    }
  }
  [[gnu::noinline]] static void widen(int8_t* line, const int8_t* in, int n) {
#pragma GCC unroll 1
    for (; n >= 16; n -= 16, in += 16, line += 16) {
      const uint32_t a = dsp::load(in), b = dsp::load(in + 4), c = dsp::load(in + 8);
      const uint32_t d = dsp::load(in + 12);
      dsp::store(line, a), dsp::store(line + 4, b), dsp::store(line + 8, c);
      dsp::store(line + 12, d);
    }
    for (; n >= 4; n -= 4, in += 4, line += 4) dsp::store(line, dsp::load(in));
    for (; n > 0; --n) *line++ = *in++;
  }

  /// Four rows at a time. Where there are fewer each is computed as often; else some may be
  /// computed again.
  template <class N>
  requires(is_int8<N>)  //
      [[gnu::noinline]] static void multiply(const Pixels<N>& px, const Matrix& m,
                                             const Linear<N>& d, const int8_t* weights,
                                             int channel) {
    const int most = m.rows < 4 ? 1 : 4, size = m.taps * m.length, step = m.rows < 4 ? 0 : size;
    Window<int8_t> w = px.window;
    typename N::Out* out = px.out;
    for (int p = 0; p < px.count; ++p, w.first += px.step, out += px.out_step)
      for (int r = 0; r < m.rows; r += most) {
        r = min(r, m.rows - most);
        const typename N::Bias* bias = d.bias + channel + r;
        int32_t sum[4];
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) sum[i] = most == 1 ? *bias : bias[i];
        const int8_t* v = weights + r * size;
        w.taps([&](const int8_t* x) NNOM_INLINE {
          dsp::add_products(x, v, step, w.length, sum);
          v += w.length;
        });
        for (int i = 0; i < most; ++i) out[r + i] = d.finish(sum[i], channel + r + i);
      }
  }
  /// The same of a window that is one run.
  template <class L>
  requires(is_plain<L>)  //
      static void multiply_window(const int8_t* x, const Matrix& m,
                                  const Linear<Int8<Double, L>>& d, const int8_t* weights,
                                  int channel, int8_t* out) {
    const int next = d.per_channel;
    dsp::RowsOfDouble rows{d.bias + channel,
                           d.rescale + (next ? channel : 0),
                           next * int{sizeof(Double)},
                           out,
                           m.rows < 4 ? 1 : 4,
                           d.clamp.zero,
                           d.clamp.lo,
                           d.clamp.hi,
                           m.rows};
    dsp::multiply_double(x, weights, m.length, rows);
  }

  template <class N>
  [[gnu::always_inline]] static bool add(const DoubleSum& s, const Clamp<N>& clamp, const int8_t* a,
                                         const int8_t* b, int8_t* out, int n) {
    return DspElements::add_by<1>(s, clamp, a, b, out, n);
  }
};

}  // namespace nnom::target
