/// \file
/// Sliding a window over a picture: which part of the input an output pixel looks at.
///
/// An op that slides has the fields `in`, `out` (Image), `kernel`, `stride`, `dilation` (Size) and
/// `pad` (Border).
#pragma once

#include "nnom/core.hpp"

namespace nnom {

/// `rows` x `columns` taps, each a run of `length` elements. If `ring` is not 0, the rows lie in a
/// ring of that many elements that ends at `end`.
template <class E>
struct Window {
  const E* first = nullptr;   ///< tap (0, 0)
  const E* end = nullptr;     ///< end of the ring
  int ring = 0;               ///< elements in the ring
  int row_step = 0;           ///< elements from one row of taps to the next
  int column_step = 0;        ///< elements from one column of taps to the next
  int rows = 1, columns = 1;  ///< taps
  int length = 0;             ///< elements of one tap

  /// Takes the rows of taps from `view`, `step` rows apart.
  constexpr void read_rows(const View<const E>& view, int step) {
    row_step = step * view.pitch;
    ring = view.ring * view.pitch;
    end = ring ? view.base + view.wrap * view.pitch : nullptr;
  }

  /// Calls visit(pointer) for every tap, row by row.
  [[gnu::always_inline]] void taps(auto visit) const {
    const E* row = first;
    for (int y = 0; y < rows; ++y) {
      const E* tap = row;
      for (int x = 0; x < columns; ++x, tap += column_step) visit(tap);
      row += row_step;
      if (ring && row >= end) row -= ring;
    }
  }
};

/// Rows, and columns, of input that one output pixel spans.
constexpr int span_h(const auto& op) { return (op.kernel.h - 1) * op.dilation.h + 1; }
constexpr int span_w(const auto& op) { return (op.kernel.w - 1) * op.dilation.w + 1; }

/// Taps along one axis: the place of the first, and how many there are.
struct Taps {
  int first, count;
};

/// Those of `kernel` taps from `start` on, `dilation` apart, that lie within [0, size).
constexpr Taps taps_inside(int start, int kernel, int dilation, int size) {
  int before = max(-start, 0), end = max(size - start, 0);
  if (dilation > 1)
    before = (before + dilation - 1) / dilation, end = (end + dilation - 1) / dilation;
  return {start + before * dilation, min(end, kernel) - before};
}

/// The border that Keras and TFLite call SAME: the output has ceil(in / stride) pixels, and an odd
/// pixel of border goes to the end.
constexpr Border same_border(const Image& in, Size kernel, Size stride, Size dilation) {
  const auto total = [](int n, int k, int s, int d) {
    return max((n + s - 1) / s * s - s + (k - 1) * d + 1 - n, 0);
  };
  const int h = total(in.h, kernel.h, stride.h, dilation.h);
  const int w = total(in.w, kernel.w, stride.w, dilation.w);
  return {h / 2, w / 2, h - h / 2, w - w / 2};
}

/// The shape of an output picture; it must not grow along an axis that the input does not have.
constexpr Inferred picture(const Image& out, int rank) {
  const Shape s = shape(out, rank);
  if (s.size() != out.size()) return {{}, "it adds a border along an axis its input does not have"};
  return {s};
}

/// The shape rule of every sliding op: fills op.in and op.out; `channels` is that of the output.
constexpr Inferred slide(auto& op, const Shape& in, int channels) {
  if (in.rank < 1 || in.rank > 3)
    return {{}, "its input must have 1 to 3 axes (height, width, channels) besides the batch"};
  const auto least = [](const Size& s) { return min(s.h, s.w); };
  if (min(least(op.kernel), min(least(op.stride), least(op.dilation))) < 1)
    return {{}, "kernel size, strides and dilation must be positive"};
  op.in = image(in);
  const int h = op.in.h + op.pad.top + op.pad.bottom - span_h(op);
  const int w = op.in.w + op.pad.left + op.pad.right - span_w(op);
  if (h < 0 || w < 0) return {{}, "the kernel is larger than the input"};
  op.out = {h / op.stride.h + 1, w / op.stride.w + 1, channels};
  return picture(op.out, in.rank);
}

/// Rows of the input of which nothing is needed any more once output row y - 1 is done.
constexpr int rows_gone(const auto& op, int y) {
  return max(min(y * op.stride.h - op.pad.top, op.in.h), 0);
}

}  // namespace nnom
