/// \file
/// MaxPool2D and AveragePool2D, which differ in what they do with a window.
#pragma once

#include "nnom/numbers.hpp"
#include "nnom/window.hpp"

namespace nnom {

/// Pooling with `Rule`: begin() -> a, join(a, value) -> a, end(a, count) -> value. Padding is left
/// out of the window. Input and output have the same scale and zero point.
template <class Rule>
struct Pool2D {
  static constexpr const char* name = Rule::name;
  static constexpr int max_inputs = 1;
  static constexpr bool same_scale = true;
  template <class N>
  using Data = Moved<N>;

  Image in{}, out{};
  Size kernel{}, stride{}, dilation{};
  Border pad{};

  constexpr int64_t macs() const { return int64_t{out.size()} * kernel.size(); }
  constexpr Inferred infer(const Shape* x, int) { return slide(*this, x[0], x[0].back()); }
  template <class N>
  constexpr Memory memory() const {
    const int e = sizeof(typename N::In);
    return {0, lead_of(out.h, out.row() * e, in.h, in.row() * e,
                       [&](int y) { return rows_gone(*this, y); })};
  }
  static constexpr void fields(auto& op, auto visit) {
    visit("in", op.in), visit("out", op.out), visit("kernel", op.kernel);
    visit("stride", op.stride), visit("dilation", op.dilation), visit("pad", op.pad);
  }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const Pool2D& op, const Data<N>&,
                                         const Io<Pool2D, N>& io) {
    for (int y = io.y0; y < io.y1; ++y) {
      typename N::Out* out = io.out.row(y);
      const int top = y * op.stride.h - op.pad.top;
      const int y0 = max(top, 0), y1 = min(top + op.kernel.h, op.in.h);
      for (int x = 0; x < op.out.w; ++x) {
        const int left = x * op.stride.w - op.pad.left;
        const int x0 = max(left, 0), x1 = min(left + op.kernel.w, op.in.w);
        for (int c = 0; c < op.out.c; ++c) {
          auto a = Rule::template begin<N>();
          for (int iy = y0; iy < y1; ++iy) {
            const typename N::In* p = io.in[0].row(iy) + x0 * op.in.c + c;
            for (int ix = x0; ix < x1; ++ix, p += op.in.c) a = Rule::template join<N>(a, *p);
          }
          *out++ = Rule::template end<N>(a, (y1 - y0) * (x1 - x0));
        }
      }
    }
  }
};

struct MaxRule {
  static constexpr const char* name = "MaxPool2D";
  template <class N>
  static constexpr typename N::In begin() {
    return N::lowest;
  }
  template <class N>
  static constexpr typename N::In join(typename N::In a, typename N::In b) {
    return a > b ? a : b;
  }
  template <class N>
  static constexpr typename N::Out end(typename N::In a, int) {
    return a;
  }
};

struct AverageRule {
  static constexpr const char* name = "AveragePool2D";
  template <class N>
  static constexpr typename N::Acc begin() {
    return 0;
  }
  template <class N>
  static constexpr typename N::Acc join(typename N::Acc a, typename N::In b) {
    return a + b;
  }
  /// Halves are rounded away from zero.
  template <class N>
  static constexpr typename N::Out end(typename N::Acc a, int count) {
    if constexpr (N::quantised)
      return static_cast<typename N::Out>((a > 0 ? a + count / 2 : a - count / 2) / count);
    else
      return static_cast<typename N::Out>(a / typename N::Acc(count));
  }
};

using MaxPool2D = Pool2D<MaxRule>;
using AveragePool2D = Pool2D<AverageRule>;

}  // namespace nnom
