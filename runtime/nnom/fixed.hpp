/// \file
/// Arithmetic of quantised functions: fractions in 32 bits, and floats that round after each step.
#pragma once

#include "nnom/core.hpp"

namespace nnom {

/// a * b / 2^31, nearest, halves up: the product of two fractions in [-1, 1).
constexpr int32_t high_product(int32_t a, int32_t b) {
  if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
  return static_cast<int32_t>((int64_t{a} * b + (1 << 30)) >> 31);
}

/// a / 2^bits, nearest, halves away from zero; bits in [0, 31].
constexpr int32_t shifted_down(int32_t a, int bits) {
  const auto mask = static_cast<int32_t>((uint32_t{1} << bits) - 1);
  return (a >> bits) + ((a & mask) > (mask >> 1) + (a < 0));
}

/// a * 2^bits, saturated.
constexpr int32_t shifted_up(int32_t a, int bits) {
  return a > INT32_MAX >> bits   ? INT32_MAX
         : a < INT32_MIN >> bits ? INT32_MIN
                                 : static_cast<int32_t>(static_cast<uint32_t>(a) << bits);
}

/// About 2 / (1 + a) in units of 2^-29, for a in [0, 1) in units of 2^-31: three steps of Newton's
/// method, as gemmlowp has them.
constexpr int32_t reciprocal(int32_t a) {
  const int32_t half = a / 2 + (1 << 30);
  int32_t x = 1515870810 + high_product(half, -1010580540);
  for (int i = 0; i < 3; ++i)
    x += shifted_up(high_product(x, (1 << 29) - high_product(half, x)), 2);
  return x;
}

/// x, with all steps before it done: a compiler must not fuse them with those after it.
inline float rounded(float x) {
  asm("" : "+m"(x));
  return x;
}
inline double rounded(double x) {
  asm("" : "+m"(x));
  return x;
}

/// The whole number nearest to x, halves to even; at most 2^20 either way.
inline int32_t nearest(float x) {
  constexpr float most = 1048576, magic = 12582912;  // 1.5 * 2^23: below it a float has no fraction
  x = x > most ? most : x < -most ? -most : x;
  return static_cast<int32_t>(rounded(x + magic) - magic);
}

}  // namespace nnom
