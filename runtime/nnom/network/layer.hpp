/// \file
/// A layer made by hand, before it is added to a network.
#pragma once

#include "nnom/hook.hpp"
#include "nnom/network/scales.hpp"

namespace nnom {

/// Sizes of a tensor, outermost first, channels last: {28, 28, 1}.
struct Sizes : Shape {
  constexpr Sizes(const Shape& s) : Shape(s) {}
  template <class... Size>
  requires(sizeof...(Size) <= 6 && (__is_same(Size, int) && ...)) constexpr Sizes(Size... n)
      : Shape{int{sizeof...(Size)}, {n...}} {}
};

/// Weights: real numbers, or int8 with a scale for each output channel or one for all. Arrays must
/// outlive the model: constants at namespace scope.
struct Weights {
  const float* real = nullptr;
  const int8_t* stored = nullptr;
  const float* scale = nullptr;
  int count = 0, scales = 0;

  constexpr Weights() = default;
  template <int N>
  constexpr Weights(const float (&values)[N]) : real(values), count(N) {}
  template <int N, int S>
  constexpr Weights(const int8_t (&values)[N], const float (&scale_of)[S])
      : stored(values), scale(scale_of), count(N), scales(S) {}

  constexpr bool is_stored() const { return stored != nullptr; }
  /// Weight i, of an output channel, as a real number.
  constexpr double operator()(int i, int channel = 0) const {
    return real ? double{real[i]} : stored[i] * double{scale[scales > 1 ? channel : 0]};
  }
};

/// One real number for each output channel; or none, which is zeros.
struct Bias {
  const float* real = nullptr;
  int count = 0;

  constexpr Bias() = default;
  template <int N>
  constexpr Bias(const float (&values)[N]) : real(values), count(N) {}
};

/// A user's function for one to three inputs; null where it takes another number.
struct HookSet {
  static constexpr int most_inputs = 3;

  Hook<float> real[most_inputs]{};
  Hook<int8_t> stored[most_inputs]{};
};

/// What else a layer made by hand has.
struct Settings {
  Weights weights{}, recurrent{};
  Bias bias{}, recurrent_bias{};
  const HookSet* function = nullptr;
  Quantisation out = unknown;                                     ///< of its output
  float lo = -__builtin_huge_valf(), hi = __builtin_huge_valf();  ///< limits of its output
};

/// The mean of tensors: for Network::merge.
struct Average {
  Quantisation out = unknown;
};
template <int n>
inline constexpr float share_of[] = {1.0f / n};

/// For layers that don't depend on their input's shape.
struct AsItIs {
  constexpr const char* operator()(auto&, const Shape&) const { return nullptr; }
};

/// A layer that is in no network yet. `prepare(op, shape of the first input)` settles what depends
/// on that; it returns null, or why it can't.
template <class Op, class Prepare = AsItIs>
struct Layer {
  Op op{};
  Settings settings{};
  Prepare prepare{};
};

}  // namespace nnom
