/// \file
/// Armv7E-M and Armv8-M with the DSP extension (Cortex-M4, M7, M33): two int16 products an
/// instruction.
#pragma once

#include "nnom/target/dsp_multiply.hpp"
#include "nnom/target/scalar.hpp"

namespace nnom::target {

struct Dsp : Scalar {
  using Preferred = layout::Dsp;
  template <class Layout>
  static constexpr bool reads = true;

  using Scalar::depthwise;
  using Scalar::maximum;
  using Scalar::widen;

  [[gnu::always_inline]] static void widen(int16_t* line, const int8_t* in, int n) {
    if (n >= 16) dsp::widen_16(line, in, n);
    for (; n >= 4; n -= 4, in += 4, line += 4) dsp::widen_4(line, in);
#pragma GCC unroll 1
    for (; n > 0; --n) *line++ = *in++;
  }

  /// Shared by all layers of a kind, whatever is constant.
  template <class N>
  requires(__is_same(typename N::Layout, layout::Dsp) && N::quantised)  //
      [[gnu::noinline]] static void multiply(const Pixels<N>& px, const Matrix& m,
                                             const Linear<N>& d, const int8_t* weights,
                                             int channel) {
    if (d.joined)
      dsp::multiply_joined<N>(px, m, d, weights, channel);
    else
      dsp::multiply_plain<N>(px, m, d, weights, channel);
  }

  template <class N>
  requires __is_same(typename N::Layout, layout::Dsp)
      [[gnu::always_inline]] static void depthwise(const Window<int16_t>& window, int c,
                                                   int channels, const int8_t* weights,
                                                   int32_t (&acc)[4]) {
    weights += c;
    window.taps([&](const int16_t* x) NNOM_INLINE {
      const dsp::Pairs w = dsp::spread(dsp::load(weights));
      const uint32_t first = dsp::load(x + c), second = dsp::load(x + c + 2);
      acc[0] = __smlabb(dsp::to_int(first), dsp::to_int(w.even), acc[0]);
      acc[1] = __smlatt(dsp::to_int(first), dsp::to_int(w.even), acc[1]);
      acc[2] = __smlabb(dsp::to_int(second), dsp::to_int(w.odd), acc[2]);
      acc[3] = __smlatt(dsp::to_int(second), dsp::to_int(w.odd), acc[3]);
      weights += channels;
    });
  }

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
};

}  // namespace nnom::target
