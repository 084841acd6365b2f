/// \file
/// Windows gathered into patches: where activations are widened for the inner loop, what a few
/// output pixels look at is copied into scratch memory, border included, so that a window is one
/// run.
#pragma once

#include "nnom/convolution.hpp"

namespace nnom {

/// The matrix `m` over patches: a row of weights is one run.
template <class N>
constexpr Matrix over_patches(const Matrix& m) {
  return {m.rows, 1, N::Layout::row_size(m)};
}

/// Elements of a patch, which has the windows of all groups, one after the other.
template <class N>
constexpr int patch_size(const auto& op) {
  return N::Layout::row_size(op.matrix()) * op.groups;
}

/// Whether patches are gathered from lines: where the runs of a window are short ones, each is
/// widened once then, and not for every window.
constexpr bool from_lines(const auto& op) {
  return op.contiguous() && op.kernel.size() > 1 && op.in.c < 4;
}

/// Patches gathered at a time: whole tiles, more of them where they are small.
template <class N>
constexpr int patches(const auto& op) {
  return N::Layout::pixels * max(128 / max(patch_size<N>(op), 1), 1);
}

template <class N>
constexpr int patches_bytes(const auto& op) {
  return round_up(patches<N>(op) * patch_size<N>(op) * int{sizeof(LineOf<N>)}, 4);
}

/// The first element of the input that the output pixels from (y, x) on still look at.
constexpr int needed_from(const auto& op, int y, int x) {
  const int row = rows_gone(op, y);
  const int column = row < op.in.h ? min(max(x * op.stride.w - op.pad.left, 0), op.in.w) : 0;
  const int here = row * op.in.row() + column * op.in.c;
  return y + 1 < op.out.h ? min(here, rows_gone(op, y + 1) * op.in.row()) : here;
}

/// Where the output of an op may lie that goes pixel by pixel. All that those before (y, x) give,
/// and `ahead` outputs more, may be written while what is needed from (y, x) on is still read.
template <class N>
constexpr int pixels_lead(const auto& op, int ahead) {
  constexpr int in_bytes = sizeof(typename N::In), out_bytes = sizeof(typename N::Out);
  int lead = -op.in.size() * in_bytes;
  for (int y = 0; y < op.out.h; ++y) {
    // Between these the distance is linear in x.
    const int inner = min(op.pad.left / op.stride.w, op.out.w - 1);
    const int ends[] = {0, inner, min(inner + 1, op.out.w - 1), op.out.w - 1};
    for (const int x : ends)
      if (const int written = (y * op.out.w + x) * op.out.c + ahead)
        lead = max(lead, written * out_bytes - needed_from(op, y, x) * in_bytes);
  }
  return lead;
}

/// Memory of an op that gathers patches, from lines behind them if from_lines(), before it writes
/// what they give.
template <class N>
constexpr Memory patches_memory(const auto& op) {
  return {patches_bytes<N>(op) + (from_lines(op) ? lines_bytes<N>(op) : 0), pixels_lead<N>(op, 0)};
}

/// Where element i of a window lies in its patch, from that of element 0; see Scalar::pairs_pixels.
template <class T>
constexpr int place(int i) {
  return T::pairs_pixels ? 2 * i - i % 2 : i;
}
/// The patch of pixel p, if they have `size` elements.
template <class T, class E>
constexpr E* patch(E* patches, int size, int p) {
  return patches + (T::pairs_pixels ? p / 2 * 2 * size + p % 2 * 2 : p * size);
}
/// Writes elements [first, first + n) of a window to its patch.
template <class T, class Line, class In>
[[gnu::always_inline]] inline void widen(Line* patch, int first, const In* in, int n) {
  if constexpr (!T::pairs_pixels) {
    T::widen(patch + first, in, n);
  } else if (first % 2 == 0) {
    T::widen_paired(patch + place<T>(first), in, n);
  } else {
    for (int i = 0; i < n; ++i) patch[place<T>(first + i)] = in[i];
  }
}

/// The runs of input that make a patch: one in each of `rows` rows, `dilation` apart, of `columns`
/// columns; of each column `channels`, which are all or `columns` is 1. Each is padded to `size`.
struct Runs {
  Image in;
  int rows, dilation, columns, channels, size;
};

/// Gathers the runs from row y, column x and channel c on. What overhangs is `zero`.
template <class T, class N>
[[gnu::noinline]] void gather(const Runs& runs, typename N::In zero,
                              const View<const typename N::In>& view, int y, int x, int c,
                              LineOf<N>* to) {
  const int n = runs.columns * runs.channels, size = place<T>(runs.size);
  const int end = y + (runs.rows - 1) * runs.dilation;
  if (y >= 0 && x >= 0 && end < min(runs.in.h, view.wrap) && x + runs.columns <= runs.in.w) {
    const int step = runs.dilation * view.pitch;
    const typename N::In* from = view.row(y) + x * runs.in.c + c;
    for (int i = runs.rows; i > 0; --i, from += step, to += size) widen<T>(to, 0, from, n);
    return;
  }
  const int first = min(max(-x, 0), runs.columns);
  const int before = first * runs.channels;
  const int inside = max(min(runs.in.w - x, runs.columns) - first, 0) * runs.channels;
  const auto fill = [&](int i, int past) NNOM_INLINE {
#pragma GCC unroll 4
    for (; i < past; ++i) to[place<T>(i)] = zero;
  };
  for (; y <= end; y += runs.dilation, to += size) {
    const bool outside = y < 0 || y >= runs.in.h || inside == 0;
    fill(0, outside ? n : before);
    if (outside) continue;
    widen<T>(to, before, view.row(y) + (x + first) * runs.in.c + c, inside);
    fill(before + inside, n);
  }
}

/// Multiplies patches: those of each group by its matrix.
template <class T, class N>
[[gnu::noinline]] void multiply_groups(Pixels<N> px, const Matrix& m, const Linear<N>& d,
                                       int groups) {
  const typename N::Weight* weights = d.weights;
  for (int g = 0; g < groups; ++g, px.out += m.rows) {
    multiply<T, N>(px, m, d, weights, g * m.rows);
    px.window.first += place<T>(m.length);
    weights += N::Layout::size(m);
  }
}

/// A convolution over patches: pixel after pixel, over the ends of rows where the output's lie one
/// after the other.
template <class T, class N>
[[gnu::always_inline]] inline void run_patches(const auto& op, const Linear<N>& d, const auto& io) {
  using Line = LineOf<N>;
  const Matrix m = over_patches<N>(op.matrix());
  auto* const memory = reinterpret_cast<Line*>(io.scratch);
  auto* const lines = reinterpret_cast<Line*>(io.scratch + patches_bytes<N>(op));
  Window<Line> windows;
  windows.first = memory, windows.length = m.length;
  const int most = patches<N>(op), elements = patch_size<N>(op);
  int count = 0;  // of patches
  const bool one_run = io.out.pitch == op.out.row() && io.y1 <= io.out.wrap;
  // On a board it is code of its own: only where bounds are constants.
  const bool lined = from_lines(op) && (T::fixed || !T::pairs_pixels);
  const bool pointwise =
      op.kernel.size() == 1 && op.stride.size() == 1 && !op.pad.any() && op.groups == 1;
  const int channels = op.in.c / op.groups, columns = op.contiguous() ? op.kernel.w : 1;
  const int taps = op.kernel.w / columns, size = N::Layout::padded(columns * channels);
  const int pitch = line_columns(op) * op.in.c;
  const Runs runs{op.in, op.kernel.h, op.dilation.h, columns, channels, taps * size};
  const auto in = io.in[0];
  const auto gather_pixel = [&](int y, int x, int first, Line* to) NNOM_INLINE {
    if (lined) {
      for (int ky = 0, line = first; ky < op.kernel.h; ++ky, to += place<T>(size)) {
        widen<T>(to, 0, lines + line * pitch + x * op.stride.w * op.in.c, columns * channels);
        line += op.dilation.h;
        if (line >= span_h(op)) line -= span_h(op);
      }
    } else if (pointwise) {
      widen<T>(to, 0, in.row(y) + x * op.in.c, op.in.c);
    } else {
      for (int g = 0; g < op.groups; ++g, to += place<T>(op.kernel.h * runs.size))
        for (int i = 0; i < taps; ++i)
          gather<T, N>(runs, d.in_zero, in, y * op.stride.h - op.pad.top,
                       x * op.stride.w - op.pad.left + i * op.dilation.w, g * channels,
                       to + place<T>(i * size));
    }
  };
  for_lines(
      op, io.y0, io.y1,
      [&](int y, int line) NNOM_INLINE {
        if (lined) fill_line<T, N>(op, d.in_zero, in, y, lines + line * pitch);
      },
      [&](int y, int, int first) NNOM_INLINE {
        typename N::Out* out = io.out.row(y) - count * op.out.c;  // of the first patch
        for (int x = 0; x < op.out.w;) {
          gather_pixel(y, x, first, patch<T>(memory, elements, count));
          ++count, ++x;
          if (count == most || (x == op.out.w && (!one_run || y + 1 == io.y1))) {
            const Pixels<N> px{windows, elements, count, out, op.out.c, T::pairs_pixels};
            if (op.groups == 1)
              multiply<T, N>(px, m, d, d.weights, 0);
            else
              multiply_groups<T, N>(px, m, d, op.groups);
            out += count * op.out.c, count = 0;
          }
        }
      });
}

}  // namespace nnom
