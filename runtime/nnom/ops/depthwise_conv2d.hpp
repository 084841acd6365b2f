/// \file
/// DepthwiseConv2D: one filter a channel. (With a depth multiplier it is a grouped Conv2D.)
#pragma once

#include "nnom/slices.hpp"
#include "nnom/target/native.hpp"

namespace nnom {

/// out[y][x][c] = bias[c] + sum over taps of in[..][c] * weights; they are [kernel.h][kernel.w][c].
struct DepthwiseConv2D {
  static constexpr const char* name = "DepthwiseConv2D";
  static constexpr int max_inputs = 1;
  template <class N>
  using Data = Linear<N>;

  Image in{}, out{};
  Size kernel{}, stride{}, dilation{};
  Border pad{};

  constexpr int64_t macs() const { return int64_t{out.size()} * kernel.size(); }
  constexpr Inferred infer(const Shape* x, int) { return slide(*this, x[0], x[0].back()); }
  template <class N>
  constexpr Memory memory() const {
    return in_slices<N>(*this) ? slices_memory<N>(*this) : lines_memory<AsStored<N>>(*this);
  }
  static constexpr void fields(auto& op, auto visit) {
    visit("in", op.in), visit("out", op.out), visit("kernel", op.kernel);
    visit("stride", op.stride), visit("dilation", op.dilation), visit("pad", op.pad);
  }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const DepthwiseConv2D& op, const Linear<N>& data,
                                         const Io<DepthwiseConv2D, N>& io) {
    const Linear<N> d = data;
    if constexpr (N::Layout::slice > 0 && sizeof(typename N::In) == 1)
      if (in_slices<N>(op)) return run_slices<T, N>(op, d, io);
    const int step = op.stride.w * op.in.c;
    using Line = typename N::In;
    bool rows = false;  // the target has a loop of its own for these weights
    if constexpr (requires { T::template has_depthwise_row<N>(d, op.out.c, 0); })
      rows = T::template has_depthwise_row<N>(d, op.out.c, op.kernel.size() * op.out.c);
    for_rows<T, AsStored<N>>(op, d.in_zero, io, false, [&](int y, Window<Line> w) NNOM_INLINE {
      typename N::Out* to = io.out.row(y);
      if constexpr (requires { T::template depthwise_row<N>(w, step, op.out.w, op.out.c, d, to); })
        if (rows) return T::template depthwise_row<N>(w, step, op.out.w, op.out.c, d, to);
      if constexpr (T::fixed && requires { T::template depthwise_fixed_row<N>(op, w, d, to); })
        if (T::template depthwise_fixed_row<N>(op, w, d, to)) return;
      for (int x = 0; x < op.out.w; ++x, w.first += step, to += op.out.c) {
        const int whole = op.out.c & ~3;
        for (int c = 0; c < whole; c += 4) channels<T, N, 4>(w, c, op.out.c, d, to);
        for (int c = whole; c < op.out.c; ++c) channels<T, N, 1>(w, c, op.out.c, d, to);
      }
      T::limit(d, io.out.row(y), op.out.c, op.out.w, op.out.c);
    });
  }

 private:
  /// N with lines that are not widened: a pixel's channels are multiplied one by one.
  template <class N>
  struct AsStored : N {
    struct Layout {
      static constexpr int depth = 1;
      template <class E>
      using Line = E;
    };
  };

  /// B channels of one pixel, from c on.
  template <class T, class N, int B>
  [[gnu::always_inline]] static void channels(const Window<typename N::In>& w, int c, int count,
                                              const Linear<N>& d, typename N::Out* out) {
    typename N::Acc acc[B];
#pragma GCC unroll 4
    for (int i = 0; i < B; ++i) acc[i] = d.bias[c + i];
    T::template depthwise<N>(w, c, count, d.weights, acc);
#pragma GCC unroll 4
    for (int i = 0; i < B; ++i) T::finish(d, c + i, {acc[i]}, out + c + i, 0);
  }
};

}  // namespace nnom
