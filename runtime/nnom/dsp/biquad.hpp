/// \file
/// Biquads: second-order filters of 16-bit samples, one after the other.
///
/// Formulas of coefficients: Robert Bristow-Johnson, "Cookbook formulae for audio equalizer biquad
/// filter coefficients", https://www.w3.org/TR/audio-eq-cookbook/.
#pragma once

#include "nnom/dsp/maths.hpp"

namespace nnom::dsp {

/// y[i] = b0 x[i] + b1 x[i-1] + b2 x[i-2] - a1 y[i-1] - a2 y[i-2]
struct Biquad {
  double b0, b1, b2, a1, a2;
};

/// What the formulas share; `f` is in Hz, `q` the quality.
struct Pole {
  double cos, alpha;

  constexpr Pole(double cosine_of_f, double alpha_of_f) : cos(cosine_of_f), alpha(alpha_of_f) {}
  constexpr Pole(double rate, double f, double q)
      : cos(cosine(2 * pi * f / rate)), alpha(sine(2 * pi * f / rate) / (2 * q)) {}
  constexpr Biquad with(double b0, double b1, double b2) const {
    return over(b0, b1, b2, 1 + alpha, -2 * cos, 1 - alpha);
  }
  static constexpr Biquad over(double b0, double b1, double b2, double a0, double a1, double a2) {
    return {b0 / a0, b1 / a0, b2 / a0, a1 / a0, a2 / a0};
  }
};

/// The quality of a Butterworth filter of order 2.
inline constexpr double butterworth = 0.70710678118654752440;

/// Lets pass what lies below `f`.
///
///     constexpr nnom::dsp::Biquad rumble[] = {nnom::dsp::high_pass(16000, 80)};
///     nnom::dsp::Cascade<rumble> filter;
///     filter.run(samples, samples, count);
constexpr Biquad low_pass(double rate, double f, double q = butterworth) {
  const Pole p(rate, f, q);
  return p.with((1 - p.cos) / 2, 1 - p.cos, (1 - p.cos) / 2);
}
constexpr Biquad high_pass(double rate, double f, double q = butterworth) {
  const Pole p(rate, f, q);
  return p.with((1 + p.cos) / 2, -1 - p.cos, (1 + p.cos) / 2);
}
/// The gain at `f` is 1.
constexpr Biquad band_pass(double rate, double f, double q) {
  const Pole p(rate, f, q);
  return p.with(p.alpha, 0, -p.alpha);
}
constexpr Biquad notch(double rate, double f, double q) {
  const Pole p(rate, f, q);
  return p.with(1, -2 * p.cos, 1);
}
constexpr Biquad all_pass(double rate, double f, double q) {
  const Pole p(rate, f, q);
  return p.with(1 - p.alpha, -2 * p.cos, 1 + p.alpha);
}
/// `gain` dB at `f`, none far from it.
constexpr Biquad peaking(double rate, double f, double q, double gain) {
  const Pole p(rate, f, q);
  const double a = exp(gain / 40 * log(10));
  return Pole::over(1 + p.alpha * a, -2 * p.cos, 1 - p.alpha * a, 1 + p.alpha / a, -2 * p.cos,
                    1 - p.alpha / a);
}
/// `gain` dB well below `f`, none well above.
constexpr Biquad low_shelf(double rate, double f, double gain, double q = butterworth) {
  const Pole p(rate, f, q);
  const double a = exp(gain / 40 * log(10)), s = 2 * root(a) * p.alpha, c = p.cos;
  return Pole::over(a * ((a + 1) - (a - 1) * c + s), 2 * a * ((a - 1) - (a + 1) * c),
                    a * ((a + 1) - (a - 1) * c - s), (a + 1) + (a - 1) * c + s,
                    -2 * ((a - 1) + (a + 1) * c), (a + 1) + (a - 1) * c - s);
}
/// `gain` dB well above `f`, none well below.
constexpr Biquad high_shelf(double rate, double f, double gain, double q = butterworth) {
  const Pole p(rate, f, q);
  const double a = exp(gain / 40 * log(10)), s = 2 * root(a) * p.alpha, c = p.cos;
  return Pole::over(a * ((a + 1) + (a - 1) * c + s), -2 * a * ((a - 1) + (a + 1) * c),
                    a * ((a + 1) + (a - 1) * c - s), (a + 1) - (a - 1) * c + s,
                    2 * ((a - 1) - (a + 1) * c), (a + 1) - (a - 1) * c - s);
}

constexpr bool is_stable(const Biquad& f) {
  return magnitude(f.a2) < 1 && magnitude(f.a1) < 1 + f.a2;
}
constexpr bool fits(const Biquad& f) {
  constexpr double most = 7.999;
  return magnitude(f.b0) < most && magnitude(f.b1) < most && magnitude(f.b2) < most;
}

/// Filters as a constant that `Cascade` and `Equaliser` take; an array is one too.
template <int n>
struct Filters {
  Biquad filter[n];

