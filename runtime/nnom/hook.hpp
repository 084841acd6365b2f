/// \file
/// What a function of the user's own is called with: tensors that read and write as real numbers,
/// whatever they are stored as. Lambda layers call one; it lies in namespace hooks.
///
///     void soft_clip(const auto& x, auto& y, const auto& p) {
///       for (int i = 0; i < y.size(); ++i) y.set(i, x[i] / (1 + p.alpha * x[i] * x[i]));
///     }
#pragma once

#include "nnom/core.hpp"
#include "nnom/model.hpp"

namespace nnom {

/// A tensor whose elements, of type E (float, int8_t or int16_t), lie at `stored`; without its
/// batch axis, channels last. real = scale * (stored - zero); float has no scale.
template <class E>
struct HookTensor {
  E* stored = nullptr;
  const Shape* extent = nullptr;
  float scale = 1;
  int zero = 0;

  /// Elements in all.
  constexpr int size() const { return extent->size(); }
  /// Number of axes, and the size of one of them: 0 is the outermost.
  constexpr int rank() const { return extent->rank; }
  constexpr int size(int axis) const { return extent->d[axis]; }
  /// The place of the element at (y, x, channel), or as many as there are axes.
  constexpr int index(auto... at) const {
    const int place[] = {static_cast<int>(at)...};
    int i = 0;
    for (int axis = 0; axis < static_cast<int>(sizeof...(at)); ++axis)
      i = i * extent->d[axis] + place[axis];
    return i;
  }
};

template <class E>
constexpr bool is_float = false;
template <>
inline constexpr bool is_float<float> = true;

/// An input: x[i] is a real number.
template <class E>
struct HookInput : HookTensor<const E> {
  float operator[](int i) const {
    if constexpr (is_float<E>)
      return this->stored[i];
    else
      return this->scale * static_cast<float>(this->stored[i] - this->zero);
  }
};

/// The output: y.set(i, v) stores the real number v, as near as its type holds it. Every element
/// has to be set.
template <class E>
struct HookOutput : HookTensor<E> {
  void set(int i, float value) const {
    if constexpr (is_float<E>)
      this->stored[i] = value;
    else
      this->stored[i] = Quantisation(this->scale, this->zero).template stored<E>(value);
  }
};

/// The tensors of one call.
template <class E>
struct HookCall {
  static constexpr int max_inputs = 8;

  HookInput<E> in[max_inputs];
  HookOutput<E> out;
};

template <class E>
using Hook = void (*)(const HookCall<E>&);

/// What a call of a function gives that isn't there. Generated code declares `NoHook name(...)`
/// beside the user's function, which is taken unless that one fits.
struct NoHook {};
template <class Result>
inline constexpr bool is_hook = true;
template <>
inline constexpr bool is_hook<NoHook> = false;

}  // namespace nnom
