/// \file
/// Scales of tensors at compile time: from ranges, and those that layers give by themselves.
#pragma once

#include "nnom/model.hpp"
#include "nnom/ops.hpp"
#include "nnom/packing.hpp"

namespace nnom {

/// The scale of a tensor that has none yet.
inline constexpr Quantisation unknown{0, 0};

constexpr bool is_known(const Quantisation& q) { return q.scale > 0; }

/// The whole number nearest to x, halves away from zero; at most 2^62 either way.
constexpr int64_t nearest_wide(double x) {
  constexpr double most = 4611686018427387904.0;
  const double v = x > most ? most : x < -most ? -most : x;
  const auto whole = static_cast<int64_t>(v);
  const double rest = v - static_cast<double>(whole);
  return whole + (rest >= 0.5) - (rest <= -0.5);
}
/// The same, at most 2^30.
constexpr int nearest_whole(double x) {
  constexpr int64_t most = 1 << 30;
  const int64_t v = nearest_wide(x);
  return static_cast<int>(v > most ? most : v < -most ? -most : v);
}

/// Real numbers from `lo` to `hi`, and 0, as int8: what a tensor's range is given as.
constexpr Quantisation range(double lo, double hi) {
  const double from = lo < 0 ? lo : 0, to = hi > 0 ? hi : 0;
  const auto scale = static_cast<float>((to - from) / 255);
  if (scale < 1.17549435e-38f) return {1, 0};
  return {scale, max(-128, min(nearest_whole(-128 - from / static_cast<double>(scale)), 127))};
}

/// The ends of what int8 of a scale can hold.
struct Range {
  double lo = 0, hi = 0;

  constexpr Range() = default;
  constexpr Range(double a, double b) : lo(a < b ? a : b), hi(a < b ? b : a) {}
  constexpr explicit Range(const Quantisation& q)
      : Range(double{q.scale} * (-128 - q.zero), double{q.scale} * (127 - q.zero)) {}
  constexpr Range operator|(const Range& r) const {
    return {lo < r.lo ? lo : r.lo, hi > r.hi ? hi : r.hi};
  }
};

constexpr double real_of(const Quantisation& q, int stored) {
  return double{q.scale} * (stored - q.zero);
}
constexpr int8_t stored_as(double real, const Quantisation& q) {
  const int v = nearest_whole(real / double{q.scale}) + q.zero;
  return static_cast<int8_t>(max(-128, min(v, 127)));
}

/// How many constants an op takes.
struct Wanted {
  int weights = 0, recurrent = 0, bias = 0, recurrent_bias = 0;
};
template <class Op>
constexpr Wanted wanted(const Op& op) {
  if constexpr (is_linear<Op>()) {
    const Packing<Float<double, layout::Plain>> p(op);
    return {static_cast<int>(p.channels * p.per_channel), 0, static_cast<int>(p.channels), 0};
  } else if constexpr (requires { op.matrices(); }) {
    const int rows = Op::gates * op.units;
    return {rows * op.inputs, rows * op.units, rows, rows};
  } else if constexpr (requires { op.constants(); }) {
    return {op.constants()};
  }
  return {};
}

}  // namespace nnom
