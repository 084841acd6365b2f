/// \file
/// Nested loops over the elements of several tensors at once.
#pragma once

#include "nnom/core.hpp"

namespace nnom {

/// Up to six loops, outermost first. Along loop i, tensor k advances `step[k][i]` elements: 0 where
/// it is broadcast. Loops that are one run of memory for every tensor are merged.
template <int K>
struct Loops {
  int depth = 0, count[6]{};
  int step[K][6]{};

  /// Adds a loop inside the others.
  constexpr void add(int n, const int (&steps)[K]) {
    if (n == 1) return;
    bool merge = depth > 0;
    for (int k = 0; merge && k < K; ++k) merge = step[k][depth - 1] == n * steps[k];
    if (!merge) ++depth;
    const int last = depth - 1;
    count[last] = merge ? count[last] * n : n;
    for (int k = 0; k < K; ++k) step[k][last] = steps[k];
  }
  /// Elements of the innermost loop.
  constexpr int run() const { return depth ? count[depth - 1] : 1; }
  /// Elements from one to the next of tensor k in it.
  constexpr int run_step(int k) const { return depth ? step[k][depth - 1] : 1; }

  /// Calls visit(offset) for each run of the innermost loop; it begins at element offset[k] of
  /// tensor k.
  [[gnu::always_inline]] void runs(auto visit) const {
    int at[6]{}, offset[K]{};
    for (int i = 0; i >= 0;) {
      visit(offset);
      for (i = depth - 2; i >= 0; --i) {
        const bool more = ++at[i] < count[i];
        if (!more) at[i] = 0;
#pragma GCC unroll 4
        for (int k = 0; k < K; ++k) offset[k] += step[k][i] * (more ? 1 : 1 - count[i]);
        if (more) break;
      }
    }
  }
  static constexpr void fields(auto& l, auto visit) {
    visit("depth", l.depth), visit("count", l.count), visit("step", l.step);
  }
};

/// Elements from one to the next along `axis` of a tensor of shape `s`.
constexpr int step_along(const Shape& s, int axis) {
  int step = 1;
  for (int i = axis + 1; i < s.rank; ++i) step *= s[i];
  return step;
}

/// The size of `s` along `axis` of a tensor of `rank` axes, to which it is broadcast: axes are
/// aligned at the last, and missing ones are 1.
constexpr int size_along(const Shape& s, int axis, int rank) {
  const int own = axis - (rank - s.rank);
  return own < 0 ? 1 : s[own];
}

/// Its step along that axis: 0 where it is broadcast.
constexpr int broadcast_step(const Shape& s, int axis, int rank) {
  return size_along(s, axis, rank) == 1 ? 0 : step_along(s, axis - (rank - s.rank));
}

/// The shape that `count` shapes are broadcast to, as numpy does.
constexpr Inferred broadcast(const Shape* shapes, int count) {
  Inferred r;
  int64_t size = 1;
  for (int k = 0; k < count; ++k) r.out.rank = max(r.out.rank, shapes[k].rank);
  for (int i = 0; i < r.out.rank; ++i) {
    r.out.d[i] = 1;
    for (int k = 0; k < count; ++k) {
      const int n = size_along(shapes[k], i, r.out.rank);
      if (n == 1) continue;
      if (r.out[i] != 1 && r.out[i] != n)
        return {{}, "the shapes of its inputs can't be broadcast to one"};
      r.out.d[i] = n;
    }
    size *= r.out[i];
    if (size > INT_MAX) return {{}, "its output is too large"};
  }
  return r;
}

}  // namespace nnom
