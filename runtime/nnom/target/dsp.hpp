/// \file
/// Armv7E-M and Armv8-M with the DSP extension (Cortex-M4, M7, M33): two int16 products an
/// instruction.
#pragma once

#include "nnom/target/dsp_elements.hpp"

namespace nnom::target {

struct Dsp : DspElements {
  using Preferred = layout::Dsp;
  template <class Layout>
  static constexpr bool reads = true;

  using Scalar::tile;
  using Scalar::widen;

  [[gnu::always_inline]] static void widen(int16_t* line, const int8_t* in, int n) {
    const int whole = n & ~3;
    for (int i = 0; i < whole; i += 4) {
      const dsp::Pairs v = dsp::spread(dsp::load(in + i));  // (0, 2) and (1, 3)
      dsp::store(line + i, dsp::join_low(v.even, v.odd));
      dsp::store(line + i + 2, dsp::join_high(v.even, v.odd));
    }
    Scalar::widen(line + whole, in + whole, n - whole);
  }

  template <class N, int P, int R, bool Fixed>
  requires __is_same(typename N::Layout, layout::Dsp)
      [[gnu::always_inline]] static void tile(Window<int16_t> window, int step,
                                              const int8_t* weights, const Matrix& m, int r,
                                              int32_t (&acc)[P][R]) {
    const int8_t* w = weights + r * layout::Dsp::row_size(m);
    window.taps([&](const int16_t* x) NNOM_INLINE {
      if constexpr (P == 2 && R == 2 && !Fixed) {  // fixed bounds give straight code: no spills
        w = four(x, x + step, w, window.length, acc);
        return;
      }
      for (int k = 0; k < window.length; k += 4, x += 4) {
        dsp::Pairs b[R];
#pragma GCC unroll 2
        for (int i = 0; i < R; ++i, w += 4) b[i] = dsp::spread(dsp::load(w));
#pragma GCC unroll 2
        for (int p = 0; p < P; ++p) {
          const uint32_t first = dsp::load(x + p * step), second = dsp::load(x + p * step + 2);
#pragma GCC unroll 2
          for (int i = 0; i < R; ++i) {
            acc[p][i] = __smlad(dsp::to_pair(first), dsp::to_pair(b[i].even), acc[p][i]);
            acc[p][i] = __smlad(dsp::to_pair(second), dsp::to_pair(b[i].odd), acc[p][i]);
          }
        }
      }
    });
  }

 private:
  /// One tap of two pixels by two rows. GCC spills in this loop; by hand it takes 20 instructions
  /// for 16 products. Returns the weights behind those of the tap.
  [[gnu::always_inline]] static const int8_t* four(const int16_t* x, const int16_t* y,
                                                   const int8_t* w, int length,
                                                   int32_t (&acc)[2][2]) {
    uint32_t u, v, a, b, e;
    asm volatile(
        "1:\n\t"
        "ldr %[u], [%[w]], #4\n\t"
        "ldr %[v], [%[w]], #4\n\t"
        "ldr %[a], [%[x]], #4\n\t"
        "ldr %[b], [%[y]], #4\n\t"
        "sxtb16 %[e], %[u]\n\t"
        "smlad %[p], %[e], %[a], %[p]\n\t"
        "smlad %[r], %[e], %[b], %[r]\n\t"
        "sxtb16 %[e], %[v]\n\t"
        "smlad %[q], %[e], %[a], %[q]\n\t"
        "smlad %[s], %[e], %[b], %[s]\n\t"
        "ldr %[a], [%[x]], #4\n\t"
        "ldr %[b], [%[y]], #4\n\t"
        "sxtb16 %[u], %[u], ror #8\n\t"
        "sxtb16 %[v], %[v], ror #8\n\t"
        "subs %[n], #4\n\t"
        "smlad %[p], %[u], %[a], %[p]\n\t"
        "smlad %[r], %[u], %[b], %[r]\n\t"
        "smlad %[q], %[v], %[a], %[q]\n\t"
        "smlad %[s], %[v], %[b], %[s]\n\t"
        "bgt 1b"
        : [p] "+r"(acc[0][0]), [q] "+r"(acc[0][1]), [r] "+r"(acc[1][0]), [s] "+r"(acc[1][1]),
          [x] "+r"(x), [y] "+r"(y), [w] "+r"(w), [n] "+r"(length), [u] "=&r"(u), [v] "=&r"(v),
          [a] "=&r"(a), [b] "=&r"(b), [e] "=&r"(e)
        :
        : "cc", "memory");
    return w;
  }
};

}  // namespace nnom::target
