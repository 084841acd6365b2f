/// \file
/// The rows of input that a row of output looks at, stacked: the taps of a column follow each
/// other, column by column. So the window of a pixel is one run of memory, and overlaps its
/// neighbour's.
#pragma once

#include "nnom/convolution.hpp"

namespace nnom {

/// Whether a convolution reads through a stack; else windows are runs of the input already.
constexpr bool is_stacked(const auto& op) {
  const bool run = op.kernel.size() == 1 || (op.kernel.h == 1 && op.contiguous());
  return op.pad.any() || !run;
}

/// Whether windows share columns of the stack; else each has its own.
constexpr bool shares_columns(const auto& op) {
  return op.dilation.w == 1 && op.stride.w < op.kernel.w;
}
constexpr int stack_columns(const auto& op) {
  return shares_columns(op) ? line_columns(op) : op.out.w * op.kernel.w;
}
/// Elements from a pixel's window to the next.
constexpr int stack_step(const auto& op) {
  const int columns = shares_columns(op) ? op.stride.w : op.kernel.w;
  return columns * op.kernel.h * (op.in.c / op.groups);
}

template <class N>
constexpr Memory stack_memory(const auto& op) {
  const int elements = stack_columns(op) * op.kernel.h * (op.in.c / op.groups);
  const int out = op.out.row() * int{sizeof(typename N::Out)};
  const int in = op.in.row() * int{sizeof(typename N::In)};
  return {is_stacked(op) ? round_up(elements * int{sizeof(typename N::In)}, 4) : 0,
          lead_of(op.out.h, out, op.in.h, in, [&](int y) { return rows_gone(op, y); })};
}

/// Stacks rows from `top` on, the channels of a group from `channel` on; `zero` where they
/// overhang.
template <class T, class N>
[[gnu::always_inline]] inline void fill_stack(const auto& op, typename N::In zero,
                                              const View<const typename N::In>& in, int top,
                                              int channel, typename N::In* stack) {
  const int c = op.in.c / op.groups, pitch = op.kernel.h * c;
  const bool shares = shares_columns(op);
  const int columns = shares ? line_columns(op) : op.kernel.w;
  const int column_step = shares ? 1 : op.dilation.w;
  const int runs = shares ? 1 : op.out.w;
  for (int ky = 0; ky < op.kernel.h; ++ky, stack += c) {
    const int y = top + ky * op.dilation.h;
    const bool inside = y >= 0 && y < op.in.h;
    typename N::In* to = stack;
    int left = -op.pad.left;
    for (int run = 0; run < runs; ++run, left += op.stride.w) {
      const Taps t = taps_inside(left, columns, column_step, op.in.w);
      const int count = inside ? max(t.count, 0) : 0;
      const int before = count ? (t.first - left) / column_step : columns;
      for (int i = 0; i < before; ++i, to += pitch) T::fill(to, zero, c);
      if (count)
        T::copy_runs(to, pitch, in.row(y) + t.first * op.in.c + channel, column_step * op.in.c, c,
                     count);
      to += count * pitch;
      for (int i = before + count; i < columns; ++i, to += pitch) T::fill(to, zero, c);
    }
  }
}

/// A convolution whose windows are runs of the input or of its stack.
template <class T, class N>
[[gnu::always_inline]] inline void run_stacked(const auto& op, const Linear<N>& d, const auto& io) {
  const Matrix m = op.stacked();
  const int c = op.in.c / op.groups;
  const bool stacks = is_stacked(op);
  auto* const stack = reinterpret_cast<typename N::In*>(io.scratch);
  Window<typename N::In> w;
  w.length = m.length;
  const int rows = rows_join(op, io) ? io.y1 - io.y0 : 1;
  for (int y = io.y0; y < io.y1; y += rows) {
    const int top = y * op.stride.h - op.pad.top;
    const typename N::Weight* weights = d.weights;
    typename N::Out* to = io.out.row(y);
    for (int g = 0; g < op.groups; ++g, to += m.rows, weights += N::Layout::size(m)) {
      if (stacks) fill_stack<T, N>(op, d.in_zero, io.in[0], top, g * c, stack);
      w.first = stacks ? stack : io.in[0].row(top) + g * c;
      multiply<T, N>(
          {w, stacks ? stack_step(op) : op.stride.w * op.in.c, rows * op.out.w, to, op.out.c}, m, d,
          weights, g * m.rows);
    }
  }
}

}  // namespace nnom
