/// \file
/// Instructions on two int16 or four int8 in a word, for the DSP extension.
#pragma once

#include <arm_acle.h>
#include <stdint.h>

namespace nnom::target::dsp {

struct Pairs {
  uint32_t even, odd;
};

[[gnu::always_inline]] inline int16x2_t to_pair(uint32_t v) { return static_cast<int16x2_t>(v); }
[[gnu::always_inline]] inline int32_t to_int(uint32_t v) { return static_cast<int32_t>(v); }
[[gnu::always_inline]] inline uint32_t load(const void* p) {
  uint32_t word;
  __builtin_memcpy(&word, p, 4);
  return word;
}
[[gnu::always_inline]] inline void store(void* p, uint32_t word) { __builtin_memcpy(p, &word, 4); }
/// Sign-extends bytes 0 and 2, 1 and 3. GCC does not fold the rotation into SXTB16 itself.
[[gnu::always_inline]] inline Pairs spread(uint32_t word) {
  uint32_t even, odd;
  asm("sxtb16 %0, %1" : "=r"(even) : "r"(word));
  asm("sxtb16 %0, %1, ror #8" : "=r"(odd) : "r"(word));
  return {even, odd};
}
/// The low halves of a and b, or the high ones.
[[gnu::always_inline]] inline uint32_t join_low(uint32_t a, uint32_t b) {
  uint32_t r;
  asm("pkhbt %0, %1, %2, lsl #16" : "=r"(r) : "r"(a), "r"(b));
  return r;
}
[[gnu::always_inline]] inline uint32_t join_high(uint32_t a, uint32_t b) {
  uint32_t r;
  asm("pkhtb %0, %2, %1, asr #16" : "=r"(r) : "r"(a), "r"(b));
  return r;
}
/// c + a * b / 2^32, nearest, halves up.
[[gnu::always_inline]] inline int32_t add_high_product(int32_t c, int32_t a, int32_t b) {
  int32_t r;
  asm("smmlar %0, %1, %2, %3" : "=r"(r) : "r"(a), "r"(b), "r"(c));
  return r;
}

/// Widens four elements: two pairs, `step` bytes from one to the next.
template <int step>
[[gnu::always_inline]] inline void widen_4(int16_t* line, const int8_t* in) {
  const Pairs v = spread(load(in));  // (0, 2) and (1, 3)
  store(line, join_low(v.even, v.odd));
  store(line + step / 2, join_high(v.even, v.odd));
}

/// The same for n elements in steps of 16, n at least 16; leaves the pointers and n where less than
/// 16 are left. By hand, so that nothing around it is spilled.
template <int step>
[[gnu::always_inline]] inline void widen_16(int16_t*& line, const int8_t*& in, int& n) {
  uint32_t a, b, c, d, e, f;
  asm volatile(
#define NNOM_WIDEN(w)                                   \
  "sxtb16 %[e], " w "\n\tsxtb16 " w ", " w              \
  ", ror #8\n\t"                                        \
  "pkhbt %[f], %[e], " w ", lsl #16\n\tpkhtb " w ", " w \
  ", %[e], asr #16\n\t"                                 \
  "str %[f], [%[line]], %[s]\n\tstr " w ", [%[line]], %[s]\n\t"
      "sub %[n], #16\n"
      "1:\n\t"
      "ldr %[a], [%[in]], #4\n\tldr %[b], [%[in]], #4\n\t"
      "ldr %[c], [%[in]], #4\n\tldr %[d], [%[in]], #4\n\t"  //
      NNOM_WIDEN("%[a]") NNOM_WIDEN("%[b]") NNOM_WIDEN("%[c]") NNOM_WIDEN("%[d]")
      "subs %[n], #16\n\t"
      "bge 1b\n\t"
      "add %[n], #16"
#undef NNOM_WIDEN
      : [line] "+r"(line), [in] "+r"(in), [n] "+r"(n), [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c),
        [d] "=&r"(d), [e] "=&r"(e), [f] "=&r"(f)
      : [s] "i"(step)
      : "cc", "memory");
}

/// Widens n elements, pair by pair.
template <int step>
[[gnu::always_inline]] inline void widen(int16_t* line, const int8_t* in, int n) {
  if (n >= 16) widen_16<step>(line, in, n);
  for (; n >= 4; n -= 4, in += 4, line += step) widen_4<step>(line, in);
#pragma GCC unroll 1
  for (int i = 0; i < n; ++i) line[i + i / 2 * (step / 2 - 2)] = in[i];
}

/// Copies `words` pairs of elements, to places eight bytes apart.
[[gnu::always_inline]] inline void copy_paired(int16_t* to, const int16_t* from, int words) {
  for (; words >= 4; words -= 4, to += 16, from += 8) {
    uint32_t word[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) word[i] = load(from + 2 * i);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) store(to + 4 * i, word[i]);
  }
  for (; words > 0; --words, to += 4, from += 2) store(to, load(from));
}

}  // namespace nnom::target::dsp
