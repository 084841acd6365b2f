/// \file
/// A function of the user's own as a layer made by hand.
#pragma once

#include "nnom/network/quantise.hpp"

namespace nnom {

/// Calls f(inputs..., output) with the inputs i of a call; null if f takes another number.
template <auto f, class E, int... i>
constexpr Hook<E> hook_of() {
  if constexpr (requires(const HookCall<E>& call) { f(call.in[i]..., call.out); })
    return [](const HookCall<E>& call) { f(call.in[i]..., call.out); };
  else
    return nullptr;
}
template <auto f>
inline constexpr HookSet hooks_of{
    {hook_of<f, float, 0>(), hook_of<f, float, 0, 1>(), hook_of<f, float, 0, 1, 2>()},
    {hook_of<f, int8_t, 0>(), hook_of<f, int8_t, 0, 1>(), hook_of<f, int8_t, 0, 1, 2>()}};

template <class N, const Lambda& op, const Given& g>
struct Constants<Lambda, N, op, g> {
  static constexpr auto hook() {
    const int inputs = min(op.count, HookSet::most_inputs);
    if constexpr (N::quantised)
      return g.settings.function->stored[inputs - 1];
    else
      return g.settings.function->real[inputs - 1];
  }
  static constexpr bool fits = op.count <= HookSet::most_inputs && hook() != nullptr;
  static constexpr auto made() {
    static_assert(Buildable < fits
                      ? Text{}
                      : g.complaint("Lambda", "its function takes no such number of inputs") >
                            ::yes);
    Lambda::Data<N> d;
    d.hook = hook();
    for (int i = 0; i < op.count; ++i) d.in_scale[i] = g.in[i].scale, d.in_zero[i] = g.in[i].zero;
    d.out_scale = g.out.scale, d.out_zero = g.out.zero;
    return d;
  }
  static constexpr Lambda::Data<N> data = made();
};

namespace layers {

/// Any function of up to three inputs, as a template over what tensors are stored as (hook.hpp);
/// `f` is its name where it is no template, else a lambda:
///
///     m.add("square", lambda<[](const auto& x, auto& y) {
///       for (int i = 0; i < y.size(); ++i) y.set(i, x[i] * x[i]);
///     }>({4, 4, 2}, nnom::range(0, 1)));
///
/// `sizes` are those of its output, which the function must fill.
template <auto f>
constexpr Layer<Lambda> lambda(Sizes sizes, Quantisation out = unknown) {
  Layer<Lambda> l;
  l.op.out = sizes;
  l.settings.out = out;
  l.settings.function = &hooks_of<f>;
  return l;
}

}  // namespace layers
}  // namespace nnom
