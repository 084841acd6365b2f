/// \file
/// Armv7E-M and Armv8-M with the DSP extension (Cortex-M4, M7, M33): two int16 products an
/// instruction.
#pragma once

#include <arm_acle.h>

#include "nnom/target/scalar.hpp"

namespace nnom::target {

struct Dsp : Scalar {
  using Preferred = layout::Dsp;
  template <class Layout>
  static constexpr bool reads = true;

  using Scalar::depthwise;
  using Scalar::maximum;
  using Scalar::tile;
  using Scalar::widen;

  [[gnu::always_inline]] static void widen(int16_t* line, const int8_t* in, int n) {
    const int whole = n & ~3;
    for (int i = 0; i < whole; i += 4) {
      const Pairs v = spread(load(in + i));  // (0, 2) and (1, 3)
      store(line + i, join_low(v.even, v.odd));
      store(line + i + 2, join_high(v.even, v.odd));
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
        Pairs b[R];
#pragma GCC unroll 2
        for (int i = 0; i < R; ++i, w += 4) b[i] = spread(load(w));
#pragma GCC unroll 2
        for (int p = 0; p < P; ++p) {
          const uint32_t first = load(x + p * step), second = load(x + p * step + 2);
#pragma GCC unroll 2
          for (int i = 0; i < R; ++i) {
            acc[p][i] = __smlad(to_pair(first), to_pair(b[i].even), acc[p][i]);
            acc[p][i] = __smlad(to_pair(second), to_pair(b[i].odd), acc[p][i]);
          }
        }
      }
    });
  }

  template <class N>
  requires __is_same(typename N::Layout, layout::Dsp)
      [[gnu::always_inline]] static void depthwise(const Window<int16_t>& window, int c,
                                                   int channels, const int8_t* weights,
                                                   int32_t (&acc)[4]) {
    weights += c;
    window.taps([&](const int16_t* x) NNOM_INLINE {
      const Pairs w = spread(load(weights));
      const uint32_t first = load(x + c), second = load(x + c + 2);
      acc[0] = __smlabb(to_int(first), to_int(w.even), acc[0]);
      acc[1] = __smlatt(to_int(first), to_int(w.even), acc[1]);
      acc[2] = __smlabb(to_int(second), to_int(w.odd), acc[2]);
      acc[3] = __smlatt(to_int(second), to_int(w.odd), acc[3]);
      weights += channels;
    });
  }

  /// out[i] = max(out[i], in[i]) for i < n.
  [[gnu::always_inline]] static void maximum(int8_t* out, const int8_t* in, int n) {
    const int whole = n & ~3;
    for (int i = 0; i < whole; i += 4) {
      uint32_t a = load(out + i);
      const uint32_t b = load(in + i);
      uint32_t difference;
      asm("ssub8 %1, %0, %2\n\tsel %0, %0, %2" : "+r"(a), "=&r"(difference) : "r"(b));
      store(out + i, a);
    }
    Scalar::maximum(out + whole, in + whole, n - whole);
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

  struct Pairs {
    uint32_t even, odd;
  };

  [[gnu::always_inline]] static int16x2_t to_pair(uint32_t v) { return static_cast<int16x2_t>(v); }
  [[gnu::always_inline]] static int32_t to_int(uint32_t v) { return static_cast<int32_t>(v); }
  [[gnu::always_inline]] static uint32_t load(const void* p) {
    uint32_t word;
    __builtin_memcpy(&word, p, 4);
    return word;
  }
  [[gnu::always_inline]] static void store(void* p, uint32_t word) {
    __builtin_memcpy(p, &word, 4);
  }
  /// Sign-extends bytes 0 and 2, 1 and 3. GCC does not fold the rotation into SXTB16 itself.
  [[gnu::always_inline]] static Pairs spread(uint32_t word) {
    uint32_t even, odd;
    asm("sxtb16 %0, %1" : "=r"(even) : "r"(word));
    asm("sxtb16 %0, %1, ror #8" : "=r"(odd) : "r"(word));
    return {even, odd};
  }
  [[gnu::always_inline]] static uint32_t join_low(uint32_t a, uint32_t b) {
    uint32_t r;
    asm("pkhbt %0, %1, %2, lsl #16" : "=r"(r) : "r"(a), "r"(b));
    return r;
  }
  [[gnu::always_inline]] static uint32_t join_high(uint32_t a, uint32_t b) {
    uint32_t r;
    asm("pkhtb %0, %2, %1, asr #16" : "=r"(r) : "r"(a), "r"(b));
    return r;
  }
};

}  // namespace nnom::target
