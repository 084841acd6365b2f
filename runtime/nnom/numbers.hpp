/// \file
/// The arithmetic of a model: its types, and how an accumulator becomes an output.
#pragma once

#include "nnom/fixed.hpp"

namespace nnom {

template <int headroom>
struct ShiftedSum;

/// Scales an accumulator by a float, multiplier * 2^(shift - 31): both and their product are
/// rounded to 24 bits, the result to a whole number, halves always to even. This is what desktop
/// TFLite computes (XNNPACK's fp32 requantisation), in integers. multiplier is in [2^30, 2^31) or
/// 0, with its low seven bits 0; shift in [-31, 30]. Results are exact within 256, beyond it only
/// as far as saturation to int8 asks.
struct Single {
  static constexpr const char* name = "Single";
  static constexpr bool symmetric = false;  ///< every zero point is 0
  using Sum = struct SingleSum;
  using Mean = struct SingleMean;
  using Power = float;  ///< of e, in softmax

  int32_t multiplier = 0, shift = 0;

  constexpr int32_t operator()(int32_t acc) const {
    // Only a product within 2^-15 of a half can be rounded otherwise by the roundings before the
    // last; its high word has `bits` bits after the point.
    if (static_cast<uint32_t>(shift + 15) > 13) [[unlikely]]
      return exact(acc);
    const int64_t product = int64_t{acc} * multiplier;
    const int bits = -1 - shift;
    const int32_t rounded = static_cast<int32_t>(product >> 32) + (1 << bits) / 2;
    const auto near = static_cast<uint32_t>(rounded + 1) & ((1u << bits) - 1);
    if (near <= 1) [[unlikely]] {  // the high word alone can't tell: just below a half, or above it
      const auto low = static_cast<uint32_t>(product);
      if ((near ? low : 0 - low) <= 1u << (17 + bits)) return exact(acc);
    }
    return rounded >> bits;
  }
  /// The same from its definition, for any acc and shift.
  [[gnu::noinline]] constexpr int32_t exact(int32_t acc) const {
    const int right = 24 - shift;
    const int64_t product = significant(significant(acc) * (multiplier >> 7));
    if (right > 62) return 0;
    if (right >= 0) return saturated(right ? halves_to_even(product, right) : product);
    return saturated(product > INT32_MAX || product < INT32_MIN ? product : product << -right);
  }
  /// x / 2^bits, halves to even; bits is in [1, 62].
  static constexpr int64_t halves_to_even(int64_t x, int bits) {
    return (x + (int64_t{1} << (bits - 1)) - 1 + ((x >> bits) & 1)) >> bits;
  }
  static constexpr void fields(auto& s, auto visit) {
    visit("multiplier", s.multiplier), visit("shift", s.shift);
  }

 private:
  /// x rounded to the 24 bits of a float.
  static constexpr int64_t significant(int64_t x) {
    const auto size = static_cast<uint64_t>(x < 0 ? -x : x);
    const int extra = size ? 40 - __builtin_clzll(size) : 0;
    return extra > 0 ? halves_to_even(x, extra) * (int64_t{1} << extra) : x;
  }
  static constexpr int32_t saturated(int64_t x) {
    constexpr int32_t most = 1 << 30;
    return static_cast<int32_t>(x > most ? most : x < -most ? -most : x);
  }
};

/// The sum of two stored values of different scales, as XNNPACK has it: whole multiples of a common
/// unit, shifted down once, halves up. bias holds the zero points of the inputs and the rounding.
struct SingleSum {
  static constexpr const char* name = "SingleSum";

  int32_t bias = 0, multiplier[2]{}, shift = 0;

  constexpr int32_t operator()(int32_t a, int32_t b) const {
    return (bias + a * multiplier[0] + b * multiplier[1]) >> shift;
  }
  static constexpr void fields(auto& s, auto visit) {
    visit("bias", s.bias), visit("multiplier", s.multiplier), visit("shift", s.shift);
  }
};

/// The mean, or a multiple of the sum, of stored values, as XNNPACK has it: in floats. offset holds
/// the zero points.
struct SingleMean {
  static constexpr const char* name = "SingleMean";

  float scale = 0, offset = 0;

