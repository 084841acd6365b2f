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

/// Memory of a Conv2D that looks at one window at a time. Groups are written while the next is
/// read.
template <class N>
constexpr Memory windows_memory(const auto& op) {
  const int window = op.kernel.size() * (op.in.c / op.groups) * int{sizeof(typename N::In)};
  return {round_up(window, 4), pixels_lead<N>(op, op.groups > 1 ? op.out.c : 0)};
}

/// Copies the window of output pixel (y, x) of a Conv2D, of its channels from `channel` on.
template <class T, class N>
[[gnu::noinline]] void gather_window(const auto& op, typename N::In zero,
                                     const View<const typename N::In>& view, int y, int x,
                                     int channel, typename N::In* to) {
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
  auto* const window = reinterpret_cast<typename N::In*>(io.scratch);
  for (int y = io.y0; y < io.y1; ++y) {
    typename N::Out* to = io.out.row(y);
    for (int x = 0; x < op.out.w; ++x) {
      const typename N::Weight* weights = d.weights;
      for (int g = 0; g < op.groups; ++g, weights += m.rows * m.length, to += m.rows) {
        gather_window<T, N>(op, d.in_zero, io.in[0], y, x, g * channels, window);
        multiply_window<T, N>(window, m, d, weights, g * m.rows, to);
      }
    }
  }
}

}  // namespace nnom
