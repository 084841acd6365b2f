/// \file
/// TFLite's fixed-point scaling in exact arithmetic, from its definition.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

namespace nnomc::oracle {

__extension__ using Exact = __int128;  // of what TFLite defines on 32 and 64 bits

/// The integer nearest to numerator / 2^bits; halves go up.
inline Exact nearest_up(Exact numerator, int bits) {
  // numerator / 2^bits + 1/2, and an arithmetic shift rounds down.
  return bits == 0 ? numerator : (numerator + (Exact{1} << (bits - 1))) >> bits;
}

/// The same; halves go away from zero.
inline Exact nearest_away(Exact numerator, int bits) {
  return numerator < 0 ? -nearest_up(-numerator, bits) : nearest_up(numerator, bits);
}

inline bool fits(Exact v) {
  return v >= std::numeric_limits<int32_t>::min() && v <= std::numeric_limits<int32_t>::max();
}

/// A factor: multiplier * 2^(shift - 31).
struct Factor {
  int32_t multiplier = 0;
  int shift = 0;
};

/// TFLite's QuantizeMultiplier: the nearest factor with a multiplier of 31 bits, halves away from
/// zero; what is too small becomes 0, what is too large the largest.
inline Factor factor_of(long double value) {
  if (value == 0) return {};
  int shift = 0;
  while (value >= 1) value /= 2, ++shift;
  while (value < 0.5L) value *= 2, --shift;
  auto multiplier = static_cast<int64_t>(std::floor(value * 2147483648.0L + 0.5L));
  if (multiplier == int64_t{1} << 31) multiplier = int64_t{1} << 30, ++shift;
  if (shift < -31) return {};
  if (shift > 30) return {std::numeric_limits<int32_t>::max(), 30};
  return {static_cast<int32_t>(multiplier), shift};
}

/// The same of a float.
inline Factor float_factor_of(long double value) {
  return factor_of(static_cast<long double>(static_cast<float>(value)));
}

/// XNNPACK's fp32 requantisation: a product of floats, rounded to the nearest whole number, halves
/// to even. The factor must be a float's: 24 bits of multiplier. What int8 saturates is +-1000.
inline std::optional<int32_t> single_rounding(int32_t acc, Factor f) {
  const auto factor = static_cast<float>(std::ldexp(f.multiplier, f.shift - 31));
  const float product = static_cast<float>(acc) * factor;
  return static_cast<int32_t>(std::nearbyint(std::clamp(product, -1000.0f, 1000.0f)));
}

/// TFLite's MultiplyByQuantizedMultiplier: gemmlowp's SaturatingRoundingDoublingHighMul of the
/// accumulator shifted left (the product over 2^31, halves up), then its RoundingDivideByPOT
/// (halves away from zero). Nothing where the left shift leaves 32 bits.
inline std::optional<int32_t> double_rounding(int32_t acc, Factor f) {
  const int left = f.shift > 0 ? f.shift : 0, right = f.shift > 0 ? 0 : -f.shift;
  const Exact shifted = Exact{acc} * (Exact{1} << left);
  if (!fits(shifted)) return {};
  return static_cast<int32_t>(nearest_away(nearest_up(shifted * f.multiplier, 31), right));
}

/// TFLite's scaling of int64: the multiplier in 16 bits, 0x7FFF if it would round to more; then the
/// product over a power of two, halves up. Nothing where that is 1 or less, or the
/// result leaves 32 bits.
inline std::optional<int64_t> reduced_rounding(int64_t acc, Factor f) {
  if (f.shift >= 15) return {};
  const int multiplier = f.multiplier >= 0x7FFF0000 ? 0x7FFF : (f.multiplier + (1 << 15)) >> 16;
  const Exact result = nearest_up(Exact{acc} * multiplier, 15 - f.shift);
  return fits(result) ? std::optional(static_cast<int64_t>(result)) : std::nullopt;
}

}  // namespace nnomc::oracle
