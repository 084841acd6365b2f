/// \file
/// Armv7E-M and Armv8-M with the DSP extension (Cortex-M4, M7, M33): two int16 products an
/// instruction.
#pragma once

#include "nnom/target/dsp_elements.hpp"
#include "nnom/target/dsp_multiply.hpp"
#include "nnom/target/dsp_small.hpp"

namespace nnom::target {

struct Dsp : DspElements {
  using Preferred = layout::Dsp;
  template <class Layout>
  static constexpr bool reads = true;

  using Scalar::widen;

  // Once for all that widen and fill, as unrolled they are long.
  [[gnu::noinline]] static void widen(int16_t* line, const int8_t* in, int n) {
    dsp::widen<4>(line, in, n);
  }
  using Scalar::fill;
  [[gnu::noinline]] static void fill(int16_t* to, int16_t value, int n) {
#pragma GCC unroll 1
    for (; n > 0; --n) *to++ = value;
  }

  static constexpr bool pairs_pixels = true;
  [[gnu::noinline]] static void widen_paired(int16_t* patch, const int8_t* in, int n) {
    dsp::widen<8>(patch, in, n);
  }
  [[gnu::always_inline]] static void widen_paired(int16_t* patch, const int16_t* in, int n) {
    dsp::copy_paired(patch, in, (n + 1) / 2);
  }

  /// Weights as they come.
  template <class N>
  requires(is_int8<N>)  //
      static void multiply(const Pixels<N>& px, const Matrix& m, const Linear<N>& d,
                           const int8_t* weights, int channel) {
    DspSmall::multiply<N>(px, m, d, weights, channel);
  }
  template <class L>
  requires(is_plain<L>)  //
      static void multiply_window(const int8_t* x, const Matrix& m,
                                  const Linear<Int8<Double, L>>& d, const int8_t* weights,
                                  int channel, int8_t* out) {
    DspSmall::multiply_window(x, m, d, weights, channel, out);
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
};

}  // namespace nnom::target
