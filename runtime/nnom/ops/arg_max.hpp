/// \file
/// ArgMax: where the largest, or smallest, value along an axis stands.
#pragma once

#include "nnom/loops.hpp"
#include "nnom/numbers.hpp"

namespace nnom {

/// out = the place of the first (or last) of the largest (or smallest) values along `axis`, which
/// becomes 1 element long. Quantised, the output has scale 1 and zero point -128, or 0 if that is
/// enough for all places.
struct ArgMax {
  static constexpr const char* name = "ArgMax";
  static constexpr int max_inputs = 1;

  template <class N>
  struct Data {
    using Numbers = N;
    typename N::Out zero = 0;

    static constexpr void fields(auto& d, auto visit) { visit("zero", d.zero); }
  };

  int axis = -1;
  bool smallest = false, last = false;
  int outer = 1, size = 1, inner = 1;  ///< elements before, along and behind the axis

  constexpr int64_t macs() const { return int64_t{outer} * size * inner; }
  constexpr Inferred infer(const Shape* x, int) {
    Inferred r{x[0]};
    if (axis < 0) axis += r.out.rank;
    if (axis < 0 || axis >= r.out.rank) return {{}, "its axis is not one of the input's"};
    size = r.out[axis], inner = step_along(r.out, axis);
    outer = r.out.size() / max(size * inner, 1);
    r.out.d[axis] = 1;
    return r;
  }
  template <class N>
  constexpr Memory memory() const {
    return {};
  }
  static constexpr void fields(auto& op, auto visit) {
    visit("axis", op.axis), visit("smallest", op.smallest), visit("last", op.last);
    visit("outer", op.outer), visit("size", op.size), visit("inner", op.inner);
  }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const ArgMax& op, const Data<N>& d,
                                         const Io<ArgMax, N>& io) {
    typename N::Out* out = io.out.base;
    for (int y = 0; y < op.outer; ++y)
      for (int i = 0; i < op.inner; ++i) {
        const typename N::In* in = io.in[0].base + y * op.size * op.inner + i;
        *out++ = static_cast<typename N::Out>(typename N::Acc(place(op, in)) + d.zero);
      }
  }

 private:
  template <class In>
  [[gnu::noinline]] static int place(const ArgMax& op, const In* in) {
    int best = 0;
    for (int k = 1; k < op.size; ++k) {
      const In a = in[k * op.inner], b = in[best * op.inner];
      if (op.smallest ? a < b : a > b) best = k;
      if (op.last && a == b) best = k;
    }
    return best;
  }
};

}  // namespace nnom
