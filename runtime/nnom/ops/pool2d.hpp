/// \file
/// MaxPool2D and AveragePool2D, which differ in what they do with a window.
#pragma once

#include "nnom/numbers.hpp"
#include "nnom/target/native.hpp"
#include "nnom/window.hpp"

namespace nnom {

/// Pooling with `Rule`, whose pixel<T, N>(rule, window, out) pools all channels of one window.
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
  Rule rule{};

  constexpr int64_t macs() const { return int64_t{out.size()} * kernel.size(); }
  constexpr Inferred infer(const Shape* x, int) {
    const Inferred r = slide(*this, x[0], x[0].back());
    if (r.error) return r;
    bool any = max(pad.top, pad.bottom) < span_h(*this) && max(pad.left, pad.right) < span_w(*this);
    for (int y = 0; any && y < out.h; ++y) any = inside_h(y).count > 0;
    for (int i = 0; any && i < out.w; ++i) any = inside_w(i).count > 0;
    if (!any) return {{}, "one of its windows lies in the border alone"};
    return r;
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
    visit("rule", op.rule);
  }

  /// Taps of output row y, or column x, that are inside the input.
  constexpr Taps inside_h(int y) const {
    return taps_inside(y * stride.h - pad.top, kernel.h, dilation.h, in.h);
  }
  constexpr Taps inside_w(int x) const {
    return taps_inside(x * stride.w - pad.left, kernel.w, dilation.w, in.w);
  }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const Pool2D& op, const Data<N>&,
                                         const Io<Pool2D, N>& io) {
    const int c = op.out.c;
    Window<typename N::In> w;
    w.length = c, w.column_step = c * op.dilation.w;
    w.read_rows(io.in[0], op.dilation.h);
    for (int y = io.y0; y < io.y1; ++y) {
      typename N::Out* out = io.out.row(y);
      const Taps rows = op.inside_h(y);
      w.rows = rows.count;
      for (int x = 0; x < op.out.w; ++x, out += c) {
        const Taps columns = op.inside_w(x);
        w.columns = columns.count;
        w.first = io.in[0].row(rows.first) + columns.first * c;
        Rule::template pixel<T, N>(op.rule, w, out);
      }
    }
  }
};

struct MaxRule {
  static constexpr const char* name = "MaxPool2D";
  static constexpr void fields(auto&, auto) {}

  template <class T, class N>
  [[gnu::always_inline]] static void pixel(MaxRule, const Window<typename N::In>& w,
                                           typename N::Out* out) {
    __builtin_memcpy(out, w.first, static_cast<size_t>(w.length) * sizeof *out);
    w.taps([&](const typename N::In* p) NNOM_INLINE { T::maximum(out, p, w.length); });
  }
};

struct AverageRule {
  static constexpr const char* name = "AveragePool2D";

  bool of_uint8 = false;  ///< int8 stands for uint8, 128 less

  static constexpr void fields(auto& r, auto visit) { visit("of_uint8", r.of_uint8); }

  /// Halves are rounded away from zero.
  template <class T, class N>
  [[gnu::always_inline]] static void pixel(AverageRule rule, const Window<typename N::In>& w,
                                           typename N::Out* out) {
    const int count = w.rows * w.columns, less = N::quantised && rule.of_uint8 ? 128 : 0;
    for (int c = 0; c < w.length; ++c) {
      typename N::Acc a = typename N::Acc(less * count);
      w.taps([&](const typename N::In* p) NNOM_INLINE { a += p[c]; });
      if constexpr (N::quantised)
        out[c] =
            static_cast<typename N::Out>((a > 0 ? a + count / 2 : a - count / 2) / count - less);
      else
        out[c] = static_cast<typename N::Out>(a / typename N::Acc(count));
    }
  }
};

using MaxPool2D = Pool2D<MaxRule>;
using AveragePool2D = Pool2D<AverageRule>;

}  // namespace nnom
