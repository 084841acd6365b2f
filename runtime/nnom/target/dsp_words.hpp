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

}  // namespace nnom::target::dsp
