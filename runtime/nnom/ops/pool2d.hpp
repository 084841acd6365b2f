/// \file
/// MaxPool2D, AveragePool2D and SumPool2D, which differ in what they do with a window, and
/// DynamicSumPool2D, which chooses its scale when it runs.
#pragma once

#include "nnom/numbers.hpp"
#include "nnom/target/native.hpp"
#include "nnom/window.hpp"

namespace nnom {

/// Pooling with `Rule`, which has Data<N>, and pixel<T, N>(rule, data, window, out) to pool all
/// channels of one window. Padding is left out of the window.
template <class Rule>
struct Pool2D {
  static constexpr const char* name = Rule::name;
  static constexpr int max_inputs = 1;
  static constexpr bool same_scale = Rule::same_scale;
  template <class N>
  using Data = typename Rule::template Data<N>;

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
  [[gnu::always_inline]] static void run(const Pool2D& op, const Data<N>& data,
                                         const Io<Pool2D, N>& io) {
    const Data<N> d = data;  // int8 stores alias everything: keep the fields in registers
    op.windows(io.in[0], io.out, io.y0, io.y1,
               [&](const Window<typename N::In>& w, typename N::Out* pixel)
                   NNOM_INLINE { Rule::template pixel<T, N>(op.rule, d, w, pixel); });
  }

  /// visit(window, pixel) for each pixel of rows [y0, y1) of `to`.
  template <class In, class Out>
  [[gnu::always_inline]] void windows(const View<const In>& from, const View<Out>& to, int y0,
                                      int y1, auto visit) const {
    const int c = out.c;
    Window<In> w;
    w.length = c, w.column_step = c * dilation.w;
    w.read_rows(from, dilation.h);
    for (int y = y0; y < y1; ++y) {
      Out* pixel = to.row(y);
      const Taps rows = inside_h(y);
      w.rows = rows.count;
      for (int x = 0; x < out.w; ++x, pixel += c) {
        const Taps columns = inside_w(x);
        w.columns = columns.count;
        w.first = from.row(rows.first) + columns.first * c;
        visit(w, pixel);
      }
    }
  }
};

/// Calls visit(c, sum) with `start` and what channel c of the taps adds up to.
template <class T, class N>
[[gnu::always_inline]] inline void channel_sums(const Window<typename N::In>& w,
                                                typename N::Acc start, auto visit) {
  const auto block = [&]<int B>(int c) NNOM_INLINE {
    typename N::Acc sum[B];
    for (int i = 0; i < B; ++i) sum[i] = start;
    T::window_sums(w, c, sum);
    for (int i = 0; i < B; ++i) visit(c + i, sum[i]);
  };
  int c = 0;
  for (; c + 4 <= w.length; c += 4) block.template operator()<4>(c);
  for (; c < w.length; ++c) block.template operator()<1>(c);
}

struct MaxRule {
  static constexpr const char* name = "MaxPool2D";
  static constexpr bool same_scale = true;
  template <class N>
  using Data = Moved<N>;

  static constexpr void fields(auto&, auto) {}

  template <class T, class N>
  [[gnu::always_inline]] static void pixel(MaxRule, const Moved<N>&,
                                           const Window<typename N::In>& w, typename N::Out* out) {
    __builtin_memcpy(out, w.first, static_cast<size_t>(w.length) * sizeof *out);
    w.taps([&](const typename N::In* p) NNOM_INLINE { T::maximum(out, p, w.length); });
  }
};

struct AverageRule {
  static constexpr const char* name = "AveragePool2D";
  static constexpr bool same_scale = true;
  template <class N>
  using Data = Moved<N>;

  bool of_uint8 = false;  ///< int8 stands for uint8, 128 less

  static constexpr void fields(auto& r, auto visit) { visit("of_uint8", r.of_uint8); }

  /// Halves are rounded away from zero.
  template <class T, class N>
  [[gnu::always_inline]] static void pixel(AverageRule rule, const Moved<N>&,
                                           const Window<typename N::In>& w, typename N::Out* out) {
    using Acc = typename N::Acc;
    const int count = w.rows * w.columns, less = N::quantised && rule.of_uint8 ? 128 : 0;
    channel_sums<T, N>(w, Acc(less * count), [&](int c, Acc a) NNOM_INLINE {
      if constexpr (N::quantised)
        out[c] =
            static_cast<typename N::Out>((a > 0 ? a + count / 2 : a - count / 2) / count - less);
      else
        out[c] = static_cast<typename N::Out>(a / Acc(count));
    });
  }
};

/// The sum of what lies in the window; the output has a scale of its own.
struct SumPoolRule {
  static constexpr const char* name = "SumPool2D";
  static constexpr bool same_scale = false;

