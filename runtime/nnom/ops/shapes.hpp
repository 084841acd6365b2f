/// \file
/// The ops that only move values: Reshape, Transpose, Slice, Gather.
#pragma once

#include "nnom/loops.hpp"
#include "nnom/numbers.hpp"

namespace nnom {

/// The same values under another shape: the output is the input's memory, and nothing runs.
struct Reshape {
  static constexpr const char* name = "Reshape";
  static constexpr int max_inputs = 1;
  static constexpr bool same_scale = true, alias = true;
  template <class N>
  using Data = Moved<N>;

  Shape out{};

  constexpr int64_t macs() const { return 0; }
  constexpr Inferred infer(const Shape* x, int) {
    if (x[0].size() != out.size()) return {{}, "its input has another number of elements"};
    return {out};
  }
  template <class N>
  constexpr Memory memory() const {
    return {0, 0};
  }
  static constexpr void fields(auto& op, auto visit) { visit("out", op.out); }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const Reshape& op, const Data<N>&,
                                         const Io<Reshape, N>& io) {
    if (io.out.base != io.in[0].base)
      __builtin_memmove(io.out.base, io.in[0].base,
                        static_cast<size_t>(op.out.size()) * sizeof *io.out.base);
  }
};

/// Copies the elements that `loops` visits to `out`, one after the other.
template <class E>
[[gnu::always_inline]] inline void copy(const Loops<1>& loops, const E* in, E* out) {
  const int n = loops.run(), step = loops.run_step(0);
  loops.runs([&](const int(&offset)[1]) NNOM_INLINE {
    const E* p = in + offset[0];
    if (step == 1)
      __builtin_memmove(out, p, static_cast<size_t>(n) * sizeof(E));
    else
      for (int i = 0; i < n; ++i) out[i] = p[i * step];
    out += n;
  });
}

/// Axis i of the output is axis order[i] of the input.
struct Transpose {
  static constexpr const char* name = "Transpose";
  static constexpr int max_inputs = 1;
  static constexpr bool same_scale = true;
  template <class N>
  using Data = Moved<N>;

  int order[6]{0, 1, 2, 3, 4, 5};
  Loops<1> loops{};

  constexpr int64_t macs() const { return 0; }
  constexpr Inferred infer(const Shape* x, int) {
    const int rank = x[0].rank;
    unsigned seen = 0;
    for (int i = 0; i < rank; ++i) {
      if (order[i] < 0 || order[i] >= rank) return {{}, "its order names an axis there is not"};
      seen |= 1u << order[i];
    }
    if (seen != (1u << rank) - 1) return {{}, "its order names an axis twice"};
    Inferred r;
    r.out.rank = rank;
    loops = {};
    for (int i = 0; i < rank; ++i) {
      r.out.d[i] = x[0][order[i]];
      loops.add(r.out[i], {step_along(x[0], order[i])});
    }
    return r;
  }
  template <class N>
  constexpr Memory memory() const {
    return {};
  }
  static constexpr void fields(auto& op, auto visit) {
    visit("order", op.order), visit("loops", op.loops);
  }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const Transpose& op, const Data<N>&,
                                         const Io<Transpose, N>& io) {
    copy(op.loops, io.in[0].base, io.out.base);
  }
};

/// Element i along each axis of the output is element begin + i * step of the input.
struct Slice {
  static constexpr const char* name = "Slice";
  static constexpr int max_inputs = 1;
  static constexpr bool same_scale = true;
  template <class N>
  using Data = Moved<N>;

  int begin[6]{}, step[6]{1, 1, 1, 1, 1, 1};
  Shape out{};
  int first = 0;  ///< the element of the input that is the output's first
  Loops<1> loops{};

  constexpr int64_t macs() const { return 0; }
  constexpr Inferred infer(const Shape* x, int) {
    const Shape& s = x[0];
    if (out.rank != s.rank) return {{}, "it must keep the number of axes"};
    first = 0;
    loops = {};
    for (int i = 0; i < s.rank; ++i) {
      const int64_t last = begin[i] + (int64_t{out[i]} - 1) * step[i];
      if (out[i] < 1 || begin[i] < 0 || begin[i] >= s[i] || last < 0 || last >= s[i])
        return {{}, "it reaches beyond its input"};
      const int along = step_along(s, i);
      first += begin[i] * along;
      loops.add(out[i], {out[i] > 1 ? step[i] * along : 0});
    }
    return {out};
  }
  /// What goes forward reads each element before it could be written.
  template <class N>
  constexpr Memory memory() const {
    for (int i = 0; i < loops.depth; ++i)
      if (loops.step[0][i] < 1) return {};
    return {0, -first * int{sizeof(typename N::In)}};
  }
  static constexpr void fields(auto& op, auto visit) {
    visit("begin", op.begin), visit("step", op.step), visit("out", op.out);
    visit("first", op.first), visit("loops", op.loops);
  }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const Slice& op, const Data<N>&, const Io<Slice, N>& io) {
    copy(op.loops, io.in[0].base + op.first, io.out.base);
  }
};

/// Element i along an axis of the output is element index[i] of the input.
struct Gather {
  static constexpr const char* name = "Gather";
  static constexpr int max_inputs = 1;
  static constexpr bool same_scale = true;

  template <class N>
  struct Data {
    using Numbers = N;
    const int32_t* index = nullptr;

    static constexpr void fields(auto& d, auto visit) { visit("index", d.index); }
  };

  int axis = 0;
  Shape indices{};  ///< their values are the node's weights; these axes replace the one
  int outer = 1, size = 1, inner = 1;  ///< elements before, along and behind the axis

  constexpr int64_t macs() const { return 0; }
  constexpr int constants() const { return indices.size(); }
  constexpr Inferred infer(const Shape* x, int) {
    const Shape& s = x[0];
    if (axis < 0) axis += s.rank;
    if (axis < 0 || axis >= s.rank) return {{}, "its axis is not one of the input's"};
    if (s.rank - 1 + indices.rank > 6) return {{}, "its output would have more than six axes"};
    Inferred r;
    const auto add = [&](int n) { r.out.d[r.out.rank++] = n; };
    for (int i = 0; i < axis; ++i) add(s[i]);
    for (int i = 0; i < indices.rank; ++i) add(indices[i]);
    for (int i = axis + 1; i < s.rank; ++i) add(s[i]);
    size = s[axis], inner = step_along(s, axis), outer = s.size() / max(size * inner, 1);
    return r;
  }
  template <class N>
  constexpr Memory memory() const {
    return {};
  }
  static constexpr void fields(auto& op, auto visit) {
    visit("axis", op.axis), visit("indices", op.indices), visit("outer", op.outer);
    visit("size", op.size), visit("inner", op.inner);
  }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const Gather& op, const Data<N>& d,
                                         const Io<Gather, N>& io) {
    const typename N::In* in = io.in[0].base;
    typename N::Out* out = io.out.base;
    const int n = op.constants();
    for (int y = 0; y < op.outer; ++y, in += op.size * op.inner)
      for (int i = 0; i < n; ++i, out += op.inner)
        __builtin_memcpy(out, in + d.index[i] * op.inner,
                         static_cast<size_t>(op.inner) * sizeof *out);
  }
};

}  // namespace nnom