  int32_t operator()(int32_t sum) const {
    return nearest(rounded(rounded(static_cast<float>(sum) * scale) + offset));
  }
  static constexpr void fields(auto& s, auto visit) {
    visit("scale", s.scale), visit("offset", s.offset);
  }
};

/// The same factor, rounded twice (the doubled high half of the product, halves up; then the shift,
/// halves away from zero): what TFLite Micro's reference kernels and CMSIS-NN compute.
struct Double {
  static constexpr const char* name = "Double";
  static constexpr bool symmetric = false;
  using Sum = ShiftedSum<20>;
  using Mean = struct DoubleMean;
  using Power = int32_t;  ///< of e, in softmax

  int32_t multiplier = 0, shift = 0;

  constexpr int32_t operator()(int32_t acc) const {
    const auto x = static_cast<uint32_t>(acc);
    if (shift >= 0) return product(static_cast<int32_t>(x << shift));
    const int32_t p = product(acc);                       // never INT32_MIN
    return (((p + (p >> 31)) >> (-shift - 1)) + 1) >> 1;  // halves away from zero
  }
  static constexpr void fields(auto& s, auto visit) {
    visit("multiplier", s.multiplier), visit("shift", s.shift);
  }

 private:
  /// high_product with the multiplier, which is not negative.
  constexpr int32_t product(int32_t x) const {
    return static_cast<int32_t>((int64_t{x} * multiplier + (1 << 30)) >> 31);
  }
};

/// Whether `r` can scale a sum below 2^23 in fewer steps: it shifts to the right, and not so far
/// that a zero point shifted to the left overflows.
constexpr bool brief(const Double& r) { return r.shift < 0 && r.shift > -24; }
constexpr bool brief(const auto&) { return true; }

/// The sum of two stored values of different scales, as TFLite Micro has it: both shifted up by
/// `headroom` bits, brought to a common scale, added, and brought to that of the output.
template <int headroom>
struct ShiftedSum {
  int32_t zero[2]{};
  Double rescale[2]{}, total{};
  bool minus = false;  ///< a difference

  constexpr int32_t operator()(int32_t a, int32_t b) const {
    const int32_t x = rescale[0]((a - zero[0]) * (1 << headroom));
    const int32_t y = rescale[1]((b - zero[1]) * (1 << headroom));
    return total(minus ? x - y : x + y);
  }
  static constexpr void fields(auto& s, auto visit) {
    visit("zero", s.zero), visit("rescale", s.rescale), visit("total", s.total);
    visit("minus", s.minus);
  }
};

using DoubleSum = ShiftedSum<20>;

/// The mean, or a multiple of the sum, as TFLite Micro has it. offset holds the input's zero point.
struct DoubleMean {
  static constexpr const char* name = "DoubleMean";

  Double rescale{};
  int32_t offset = 0;

  constexpr int32_t operator()(int32_t sum) const { return rescale(sum + offset); }
  static constexpr void fields(auto& s, auto visit) {
    visit("rescale", s.rescale), visit("offset", s.offset);
  }
};

/// The mean, or a multiple of the sum, of stored values whose scales are powers of two:
/// (sum * 2^left + offset) / divisor, rounded down; offset has it round to the nearest. The sums of
/// up to 2^22 values are saturated so that nothing overflows and all that fits int8 is exact.
struct ShiftedMean {
  static constexpr const char* name = "ShiftedMean";

  int32_t left = 0, offset = 0, divisor = 1;

  constexpr int32_t operator()(int32_t sum) const {
    const int32_t most = (1 << 30) >> left;
    const int32_t x = (sum > most ? most : sum < -most ? -most : sum) * (1 << left) + offset;
    return x / divisor - (x % divisor < 0);
  }
  static constexpr void fields(auto& s, auto visit) {
    visit("left", s.left), visit("offset", s.offset), visit("divisor", s.divisor);
  }
};

/// acc / 2^shift where all scales are powers of two: NNoM's own scheme. half is 2^(shift - 1), so
/// that halves go up, or 0, so that fractions are cut off towards minus infinity; |acc| + half is
/// below 2^31. A negative shift goes to the left and saturates.
struct PowerOfTwo {
  static constexpr const char* name = "PowerOfTwo";
  static constexpr bool symmetric = true;
  using Sum = SingleSum;  ///< its multipliers are powers of two, so it is exact
  using Mean = ShiftedMean;
  using Power = int32_t;  ///< of e, in softmax

  int32_t half = 0, shift = 0;

