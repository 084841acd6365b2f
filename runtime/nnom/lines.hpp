/// \file
/// Rows of the input, made ready for the inner loop: with their border, widened where the target
/// wants it, each only once. Where neither is needed the input is read where it lies.
#pragma once

#include "nnom/window.hpp"

namespace nnom {

template <class N>
using LineOf = typename N::Layout::template Line<typename N::In>;

/// Whether activations of N are widened before the inner loop.
template <class N>
inline constexpr bool widened = sizeof(LineOf<N>) != sizeof(typename N::In);

/// Whether `op` reads through lines, which take scratch memory.
template <class N>
constexpr bool through_lines(const auto& op) {
  return widened<N> || op.pad.any();
}

/// Columns in a line: as many as the last output pixel of a row needs.
constexpr int line_columns(const auto& op) { return (op.out.w - 1) * op.stride.w + span_w(op); }

/// Scratch bytes of an op that reads through lines. The inner loop may read up to Layout::depth
/// elements past the end.
template <class N>
constexpr int lines_bytes(const auto& op) {
  if (!through_lines<N>(op)) return 0;
  const int elements = span_h(op) * line_columns(op) * op.in.c + N::Layout::depth - 1;
  return round_up(elements * int{sizeof(LineOf<N>)}, 4);
}

/// Memory of an op that reads through lines, or row by row in place.
template <class N>
constexpr Memory lines_memory(const auto& op) {
  const bool lines = through_lines<N>(op);
  const int out = op.out.row() * int{sizeof(typename N::Out)};
  const int in = op.in.row() * int{sizeof(typename N::In)};
  return {lines_bytes<N>(op), lead_of(op.out.h, out, op.in.h, in, [&](int y) {
            // A line is filled before the output row is written; without lines it is still read.
            return lines ? min(max(y * op.stride.h - op.pad.top + span_h(op), 0), op.in.h)
                         : rows_gone(op, y);
          })};
}

/// Writes row y of the input to `line`, with `zero` where it overhangs.
template <class T, class N>
[[gnu::always_inline]] inline void fill_line(const auto& op, typename N::In zero,
                                             View<const typename N::In> in, int y,
                                             LineOf<N>* line) {
  const int columns = line_columns(op), c = op.in.c;
  const bool inside = y >= 0 && y < op.in.h;
  const int left = inside ? min(op.pad.left, columns) : columns;
  const int middle = inside ? min(op.in.w, columns - left) : 0;
  T::fill(line, LineOf<N>(zero), left * c);
  if (middle) T::widen(line + left * c, in.row(y), middle * c);
  line += (left + middle) * c;
  T::fill(line, LineOf<N>(zero), (columns - left - middle) * c);
}

/// Goes through output rows [y0, y1). Calls fill(y, line) for each row y of input, or of its
/// border, that they look at, in order and once: it belongs into that line of a ring of span_h(op).
/// Then row(y, top, first): output row y looks at input rows from `top` on, the first in line
/// `first`.
[[gnu::always_inline]] inline void for_lines(const auto& op, int y0, int y1, auto fill, auto row) {
  const int span = span_h(op);
  int top = y0 * op.stride.h - op.pad.top, filled = top, first = 0;
  for (int y = y0; y < y1; ++y, top += op.stride.h) {
    for (filled = max(filled, top); filled < top + span; ++filled) {
      const int line = first + filled - top;
      fill(filled, line < span ? line : line - span);
    }
    row(y, top, first);
    for (first += op.stride.h; first >= span;) first -= span;
  }
}

/// Calls row(y, window) for every output row y wanted; the window is that of its first pixel,
/// whole rows of taps where `contiguous`, else tap by tap.
template <class T, class N>
[[gnu::always_inline]] inline void for_rows(const auto& op, typename N::In zero, const auto& io,
                                            bool contiguous, auto row) {
  const int c = op.in.c;
  const auto in = io.in[0];
  Window<LineOf<N>> w;
  w.rows = op.kernel.h;
  w.columns = contiguous ? 1 : op.kernel.w;
  w.column_step = op.dilation.w * c;
  w.length = contiguous ? op.kernel.w * c : c;
  const bool lines = through_lines<N>(op);
  auto* const buffer = reinterpret_cast<LineOf<N>*>(io.scratch);
  const int pitch = line_columns(op) * c;
  if (lines) {
    w.row_step = op.dilation.h * pitch;
    w.ring = span_h(op) * pitch;
    w.end = buffer + w.ring;
  } else if constexpr (!widened<N>) {
    w.read_rows(in, op.dilation.h);
  }
  for_lines(
      op, io.y0, io.y1,
      [&](int y, int line) NNOM_INLINE {
        if (lines) fill_line<T, N>(op, zero, in, y, buffer + line * pitch);
      },
      [&](int y, int top, int first) NNOM_INLINE {
        if (lines)
          w.first = buffer + first * pitch;
        else if constexpr (!widened<N>)
          w.first = in.row(top);
        row(y, w);
      });
}

}  // namespace nnom
