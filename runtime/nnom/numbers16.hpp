/// \file
/// Arithmetic of int16 activations, as TensorFlow Lite has it: zero points are 0, weights int8.
#pragma once

#include "nnom/numbers.hpp"

namespace nnom {

/// acc * multiplier / 2^shift, rounded once, halves up; shift is at least 1. TFLite reduces the
/// multiplier to 16 bits so that the product fits 64.
struct Reduced {
  static constexpr const char* name = "Reduced";

  int32_t multiplier = 0, shift = 1;

  constexpr int32_t operator()(int64_t acc) const {
    return static_cast<int32_t>((acc * multiplier + (int64_t{1} << (shift - 1))) >> shift);
  }
  static constexpr void fields(auto& s, auto visit) {
    visit("multiplier", s.multiplier), visit("shift", s.shift);
  }
};

/// acc * factor, halves away from zero, at most 2^20 either way: desktop TFLite's FULLY_CONNECTED.
struct Floating {
  static constexpr const char* name = "Floating";

  double factor = 0;

  int32_t operator()(int64_t acc) const {
    constexpr double most = 1 << 20;
    const double product = rounded(static_cast<double>(acc) * factor);
    const double v = product > most ? most : product < -most ? -most : product;
    const auto whole = static_cast<int32_t>(v);
    const double rest = v - whole;  // exact
    return whole + (rest >= 0.5) - (rest <= -0.5);
  }
  static constexpr void fields(auto& s, auto visit) { visit("factor", s.factor); }
};

/// int16 activations, int8 weights. `R` says how wide sums are, and how they are scaled: of 64 bits
/// (Reduced, Floating) or of 32 (Double); the bits of everything but products with weights and of
/// two tensors' matrices are those of Double.
template <class R, class L>
struct Int16 {
  using In = int16_t;
  using Out = int16_t;
  using Weight = int8_t;
  using Acc = either<__is_same(R, Double), int32_t, int64_t>;
  using Factor = int32_t;
  using Bias = Acc;
  using Rescaled = int32_t;
  using Rescale = R;
  using Sum = ShiftedSum<15>;
  using Layout = L;
  using Unpacked = Int16<R, void>;
  static constexpr bool quantised = true;
  static constexpr int16_t lowest = INT16_MIN, highest = INT16_MAX;
};

/// From int8 to int16, or back: the inputs of an op are of type I, its output of type O.
template <class I, class O, class R>
struct Converting {
  using In = I;
  using Out = O;
  using Acc = int32_t;
  using Factor = int32_t;
  using Rescaled = int32_t;
  using Rescale = R;
  using Unpacked = Converting;
  static constexpr bool quantised = true;
  static constexpr O lowest = sizeof(O) == 1 ? INT8_MIN : INT16_MIN;
  static constexpr O highest = sizeof(O) == 1 ? INT8_MAX : INT16_MAX;
};
template <class R>
using Widening = Converting<int8_t, int16_t, R>;
using Narrowing = Converting<int16_t, int8_t, Double>;

}  // namespace nnom
