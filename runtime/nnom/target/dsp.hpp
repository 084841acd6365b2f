/// \file
/// Armv7E-M and Armv8-M with the DSP extension (Cortex-M4, M7, M33): two int16 products an
/// instruction.
#pragma once

#include "nnom/target/dsp_elements.hpp"
#include "nnom/target/dsp_multiply.hpp"

namespace nnom::target {

struct Dsp : DspElements {
  using Preferred = layout::Dsp;
  template <class Layout>
  static constexpr bool reads = true;

  using Scalar::widen;

  [[gnu::always_inline]] static void widen(int16_t* line, const int8_t* in, int n) {
    for (; n >= 16; n -= 16) {
      uint32_t w[4];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i, in += 4) w[i] = dsp::load(in);
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i, line += 4) four(line, w[i]);
    }
    for (; n >= 4; n -= 4, in += 4, line += 4) four(line, dsp::load(in));
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

 private:
  [[gnu::always_inline]] static void four(int16_t* line, uint32_t bytes) {
    const dsp::Pairs v = dsp::spread(bytes);  // (0, 2) and (1, 3)
    dsp::store(line, dsp::join_low(v.even, v.odd));
    dsp::store(line + 2, dsp::join_high(v.even, v.odd));
  }
};

}  // namespace nnom::target
