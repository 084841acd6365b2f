/// \file
/// The arithmetic of a model: its types, and how an accumulator becomes an output.
#pragma once

#include "nnom/core.hpp"

namespace nnom {

/// Scales an accumulator by multiplier * 2^(shift - 31), rounding once (halves up): what desktop
/// TFLite computes. multiplier is in [2^30, 2^31) or 0, shift in [-31, 30].
struct Single {
  static constexpr const char* name = "Single";

  int32_t multiplier = 0, shift = 0;

  constexpr int32_t operator()(int32_t acc) const {
    if (shift > -2) [[unlikely]]
      return wide(acc);
    // With the rounding bit above the product's low word, its high word alone decides.
    const auto high = static_cast<int32_t>((int64_t{acc} * multiplier) >> 32);
    return (high + (1 << (-shift - 2))) >> (-shift - 1);
  }
  /// The same for any shift.
  [[gnu::noinline]] constexpr int32_t wide(int32_t acc) const {
    const int right = 31 - shift;
    return static_cast<int32_t>((int64_t{acc} * multiplier + (int64_t{1} << (right - 1))) >> right);
  }
  static constexpr void fields(auto& s, auto visit) {
    visit("multiplier", s.multiplier), visit("shift", s.shift);
  }
};

/// The same factor, rounded twice (the doubled high half of the product, halves up; then the shift,
/// halves away from zero): what TFLite Micro's reference kernels and CMSIS-NN compute.
struct Double {
  static constexpr const char* name = "Double";

  int32_t multiplier = 0, shift = 0;

  constexpr int32_t operator()(int32_t acc) const {
    const int left = shift > 0 ? shift : 0, right = shift > 0 ? 0 : -shift;
    const auto x = static_cast<int32_t>(static_cast<uint32_t>(acc) << left);
    const int64_t product = int64_t{x} * multiplier;
    const int64_t nudge = product >= 0 ? int64_t{1} << 30 : 1 - (int64_t{1} << 30);
    const auto high = static_cast<int32_t>((product + nudge) / (int64_t{1} << 31));
    const auto mask = static_cast<int32_t>((uint32_t{1} << right) - 1);
    const int32_t threshold = (mask >> 1) + (high < 0);
    return (high >> right) + ((high & mask) > threshold);
  }
  static constexpr void fields(auto& s, auto visit) {
    visit("multiplier", s.multiplier), visit("shift", s.shift);
  }
};

/// Nothing to scale: what a float model computes.
struct Unscaled {
  static constexpr const char* name = "Unscaled";

  constexpr auto operator()(auto acc) const { return acc; }
  static constexpr void fields(auto&, auto) {}
};

/// The last step of a layer: adds the zero point and limits the range, its activation folded in.
template <class N>
struct Clamp {
  static constexpr const char* name = "Clamp";

  typename N::Out zero = 0, lo = N::lowest, hi = N::highest;

  constexpr typename N::Out operator()(typename N::Rescaled value) const {
    const typename N::Rescaled v = value + zero;
    return static_cast<typename N::Out>(v < lo ? lo : v > hi ? hi : v);
  }
  static constexpr void fields(auto& s, auto visit) {
    visit("zero", s.zero), visit("lo", s.lo), visit("hi", s.hi);
  }
};

/// int8 activations and weights, int32 accumulators and biases: TFLite's quantisation
/// specification. `R` rounds (Single or Double), `L` is how the compiler packed the weights.
template <class R, class L>
struct Int8 {
  using In = int8_t;
  using Out = int8_t;
  using Weight = int8_t;
  using Acc = int32_t;
  using Bias = int32_t;
  using Rescaled = int32_t;
  using Rescale = R;
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
  using Bias = float;
  using Rescaled = A;
  using Rescale = Unscaled;
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
  typename N::In in_zero = 0;                    ///< what padding reads as
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
