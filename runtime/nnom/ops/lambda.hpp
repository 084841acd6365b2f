/// \file
/// Lambda: a function of the user's own.
#pragma once

#include "nnom/hook.hpp"
#include "nnom/numbers.hpp"

namespace nnom {

/// out = hook(in[0], in[1], ...); the shape of its output is told, not inferred. `constants`: how
/// many weights of the trained layer the function may look at.
struct Lambda {
  static constexpr const char* name = "Lambda";
  static constexpr int max_inputs = HookCall<float>::max_inputs;

  template <class N>
  struct Data {
    using Numbers = N;
    Hook<typename N::In> hook = nullptr;
    float in_scale[max_inputs]{}, out_scale = 0;
    int in_zero[max_inputs]{}, out_zero = 0;

    static constexpr void fields(auto& d, auto visit) {
      visit("hook", d.hook), visit("in_scale", d.in_scale), visit("out_scale", d.out_scale);
      visit("in_zero", d.in_zero), visit("out_zero", d.out_zero);
    }
  };

  int count = 0, weights = 0;
  Shape in[max_inputs]{}, out{};

  constexpr int64_t macs() const { return out.size(); }
  constexpr int constants() const { return weights; }
  constexpr Inferred infer(const Shape* x, int n) {
    count = n;
    for (int i = 0; i < n; ++i) in[i] = x[i];
    return {out};
  }
  template <class N>
  constexpr Memory memory() const {
    return {};
  }
  static constexpr void fields(auto& op, auto visit) {
    visit("count", op.count), visit("weights", op.weights);
    visit("in", op.in), visit("out", op.out);
  }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const Lambda& op, const Data<N>& d,
                                         const Io<Lambda, N>& io) {
    HookCall<typename N::In> call;
    for (int i = 0; i < op.count; ++i)
      call.in[i] = {{io.in[i].base, &op.in[i], d.in_scale[i], d.in_zero[i]}};
    call.out = {{io.out.base, &op.out, d.out_scale, d.out_zero}};
    d.hook(call);
  }
};

}  // namespace nnom
