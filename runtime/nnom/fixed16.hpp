/// \file
/// Functions of 16-bit fixed-point numbers, as TensorFlow Lite's recurrent layers have them.
///
/// Sources: gemmlowp's fixedpoint.h (desktop TFLite), and TFLite Micro's table of the logistic
/// function, here worked out from its formula.
#pragma once

#include "nnom/fixed.hpp"

namespace nnom {

constexpr int clamp16(int v) { return v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v; }

/// Gemmlowp's functions, of numbers with 16 bits. Results have no bits before the point.
namespace gemmlowp16 {

/// a * b / 2^15, nearest, halves up.
constexpr int product(int a, int b) {
  if (a == INT16_MIN && b == INT16_MIN) return INT16_MAX;
  const int ab = a * b;
  return (ab + (ab >= 0 ? 1 << 14 : 1 - (1 << 14))) / (1 << 15);
}
constexpr int wrapped(int a) { return static_cast<int16_t>(a); }
/// A constant of 32 bits in 16.
constexpr int brief(int32_t c) { return shifted_down(c, 16); }

/// e^a for a <= 0 with `integer_bits` bits before the point.
constexpr int exp_of_negative(int a, int integer_bits) {
  if (a == 0) return INT16_MAX;
  constexpr int32_t powers[] = {1672461947, 1302514674, 790015084, 290630308,
                                39332535,   720401,     242};  // e^-(2^k), k from -2
  constexpr int middle = brief(1895147668);                    // e^(-1/8)
  const int fraction_bits = 15 - integer_bits, quarter = 1 << (fraction_bits - 2);
  const int rest = (a & (quarter - 1)) - quarter;
  const int x = clamp16(rest * (1 << integer_bits)) + (1 << 12);
  const int x2 = product(x, x), x3 = product(x2, x), x4 = product(x2, x2);
  const int tail = product(shifted_down(x4, 2) + x3, brief(715827883)) + x2;  // 1/3
  int power = min(middle + product(middle, x + shifted_down(tail, 1)), INT16_MAX);
  const int left = rest - a;
  for (int k = -2; k < min(integer_bits, 5); ++k)
    if (left & (1 << (fraction_bits + k))) power = product(power, brief(powers[k + 2]));
  return power;
}

/// About 2 / (1 + a) with two bits before the point, for a in [0, 1]: three steps of Newton's
/// method.
constexpr int reciprocal(int a) {
  const int half = (a + INT16_MAX + 1) / 2;
  int x = wrapped(brief(1515870810) + product(half, brief(-1010580540)));
  for (int i = 0; i < 3; ++i)
    x = wrapped(x + clamp16(4 * product(x, wrapped((1 << 13) - product(half, x)))));
  return x;
}

/// 1 / (1 + e^-a), and tanh(a), for a with `integer_bits` bits before the point.
constexpr int logistic(int a, int integer_bits) {
  if (a == 0) return 1 << 14;
  const int p = clamp16(2 * reciprocal(exp_of_negative(wrapped(a > 0 ? -a : a), integer_bits)));
  return a > 0 ? p : INT16_MAX - p;
}
constexpr int tanh(int a, int integer_bits) {
  if (a == 0) return 0;
  const int power = exp_of_negative(wrapped(a > 0 ? -a : a), integer_bits + 1);
  const int t = clamp16(4 * wrapped(reciprocal(power) - (1 << 13)));
  return a > 0 ? t : -t;
}

}  // namespace gemmlowp16

/// The logistic function by a table of 256 values and lines between them.
namespace table16 {

struct Sigmoid {
  uint16_t value[256];
};

/// 65536 / (1 + e^(-i / 24)), moved by half of what a line through it and the next is off between
/// them.
constexpr Sigmoid make_sigmoid() {
  double step = 0, term = 1;  // e^(-1/48)
  for (int k = 1; k < 20; ++k) step += term, term *= -1.0 / 48 / k;
  double s[513], power = 1;
  for (double& v : s) v = 65536 / (1 + power), power *= step;
  Sigmoid table{};
  for (int i = 0; i < 255; ++i) {
    const double off = (s[2 * i] + s[2 * i + 2]) / 2 - s[2 * i + 1];
    const int halves = static_cast<int>(2 * s[2 * i] - off);
    table.value[i] = static_cast<uint16_t>((halves + 1) / 2);
  }
  table.value[255] = 0xFFFF;
  return table;
}
inline constexpr Sigmoid sigmoid = make_sigmoid();

/// Between two values of the table: `a` is their place, with `bits` bits after the point.
inline int between(int a, int bits) {
  const uint16_t* t = sigmoid.value + (a >> bits);
  return (t[0] << bits) + (a & ((1 << bits) - 1)) * (t[1] - t[0]);
}

/// 1 / (1 + e^-a) and tanh(a) in units of 2^-15, for a in units of 1 / (3 * 2^bits), at most 16 of
/// them.
inline int logistic(int a, int bits = 12) {
  const int size = a < 0 ? -a : a, down = bits - 3, half = 1 << down;
  const int r = size >> down >= 255 ? INT16_MAX << (down + 1) : between(size, down);
  return (a < 0 ? (1 << (down + 16)) - r + half - 1 : r + half) >> (down + 1);
}
inline int tanh(int a, int bits = 12) {
  const int size = a < 0 ? -a : a, down = bits - 4;
  const int r = (size >> down >= 255 ? 0xFFFF << down : between(size, down)) - (1 << (down + 15));
  return ((a < 0 ? -r - 1 : r) + (1 << (down - 1))) >> down;
}

}  // namespace table16
}  // namespace nnom
