/// \file
/// The values a tensor took, and the ranges that methods of calibration would choose for it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compiler/quantise/quantisation.hpp"

namespace nnomc {

/// A range of real values.
struct Limits {
  float lo = 0, hi = 0;

  double width() const { return static_cast<double>(hi) - static_cast<double>(lo); }
  bool operator==(const Limits&) const = default;
};

/// Scale and zero point of TFLite's quantisation specification: the range is widened to hold 0,
/// which is exactly representable. Or the least power of two for which the range is within -128 to
/// 128 steps: cutting off one at the upper end costs less than doubling all. A range of nothing but
/// 0, or too narrow for a scale that is a normal float, gets scale 1.
Quantisation quantisation_of(const Limits& limits, Scheme scheme = Scheme::affine);

/// Counts of values in bins of equal width between two limits.
class Histogram {
 public:
  static constexpr size_t bins = 2048;

  explicit Histogram(const Limits& limits, Scheme scheme = Scheme::affine)
      : limits_(limits), scheme_(scheme), counts_(bins) {}

  void add(std::span<const float> values);
  void add(const Histogram& other);

  /// What values were counted between: `bins` of equal width.
  const Limits& limits() const { return limits_; }
  const std::vector<uint64_t>& counts() const { return counts_; }

  /// Leaves out the values beyond the 0.01th and the 99.99th percentile.
  Limits percentile() const;
  /// The limits with the least mean squared error of int8.
  Limits least_error() const;
  /// The limits whose int8 distribution diverges least from the real one (Kullback-Leibler).
  Limits least_divergence() const;

  /// Mean squared error of int8 with `limits`, estimated: steps of uniform noise, and what is cut.
  double error(const Limits& limits) const;

 private:
  double middle(size_t bin) const;
  /// What int8 holds of the values, but for a step, if its scale is chosen by `limits`.
  Limits held(const Limits& limits) const;
  /// The limits cut to the `i`th of `n` parts of the larger side.
  Limits cut(size_t i, size_t n) const;
  double divergence(const Limits& limits) const;

  Limits limits_;
  Scheme scheme_;
  std::vector<uint64_t> counts_;
};

}  // namespace nnomc
