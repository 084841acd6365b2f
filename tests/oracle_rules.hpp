/// \file
/// Arithmetic on stored values: how each dialect rounds, and what elementwise rules give.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "compiler/graph.hpp"
#include "compiler/numbers.hpp"
#include "tests/oracle.hpp"
#include "tests/oracle_parts.hpp"
#include "tests/rescale_oracle.hpp"

namespace nnomc::oracle {

/// How accumulators become outputs.
struct Dialect {
  Rounding rounding;
  bool wide = false;  ///< int16

  bool single() const { return rounding == Rounding::single_rounding; }
  /// Whether scales are powers of two.
  bool shifts() const { return rounding == Rounding::nearest || rounding == Rounding::truncating; }
  /// A real number of output steps where they are: halves go up, or all fractions down.
  int64_t whole(long double steps) const {
    const long double half = rounding == Rounding::nearest ? 0.5L : 0;
    return static_cast<int64_t>(std::floor(std::clamp(steps, -1e9L, 1e9L) + half));
  }
  int64_t scaled(int64_t acc, long double factor) const {
    if (shifts()) return whole(static_cast<long double>(acc) * factor);
    if (wide) return reduced_rounding(acc, factor_of(factor)).value();
    const auto a = static_cast<int32_t>(acc);
    return single() ? single_rounding(a, float_factor_of(factor)).value()
                    : double_rounding(a, factor_of(factor)).value();
  }
  /// Rounded twice, in either dialect: what desktop TFLite computes without XNNPACK.
  static int64_t twice_rounded(int64_t acc, long double factor) {
    return double_rounding(static_cast<int32_t>(acc), factor_of(factor)).value();
  }
  static long double as_float(long double v) {
    return static_cast<long double>(static_cast<float>(v));
  }
};

/// One value of each operand of an elementwise op.
struct StoredOperands : Dialect {
  Quantisation out;
  std::vector<Quantisation> scale{};
  std::vector<int> stored{};

  int64_t relative(size_t k) const { return stored[k] - scale[k].zero; }
  long double step(size_t k) const { return static_cast<long double>(scale[k].scale); }
  long double out_step() const { return static_cast<long double>(out.scale); }
  /// Operand k as the output stores it, relative to its zero.
  int moved(size_t k) const {
    return oracle::stored(oracle::real(stored[k], scale[k]), out) - out.zero;
  }
  long double common() const { return 2 * std::max(step(0), step(1)); }
  int64_t value_of(const nnom::AddRule& rule) const {
    if (shifts()) {
      const long double b = static_cast<long double>(relative(1)) * step(1);
      return whole((static_cast<long double>(relative(0)) * step(0) + (rule.minus ? -b : b)) /
                   out_step());
    }
    return single() ? xnnpack_sum(rule.minus) : micro_sum(rule.minus);
  }
  /// TFLite Micro's: 20 bits of headroom, 15 in int16.
  int64_t micro_sum(bool minus) const {
    const int bits = wide ? 15 : 20;
    const int64_t a = twice_rounded(relative(0) * (1 << bits), step(0) / common());
    const int64_t b = twice_rounded(relative(1) * (1 << bits), step(1) / common());
    return twice_rounded(minus ? a - b : a + b, common() / (1 << bits) / out_step());
  }
  /// XNNPACK's: factors in units of 2^-shift, the larger of 21 bits.
  int64_t xnnpack_sum(bool minus) const {
    const auto y = static_cast<float>(out.scale);
    const float a = std::min(static_cast<float>(step(0)) / y, 1024.0f);
    const float b = std::min(static_cast<float>(step(1)) / y, 1024.0f);
    int shift = 20;
    for (float m = std::max(a, b); m >= 2; m /= 2) --shift;
    for (float m = std::max(a, b); m < 1; m *= 2) ++shift;
    const Exact sum = Exact{relative(0)} * std::lrint(std::ldexp(a, shift)) +
                      Exact{relative(1)} * std::lrint(std::ldexp(minus ? -b : b, shift));
    return static_cast<int64_t>(nearest_up(sum, shift));
  }
  int64_t value_of(const nnom::SquaredDifferenceRule&) const {
    const int bits = wide ? 0 : 7;
    const auto part = [&](size_t k) {
      return twice_rounded(relative(k) * (1 << bits), step(k) / common());
    };
    const int64_t d = part(0) - part(1);
    return twice_rounded(d * d, common() * common() / (1 << 2 * bits) / out_step());
  }
  int64_t value_of(const nnom::MulRule&) const {
    const long double product = step(0) * step(1);
    if (wide) return twice_rounded(relative(0) * relative(1), product / out_step());
    return scaled(relative(0) * relative(1), (single() ? as_float(product) : product) / out_step());
  }
  /// The quotient itself: TFLite's fixed-point arithmetic must come within half a step and a bit.
  int64_t value_of(const nnom::DivRule&) const {
    const auto a = static_cast<long double>(relative(0));
    if (relative(0) == 0 || relative(1) == 0) return a > 0 ? 1000 : a < 0 ? -1000 : 0;
    const long double v =
        a / static_cast<long double>(relative(1)) * step(0) / step(1) / out_step();
    return std::llround(std::clamp(v, -1000.0L, 1000.0L));
  }
  int64_t value_of(const nnom::PowerRule&) const { return 0; }
  int64_t value_of(const nnom::ExtremeRule<true>&) const { return std::max(moved(0), moved(1)); }
  int64_t value_of(const nnom::ExtremeRule<false>&) const { return std::min(moved(0), moved(1)); }
  int64_t value_of(const nnom::SelectRule&) const { return moved(relative(0) != 0 ? 1 : 2); }
  int64_t value_of(const nnom::PReluRule&) const {
    const long double y = out_step();
    if (relative(0) >= 0)
      return twice_rounded(relative(0), single() ? as_float(step(0) / y) : step(0) / y);
    const long double product = step(0) * step(1);
    return twice_rounded(relative(0) * relative(1),
                         single() ? as_float(as_float(product) / y) : product / y);
  }
  int64_t value_of(const nnom::CompareRule& rule) const {
    using nnom::Relation;
    if (wide && rule.relation != Relation::equal && rule.relation != Relation::not_equal)
      return compared(rule.relation, relative(0), relative(1));
    return compared(rule.relation, twice_rounded(relative(0) * 256, step(0)),
                    twice_rounded(relative(1) * 256, step(1)));
  }
};

}  // namespace nnomc::oracle
