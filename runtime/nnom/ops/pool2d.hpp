/// \file
/// MaxPool2D and AveragePool2D, which differ in what they do with a window.
#pragma once

#include "nnom/numbers.hpp"
#include "nnom/target/native.hpp"
#include "nnom/window.hpp"

namespace nnom {

/// Pooling with `Rule`, whose pixel<T, N>(op, window, out) pools all channels of one window.
/// Padding is left out of the window. Input and output have the same scale and zero point.
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
  constexpr Inferred infer(const Shape* x, int) {
    if (dilation.size() != 1) return {{}, "pooling with dilation is not supported"};
    if (max(pad.top, pad.bottom) >= kernel.h || max(pad.left, pad.right) >= kernel.w)
      return {{}, "its border must be smaller than its kernel"};
    return slide(*this, x[0], x[0].back());
  }
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
    const int c = op.out.c;
    Window<typename N::In> w;
    w.column_step = w.length = c;
    w.read_rows(io.in[0], 1);
    for (int y = io.y0; y < io.y1; ++y) {
      typename N::Out* out = io.out.row(y);
      const int top = y * op.stride.h - op.pad.top;
      const int y0 = max(top, 0);
      w.rows = min(top + op.kernel.h, op.in.h) - y0;
      for (int x = 0; x < op.out.w; ++x, out += c) {
        const int left = x * op.stride.w - op.pad.left;
        const int x0 = max(left, 0);
        w.columns = min(left + op.kernel.w, op.in.w) - x0;
        w.first = io.in[0].row(y0) + x0 * c;
        Rule::template pixel<T, N>(w, out);
      }
    }
  }
};

struct MaxRule {
  static constexpr const char* name = "MaxPool2D";

  template <class T, class N>
  [[gnu::always_inline]] static void pixel(const Window<typename N::In>& w, typename N::Out* out) {
    __builtin_memcpy(out, w.first, static_cast<size_t>(w.length) * sizeof *out);
    w.taps([&](const typename N::In* p) NNOM_INLINE { T::maximum(out, p, w.length); });
  }
};

struct AverageRule {
  static constexpr const char* name = "AveragePool2D";

  /// Halves are rounded away from zero.
  template <class T, class N>
  [[gnu::always_inline]] static void pixel(const Window<typename N::In>& w, typename N::Out* out) {
    const int count = w.rows * w.columns;
    for (int c = 0; c < w.length; ++c) {
      typename N::Acc a = 0;
      w.taps([&](const typename N::In* p) NNOM_INLINE { a += p[c]; });
      if constexpr (N::quantised)
        out[c] = static_cast<typename N::Out>((a > 0 ? a + count / 2 : a - count / 2) / count);
      else
        out[c] = static_cast<typename N::Out>(a / typename N::Acc(count));
    }
  }
};

using MaxPool2D = Pool2D<MaxRule>;
using AveragePool2D = Pool2D<AverageRule>;

}  // namespace nnom