  constexpr int32_t operator()(int32_t acc) const {
    if (shift < 0) [[unlikely]]
      return shifted_up(acc, -shift);
    return (acc + half) >> shift;
  }
  static constexpr void fields(auto& s, auto visit) {
    visit("half", s.half), visit("shift", s.shift);
  }
};

/// Nothing to scale: what a float model computes.
struct Unscaled {
  static constexpr const char* name = "Unscaled";

  using Sum = Unscaled;
  using Mean = Unscaled;
  using Power = float;

  constexpr auto operator()(auto acc) const { return acc; }
  constexpr auto operator()(auto a, auto b) const { return a + b; }
  static constexpr void fields(auto&, auto) {}
};

/// The last step of a layer: adds the zero point and limits the range, its activation folded in.
template <class N>
struct Clamp {
  static constexpr const char* name = "Clamp";

  typename N::Out zero = 0, lo = N::lowest, hi = N::highest;

  constexpr typename N::Out operator()(typename N::Rescaled value) const {
    using R = typename N::Rescaled;  // limited first, as `value` may be as large as R allows
    const R least = R(lo) - R(zero), most = R(hi) - R(zero);
    return static_cast<typename N::Out>((value < least  ? least
                                         : value > most ? most
                                                        : value) +
                                        R(zero));
  }
  static constexpr void fields(auto& s, auto visit) {
    visit("zero", s.zero), visit("lo", s.lo), visit("hi", s.hi);
  }
};

/// int8 activations and weights, int32 accumulators and biases: TFLite's quantisation
/// specification, or with scales that are powers of two and zero points of 0. `R` rounds (Single or
/// Double, or PowerOfTwo), `L` is how the compiler packed the weights.
template <class R, class L>
struct Int8 {
  using In = int8_t;
  using Out = int8_t;
  using Weight = int8_t;
  using Acc = int32_t;
  using Factor = int32_t;  ///< of a product
  using Bias = int32_t;
  using Rescaled = int32_t;
  using Rescale = R;
  using Sum = typename R::Sum;
  using Layout = L;
  using Unpacked = Int8<R, void>;  ///< for ops without packed weights: one code for all packings
  static constexpr bool quantised = true;
  static constexpr int8_t lowest = INT8_MIN, highest = INT8_MAX;
};

/// Real numbers. `A` accumulates: float on a board, double where a reference is wanted.
template <class A, class L>
struct Float {
  using In = float;
  using Out = float;
  using Weight = float;
  using Acc = A;
  using Factor = A;
  using Bias = float;
  using Rescaled = A;
  using Rescale = Unscaled;
  using Sum = Unscaled;
  using Layout = L;
  using Unpacked = Float<A, void>;
  static constexpr bool quantised = false;
  static constexpr float lowest = -__builtin_huge_valf(), highest = __builtin_huge_valf();
};

/// What the quantiser decided for a layer that multiplies by weights.
template <class N>
struct Linear {
  using Numbers = N;

  const typename N::Weight* weights = nullptr;  ///< packed as N::Layout says
  const typename N::Bias* bias = nullptr;  ///< one an output channel; input zero point folded in
  const typename N::Rescale* rescale = nullptr;  ///< one an output channel, or one for all
  bool per_channel = true;                       ///< rescale has one entry a channel
  bool brief = false;   ///< all sums are below 2^23, and nnom::brief(rescale)
  bool joined = false;  ///< brief, and the weights of two channels are one number (layout::Dsp)
  typename N::In in_zero = 0;  ///< what padding reads as
  Clamp<N> clamp{};

  /// Turns the accumulator of output channel c into the output.
  constexpr typename N::Out finish(typename N::Acc acc, int c) const {
    if constexpr (N::quantised)
      return clamp(rescale[per_channel ? c : 0](acc));
    else
      return clamp(acc);
  }

  static constexpr void fields(auto& d, auto visit) {
    visit("weights", d.weights), visit("bias", d.bias);
    if constexpr (N::quantised) visit("rescale", d.rescale), visit("per_channel", d.per_channel);
    if constexpr (N::quantised) visit("brief", d.brief), visit("joined", d.joined);
    visit("in_zero", d.in_zero), visit("clamp", d.clamp);
  }
};

/// What an op needs that only moves or compares values: nothing.
template <class N>
struct Moved {
  using Numbers = N;

  static constexpr void fields(auto&, auto) {}
};

}  // namespace nnom