  constexpr const Biquad* begin() const { return filter; }
  constexpr const Biquad* end() const { return filter + n; }
};
template <int n>
constexpr int count_of(const Filters<n>&) {
  return n;
}
template <size_t n>
constexpr int count_of(const Biquad (&)[n]) {
  return n;
}

/// A biquad in fixed point: coefficients in units of 2^-28.
struct FixedBiquad {
  static constexpr int bits = 28;
  int32_t b0, b1, b2, minus_a1, minus_a2;

  static constexpr FixedBiquad of(const Biquad& f) {
    const auto fixed = [](double v) { return whole(v * (1 << bits)); };
    return {fixed(f.b0), fixed(f.b1), fixed(f.b2), fixed(-f.a1), fixed(-f.a2)};
  }
};

/// The constants of a bank or cascade.
template <const auto& filters>
struct FixedFilters {
  static constexpr int count = count_of(filters);
  static constexpr bool all(bool (*good)(const Biquad&)) {
    for (const Biquad& f : filters)
      if (!good(f)) return false;
    return true;
  }
  static_assert(all(is_stable), "a filter is unstable: its frequency must be below half the rate");
  static_assert(all(fits), "a coefficient of a filter is not below 8: take less gain");

  FixedBiquad filter[count];
  static constexpr FixedFilters make() {
    FixedFilters fixed{};
    int k = 0;
    for (const Biquad& f : filters) fixed.filter[k++] = FixedBiquad::of(f);
    return fixed;
  }
};

/// What a direct form 1 remembers. Signals have 10 bits below those of a sample and 24 dB of room
/// above, where they saturate.
struct BiquadState {
  static constexpr int bits = 10;
  int32_t x1, x2, y1, y2;

  int32_t step(const FixedBiquad& f, int32_t x) {
    int64_t sum = int64_t{f.b0} * x + int64_t{f.b1} * x1 + int64_t{f.b2} * x2;
    sum += int64_t{f.minus_a1} * y1 + int64_t{f.minus_a2} * y2;
    sum += 1 << (FixedBiquad::bits - 1);
    // Saturates at 2^29: one comparison in the usual case.
    constexpr int top = 29 + FixedBiquad::bits - 32;
    const auto high = static_cast<uint32_t>(sum >> 32) + (1u << top);
    if (high >= 2u << top) [[unlikely]]
      sum = sum < 0 ? -(int64_t{1} << (top + 32)) : int64_t{1} << (top + 32);
    auto y = static_cast<int32_t>(sum >> FixedBiquad::bits);
    asm("" : "+r"(y));  // else GCC multiplies the 64 bits it came from
    x2 = x1;
    x1 = x;
    y2 = y1;
    y1 = y;
    return y;
  }
};

/// A signal that has `bits` bits below those of a sample as one: nearest, saturated.
template <int bits>
constexpr int16_t to_sample(int32_t signal) {
  const int32_t v = (signal + (1 << (bits - 1))) >> bits;
  return static_cast<int16_t>(v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v);
}

/// Filters one after the other, in place or not; 16 bytes each.
template <const auto& filters>
class Cascade {
 public:
  void run(const int16_t* in, int16_t* out, size_t samples) {
    for (size_t i = 0; i < samples; ++i) {
      int32_t v = in[i] * (1 << BiquadState::bits);
      for (int k = 0; k < fixed.count; ++k) v = state_[k].step(fixed.filter[k], v);
      out[i] = to_sample<BiquadState::bits>(v);
    }
  }
  /// As at first: silence before.
  void reset() {
    for (BiquadState& s : state_) s = {};
  }

 private:
  static constexpr FixedFilters<filters> fixed = FixedFilters<filters>::make();

  BiquadState state_[fixed.count]{};
};

}  // namespace nnom::dsp
