/// \file
/// tanh and the logistic function in fixed point, within 0.54 units of 2^-15: to the nearest, but
/// where a value is next to half-way between two.
#pragma once

#include "nnom/fixed16.hpp"

namespace nnom::tanh16 {

/// Bits after the point of arguments.
constexpr int kBits = 20;
/// Arguments from here on have results that are rounded to 1.
constexpr int kMost = 97 << 16;

struct Table {
  int32_t value[98];
};

/// tanh(i / 16) in units of 2^-30.
constexpr Table make_table() {
  double step = 0, term = 1;  // e^(-1/8)
  for (int k = 1; k < 24; ++k) step += term, term *= -0.125 / k;
  Table table{};
  double power = 1;
  for (int32_t& v : table.value) {
    v = static_cast<int32_t>((1 - power) / (1 + power) * (1 << 30) + 0.5);
    power *= step;
  }
  return table;
}
inline constexpr Table table = make_table();

/// tanh(a / 2^20) in units of 2^-30 for a in [0, kMost]: from the nearest value t of the table,
/// Taylor's series t + (1 - t^2) d (1 - d (t - d (t^2 - 1/3))).
constexpr int32_t of_positive(int32_t a) {
  constexpr int one = 1 << 15, half = one / 2, third = 10923;
  const int i = (a + one) >> 16, d = a - (i << 16);
  const int t = (table.value[i] + half) >> 15, square = (t * t + half) >> 15;
  const int bend = t - ((d * (square - third)) >> kBits);
  const int slope = ((one - square) * (one - ((d * bend) >> kBits)) + half) >> 15;
  return table.value[i] + ((slope * d) >> 5);
}

/// |a|, at most `most`, with 20 bits after the point; a has `bits` of them, from 0 to 20.
constexpr int32_t size_of(int32_t a, int bits, int32_t most) {
  const int up = kBits - bits;
  return min(a < 0 ? -a : a, most >> up) << up;
}

/// Both in units of 2^-15.
constexpr int tanh(int32_t a, int bits) {
  const int32_t size = (of_positive(size_of(a, bits, kMost)) + (1 << 14)) >> 15;
  return a < 0 ? -size : min(size, INT16_MAX);
}
constexpr int logistic(int32_t a, int bits) {
  const int32_t size = of_positive((size_of(a, bits, 2 * kMost) + 1) >> 1) / 2;
  return min(((1 << 29) + (a < 0 ? -size : size) + (1 << 14)) >> 15, INT16_MAX);
}

}  // namespace nnom::tanh16
