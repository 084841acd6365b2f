/// \file
/// Real factors and values as the integers a board computes with.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "compiler/quantise/quantisation.hpp"
#include "nnom/numbers16.hpp"

namespace nnomc {

/// `factor` as 31 bits of multiplier and a shift, rounded half away from zero, as TFLite's
/// QuantizeMultiplier has it: factor = multiplier * 2^(shift - 31). Factors below 2^-32 become 0,
/// those above 2^30 the largest there is. For nnom::Single the factor is a float.
template <class Rescale>
Rescale rescale_by(double factor) {
  constexpr bool single = std::is_same_v<Rescale, nnom::Single>;
  factor = std::isnan(factor) ? 0 : std::min(factor, 1e30);
  if constexpr (single) factor = static_cast<double>(static_cast<float>(factor));
  int shift = 0;
  const double fraction = std::frexp(factor, &shift);
  auto multiplier = static_cast<int64_t>(std::round(fraction * static_cast<double>(1LL << 31)));
  if (multiplier == 1LL << 31) multiplier /= 2, ++shift;
  if (shift < -31) multiplier = 0, shift = 0;
  if (shift > 30) multiplier = (1LL << 31) - (single ? 128 : 1), shift = 30;
  return {static_cast<int32_t>(multiplier), shift};
}

/// The factor as the 16 bits that TFLite reduces it to; the largest there is for those above 2^13.
template <>
inline nnom::Reduced rescale_by(double factor) {
  const auto whole = rescale_by<nnom::Double>(factor);
  if (whole.shift > 14) return {0x7FFF, 1};
  const int multiplier =
      whole.multiplier >= 0x7FFF0000 ? 0x7FFF : (whole.multiplier + (1 << 15)) >> 16;
  return {multiplier, 15 - whole.shift};
}
template <>
inline nnom::Floating rescale_by(double factor) {
  return {factor};
}

/// The power of two that `factor` is, rounding to the nearest.
template <>
inline nnom::PowerOfTwo rescale_by(double factor) {
  const int shift = factor > 0 ? std::clamp(-std::ilogb(factor), -31, 31) : 31;
  return {shift > 0 ? 1 << (shift - 1) : 0, shift};
}

/// The smallest power of two that is at least `x`; x > 0.
inline double power_of_two_above(double x) {
  int exponent = 0;
  const double fraction = std::frexp(x, &exponent);
  return std::ldexp(1, fraction == 0.5 ? exponent - 1 : exponent);
}

/// The stored value nearest to `real`, halves away from zero, within what `q` holds.
inline int quantise(double real, const Quantisation& q) {
  if (std::isnan(real)) return q.zero;
  const double stored = std::round(std::clamp(real / q.scale, -1e9, 1e9)) + q.zero;
  return std::clamp(static_cast<int>(stored), q.lowest(), q.highest());
}

/// The same as ONNX's QuantizeLinear has it: in float, halves to even.
inline int8_t quantise_to_even(float real, const Quantisation& q) {
  if (std::isnan(real)) return static_cast<int8_t>(q.zero);
  const float steps = std::clamp(real / static_cast<float>(q.scale), -1e9f, 1e9f);
  const float stored = std::nearbyint(steps) + static_cast<float>(q.zero);
  return static_cast<int8_t>(std::clamp(stored, -128.0f, 127.0f));
}

/// The stored value of an end of a range, worked out in float: TFLite rounds halves away from zero
/// and then adds the zero point, XNNPACK adds it first and rounds halves to even.
template <class Rescale>
int quantise_limit(float real, const Quantisation& q) {
  const float steps = std::clamp(real / static_cast<float>(q.scale), -1e9f, 1e9f);
  const auto zero = static_cast<float>(q.zero);
  const float stored = std::is_same_v<Rescale, nnom::Single> ? std::nearbyint(steps + zero)
                                                             : std::round(steps) + zero;
  return std::clamp(static_cast<int>(stored), q.lowest(), q.highest());
}

inline double dequantise(int stored, const Quantisation& q) { return q.scale * (stored - q.zero); }

/// The largest magnitude `q` can hold.
inline double most_of(const Quantisation& q) {
  return q.scale * std::max(q.highest() - q.zero, q.zero - q.lowest());
}

/// Whether a channel stays outside of what `out` can hold, as its products add no more than
/// `products` to its bias or take from it.
inline bool stays_outside(double bias, double products, const Quantisation& out) {
  return bias + products < dequantise(out.lowest(), out) ||
         bias - products > dequantise(out.highest(), out);
}

}  // namespace nnomc
