/// \file
/// Windows gathered into patches: where activations are widened for the inner loop, what a few
/// output pixels look at is copied into scratch memory, border included, so that a window is one
/// run.
#pragma once

#include "nnom/lines.hpp"
#include "nnom/target/layout.hpp"

namespace nnom {

/// Whether activations of N are widened before the inner loop.
template <class N>
inline constexpr bool widened = sizeof(LineOf<N>) != sizeof(typename N::In);

/// The matrix `m` over patches: a row of weights is one run.
template <class N>
constexpr Matrix over_patches(const Matrix& m) {
  return {m.rows, 1, N::Layout::row_size(m), m.joined};
}

/// Elements of a patch, which has the windows of all groups, one after the other.
template <class N>
constexpr int patch_size(const auto& op) {
  return N::Layout::row_size(op.matrix()) * op.groups;
}

/// Patches gathered at a time: whole tiles, more of them where they are small.
template <class N>
constexpr int patches(const auto& op) {
  return N::Layout::pixels * max(64 / max(patch_size<N>(op), 1), 1);
}

/// The first element of the input that the output pixels from (y, x) on still look at.
constexpr int needed_from(const auto& op, int y, int x) {
  const int row = rows_gone(op, y);
  const int column = row < op.in.h ? min(max(x * op.stride.w - op.pad.left, 0), op.in.w) : 0;
  const int here = row * op.in.row() + column * op.in.c;
  return y + 1 < op.out.h ? min(here, rows_gone(op, y + 1) * op.in.row()) : here;
}

/// Memory of an op that gathers patches. All that pixels before (y, x) give may be written when
/// what they look at has been gathered.
template <class N>
constexpr Memory patches_memory(const auto& op) {
  constexpr int in_bytes = sizeof(typename N::In), out_bytes = sizeof(typename N::Out);
  int lead = -op.in.size() * in_bytes;
  for (int y = 0; y < op.out.h; ++y) {
    // Between these the distance is linear in x.
    const int inner = min(op.pad.left / op.stride.w, op.out.w - 1);
    const int ends[] = {0, inner, min(inner + 1, op.out.w - 1), op.out.w - 1};
    for (const int x : ends)
      if (y || x)
        lead =
            max(lead, (y * op.out.w + x) * op.out.c * out_bytes - needed_from(op, y, x) * in_bytes);
  }
  return {round_up(patches<N>(op) * patch_size<N>(op) * int{sizeof(LineOf<N>)}, 4), lead};
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
  const int n = runs.columns * runs.channels, size = runs.size;
  const int end = y + (runs.rows - 1) * runs.dilation;
  if (y >= 0 && x >= 0 && end < min(runs.in.h, view.wrap) && x + runs.columns <= runs.in.w) {
    const int step = runs.dilation * view.pitch;
    const typename N::In* from = view.row(y) + x * runs.in.c + c;
    for (int i = runs.rows; i > 0; --i, from += step, to += size) T::widen(to, from, n);
    return;
  }
  const int first = min(max(-x, 0), runs.columns);
  const int before = first * runs.channels;
  const int inside = max(min(runs.in.w - x, runs.columns) - first, 0) * runs.channels;
  const auto fill = [&](int i, int past) NNOM_INLINE {
#pragma GCC unroll 4
    for (; i < past; ++i) to[i] = zero;
  };
  for (; y <= end; y += runs.dilation, to += size) {
    const bool outside = y < 0 || y >= runs.in.h || inside == 0;
    fill(0, outside ? n : before);
    if (outside) continue;
    T::widen(to + before, view.row(y) + (x + first) * runs.in.c + c, inside);
    fill(before + inside, n);
  }
}

}  // namespace nnom