  template <class N>
  struct Data {
    using Numbers = N;
    typename N::In zero = 0;
    typename N::Rescale::Mean sum{};  ///< of what is relative to zero
    Clamp<N> clamp{};

    static constexpr void fields(auto& d, auto visit) {
      visit("zero", d.zero);
      if constexpr (N::quantised) visit("sum", d.sum);
      visit("clamp", d.clamp);
    }
  };

  static constexpr void fields(auto&, auto) {}

  template <class T, class N>
  [[gnu::always_inline]] static void pixel(SumPoolRule, const Data<N>& d,
                                           const Window<typename N::In>& w, typename N::Out* out) {
    using Acc = typename N::Acc;
    channel_sums<T, N>(w, before<N>(w, d.zero), [&](int c, Acc a) NNOM_INLINE {
      if constexpr (N::quantised)
        out[c] = d.clamp(d.sum(a));
      else
        out[c] = d.clamp(a);
    });
  }
  /// What makes sums relative to `zero`.
  template <class N>
  static auto before(const Window<typename N::In>& w, typename N::In zero) {
    using Acc = typename N::Acc;
    return Acc(-w.rows * w.columns) * Acc(zero);
  }
};

using MaxPool2D = Pool2D<MaxRule>;
using AveragePool2D = Pool2D<AverageRule>;
using SumPool2D = Pool2D<SumPoolRule>;

/// Sum pooling whose scale is chosen when it runs: the output is the sums of `pool`, divided by
/// 2^shift (halves up), and as its last element the shift, which is the least that has all fit
/// int8. Its values have the scale of the input times 2^shift, and the input's zero point. Of real
/// numbers the shift is 0. As only the application knows the shift, no layer can read the output.
struct DynamicSumPool2D {
  static constexpr const char* name = "DynamicSumPool2D";
  static constexpr int max_inputs = 1;
  static constexpr bool same_scale = true, int8_only = true;
  static constexpr bool scales_itself = true;  ///< when it runs: nothing else may read it

  template <class N>
  struct Data {
    using Numbers = N;
    typename N::In zero = 0;

    static constexpr void fields(auto& d, auto visit) { visit("zero", d.zero); }
  };

  SumPool2D pool{};

  constexpr int64_t macs() const { return pool.macs(); }
  constexpr Inferred infer(const Shape* x, int n) {
    const Inferred r = pool.infer(x, n);
    if (r.error) return r;
    return {{1, {pool.out.size() + 1}}};
  }
  /// All sums are there before the first is written.
  template <class N>
  constexpr Memory memory() const {
    return {pool.out.size() * int{sizeof(typename N::Acc)},
            -pool.in.size() * int{sizeof(typename N::In)}};
  }
  static constexpr void fields(auto& op, auto visit) { visit("pool", op.pool); }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const DynamicSumPool2D& op, const Data<N>& d,
                                         const Io<DynamicSumPool2D, N>& io) {
    using Acc = typename N::Acc;
    auto* const sums = reinterpret_cast<Acc*>(io.scratch);
    const int n = op.pool.out.size();
    const View<const typename N::In> in{io.in[0].base, op.pool.in.row()};
    const View<Acc> to{sums, op.pool.out.row()};
    op.pool.windows(in, to, 0, op.pool.out.h, [&](const Window<typename N::In>& w, Acc* sum) {
      channel_sums<T, N>(w, SumPoolRule::before<N>(w, d.zero),
                         [&](int c, Acc a) NNOM_INLINE { sum[c] = a; });
    });
    typename N::Out* const out = io.out.base;
    if constexpr (N::quantised) {
      Acc least = 0, most = 0;
      for (int i = 0; i < n; ++i) {
        least = sums[i] < least ? sums[i] : least;
        most = sums[i] > most ? sums[i] : most;
      }
      int shift = 0;
      while (divided(least, shift) < N::lowest - d.zero ||
             divided(most, shift) > N::highest - d.zero)
        ++shift;
      for (int i = 0; i < n; ++i)
        out[i] = static_cast<typename N::Out>(divided(sums[i], shift) + d.zero);
      out[n] = static_cast<typename N::Out>(shift);
    } else {
      for (int i = 0; i < n; ++i) out[i] = static_cast<typename N::Out>(sums[i]);
      out[n] = 0;
    }
  }

 private:
  /// a / 2^shift, nearest, halves up.
  template <class Acc>
  static constexpr Acc divided(Acc a, int shift) {
    return shift ? ((a >> (shift - 1)) + 1) >> 1 : a;
  }
};

}  // namespace nnom
