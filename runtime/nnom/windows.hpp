/// \file
/// Convolutions that look at one window at a time, for little code and memory: those of
/// layout::Compact.
#pragma once

#include "nnom/convolution.hpp"
#include "nnom/patches.hpp"

namespace nnom {

/// Whether convolutions in N look at one window at a time.
template <class N>
inline constexpr bool compact = requires {
  requires N::Layout::compact;
};

/// Whether the windows of a Conv2D are runs of its input.
constexpr bool in_place(const auto& op) {
  return op.kernel.h == 1 && op.contiguous() && !op.pad.any();
}

/// Memory of a Conv2D that looks at one window at a time.
template <class N>
constexpr Memory windows_memory(const auto& op) {
  const int window = op.kernel.size() * (op.in.c / op.groups) * int{sizeof(typename N::In)};
  return {in_place(op) ? 0 : round_up(window, 4),
          pixels_lead<N>(op, in_place(op) || op.groups > 1 ? op.out.c : 0)};
}

/// Copies the window of output pixel (y, x) of a Conv2D, of its channels from `channel` on, to
/// `window`.
template <class T, class N>
[[gnu::noinline]] const typename N::In* gather_window(const auto& op, typename N::In zero,
                                                      const View<const typename N::In>& view, int y,
                                                      int x, int channel, typename N::In* window) {
  typename N::In* to = window;
  const int c = op.in.c / op.groups, columns = op.contiguous() ? op.kernel.w : 1;  // of a run
  int row = y * op.stride.h - op.pad.top;
  for (int ky = 0; ky < op.kernel.h; ++ky, row += op.dilation.h) {
    const bool outside = row < 0 || row >= op.in.h;
    int column = x * op.stride.w - op.pad.left;
    for (int kx = 0; kx < op.kernel.w; kx += columns, to += columns * c) {
      const int first = max(-column, 0);
      const int count = outside ? 0 : min(op.in.w - column, columns) - first;
      if (count < columns) T::fill(to, zero, columns * c);
      if (count > 0)
        T::widen(to + first * c, view.row(row) + (column + first) * op.in.c + channel, count * c);
      column += op.dilation.w;
    }
  }
  return window;
}

/// out[r] = finish(bias[r] + x . row r) for a window that is one run, and a matrix of one tap.
template <class T, class N>
[[gnu::always_inline]] inline void multiply_window(const typename N::In* x, const Matrix& m,
                                                   const Linear<N>& d,
                                                   const typename N::Weight* weights, int channel,
                                                   typename N::Out* out) {
  if constexpr (requires { T::multiply_window(x, m, d, weights, channel, out); }) {
    T::multiply_window(x, m, d, weights, channel, out);
  } else {
    Window<typename N::In> w;
    w.first = x, w.length = m.length;
    multiply<T, N>({w, 0, 1, out, 0}, m, d, weights, channel);
  }
}

/// Runs a Conv2D.
template <class T, class N>
[[gnu::always_inline]] inline void run_windows(const auto& op, const Linear<N>& d, const auto& io) {
  const int channels = op.in.c / op.groups;
  const Matrix m{op.out.c / op.groups, 1, op.kernel.size() * channels};
  for (int y = io.y0; y < io.y1; ++y) {
    typename N::Out* to = io.out.row(y);
    for (int x = 0; x < op.out.w; ++x) {
      const typename N::Weight* weights = d.weights;
      for (int g = 0; g < op.groups; ++g, weights += m.rows * m.length, to += m.rows) {
        const auto* window =
            in_place(op) ? io.in[0].row(y * op.stride.h) + x * op.stride.w * op.in.c
                         : gather_window<T, N>(op, d.in_zero, io.in[0], y, x, g * channels,
                                               reinterpret_cast<typename N::In*>(io.scratch));
        multiply_window<T, N>(window, m, d, weights, g * m.rows, to);
      }
    }
  }
}

/// Runs a DepthwiseConv2D, some channels of a pixel at a time. As products are with what is
/// relative to the zero point, the border is left out.
template <class T, class N>
[[gnu::always_inline]] inline void run_depthwise_windows(const auto& op, const Linear<N>& d,
                                                         const auto& io) {
  const int count = op.in.c;
  Window<typename N::In> w;
  w.column_step = op.dilation.w * count;
  w.read_rows(io.in[0], op.dilation.h);
  for (int y = io.y0; y < io.y1; ++y) {
    const int top = y * op.stride.h - op.pad.top;
    const Taps rows = taps_inside(top, op.kernel.h, op.dilation.h, op.in.h);
    w.rows = rows.count;
    typename N::Out* to = io.out.row(y);
    for (int x = 0; x < op.out.w; ++x, to += count) {
      const int left = x * op.stride.w - op.pad.left;
      const Taps columns = taps_inside(left, op.kernel.w, op.dilation.w, op.in.w);
      w.columns = columns.count;
      w.first = io.in[0].row(rows.first) + columns.first * count;
      const int before =
          (rows.first - top) / op.dilation.h * op.kernel.w + (columns.first - left) / op.dilation.w;
      const int skipped = (op.kernel.w - columns.count) * count;
      constexpr int most = 16;  // channels at a time
      for (int c = 0; c < count; c += most) {
        const int n = min(most, count - c);
        typename N::Acc sum[most];
        for (int i = 0; i < n; ++i) sum[i] = d.bias[c + i];
        const auto add = [&]<int B>(int i) NNOM_INLINE {
          T::template add_taps<N, B>(w, c + i, d.weights + before * count + c + i, count, skipped,
                                     d.in_zero, sum + i);
        };
        int i = 0;
        for (; i + 4 <= n; i += 4) add.template operator()<4>(i);
        for (; i < n; ++i) add.template operator()<1>(i);
        T::finish_channels(d, c, n, sum, to + c);
      }
    }
  }
}

}  // namespace nnom
