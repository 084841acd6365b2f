/// \file
/// Fixed-point logarithms, and features as a model's input wants them.
#pragma once

#include "nnom/dsp/maths.hpp"

namespace nnom::dsp {

/// (a * b + c * d) / 2^32, rounded down. The sum must fit 64 bits.
constexpr int32_t high_sum(int32_t a, int32_t b, int32_t c, int32_t d) {
  return static_cast<int32_t>((int64_t{a} * b + int64_t{c} * d) >> 32);
}
constexpr int32_t high(int32_t a, int32_t b) {
  return static_cast<int32_t>((int64_t{a} * b) >> 32);
}

struct Log2Table {
  uint32_t value[65];
};
/// log2(1 + i / 64) in units of 2^-24, moved by half of what a line between two is off.
inline constexpr Log2Table log2_table = [] {
  Log2Table table{};
  for (int i = 0; i <= 64; ++i) {
    const double x = 1 + i / 64.0, off = 1 / (64.0 * 64.0 * 16 * log(2) * x * x);
    const bool end = i == 0 || i == 64;  // powers of two are exact
    table.value[i] = static_cast<uint32_t>(whole((log2(x) + (end ? 0 : off)) * 16777216));
  }
  return table;
}();

/// log2(x) in units of 2^-16, for x > 0; at most 5e-5 off, and powers of two are exact.
constexpr int32_t log2_q16(uint64_t x) {
  const auto top = static_cast<uint32_t>(x >> 32);
  const int zeros = top != 0 ? __builtin_clz(top) : 32 + __builtin_clz(static_cast<uint32_t>(x));
  const auto mantissa = static_cast<uint32_t>((x << zeros) >> 32);  // its highest bit is set
  const uint32_t* t = log2_table.value + ((mantissa >> 25) & 63);
  const uint32_t part = (mantissa >> 13) & 0xFFF;  // 2^18 + 2^12: the product fits 32 bits
  const uint32_t fraction = t[0] + (((t[1] - t[0]) * part) >> 12);
  return (63 - zeros) * 65536 + static_cast<int32_t>((fraction + 128) >> 8);
}

/// Makes features, in units of 2^-16, what a model's input stores: value / scale + zero, nearest
/// and saturated. Integers only; the same bits everywhere.
///
///     constexpr nnom::dsp::Quantiser input(0.58f, -3);
///     const int8_t stored = input.stored<int8_t>(feature);
class Quantiser {
 public:
  /// `scale` in [2^-40, 2^12].
  constexpr Quantiser(float scale, int zero) : zero_(zero) {
    double factor = 2 / (65536.0 * static_cast<double>(scale));
    while (factor < (1 << 30) && shift_ < 62) {
      factor *= 2;
      ++shift_;
    }
    factor_ = whole(factor);
  }

  template <class T>
  constexpr T stored(int32_t feature) const {
    constexpr auto most = static_cast<int64_t>((uint64_t{1} << (8 * sizeof(T) - 1)) - 1);
    const int64_t v =
        ((int64_t{feature} * factor_ + (int64_t{1} << (shift_ - 1))) >> shift_) + zero_;
    return static_cast<T>(v > most ? most : v < -most - 1 ? -most - 1 : v);
  }

 private:
  int32_t factor_ = 0;
  int shift_ = 1;
  int zero_;
};

}  // namespace nnom::dsp
