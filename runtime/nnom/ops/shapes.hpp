/// \file
/// The ops that only move values: Pad, Reshape, Transpose.
#pragma once

#include "nnom/numbers.hpp"
#include "nnom/window.hpp"

namespace nnom {

/// Adds a border of zeros around a picture.
struct Pad {
  static constexpr const char* name = "Pad";
  static constexpr int max_inputs = 1;
  static constexpr bool same_scale = true;
  template <class N>
  using Data = Moved<N>;

  Image in{}, out{};
  Border pad{};

  constexpr int64_t macs() const { return 0; }
  constexpr Inferred infer(const Shape* x, int) {
    if (x[0].rank < 2 || x[0].rank > 3)
      return {{}, "its input must have 2 or 3 axes (height, width, channels) besides the batch"};
    in = image(x[0]);
    out = {in.h + pad.top + pad.bottom, in.w + pad.left + pad.right, in.c};
    return picture(out, x[0].rank);
  }
  template <class N>
  constexpr Memory memory() const {
    return {};
  }
  static constexpr void fields(auto& op, auto visit) {
    visit("in", op.in), visit("out", op.out), visit("pad", op.pad);
  }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const Pad& op, const Data<N>& d, const Io<Pad, N>& io) {
    for (int y = io.y0; y < io.y1; ++y) {
      typename N::Out* out = io.out.row(y);
      const int iy = y - op.pad.top, left = op.pad.left * op.in.c, middle = op.in.row();
      for (int i = 0; i < op.out.row(); ++i) out[i] = d.in_zero;
      if (iy >= 0 && iy < op.in.h)
        __builtin_memcpy(out + left, io.in[0].row(iy), static_cast<size_t>(middle) * sizeof *out);
    }
  }
};

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

/// Axis i of the output is axis order[i] of the input.
struct Transpose {
  static constexpr const char* name = "Transpose";
  static constexpr int max_inputs = 1;
  static constexpr bool same_scale = true;
  template <class N>
  using Data = Moved<N>;

  int order[6]{0, 1, 2, 3, 4, 5};
  Shape out{};
  int step[6]{};  ///< elements of input from one to the next along each axis of the output

  constexpr int64_t macs() const { return 0; }
  constexpr Inferred infer(const Shape* x, int) {
    const int rank = x[0].rank;
    unsigned seen = 0;
    for (int i = 0; i < rank; ++i) {
      if (order[i] < 0 || order[i] >= rank) return {{}, "its order names an axis there is not"};
      seen |= 1u << order[i];
    }
    if (seen != (1u << rank) - 1) return {{}, "its order names an axis twice"};
    out.rank = rank;
    for (int i = 0; i < rank; ++i) {
      out.d[i] = x[0][order[i]];
      step[i] = 1;
      for (int k = order[i] + 1; k < rank; ++k) step[i] *= x[0][k];
    }
    return {out};
  }
  template <class N>
  constexpr Memory memory() const {
    return {};
  }
  static constexpr void fields(auto& op, auto visit) {
    visit("order", op.order), visit("out", op.out), visit("step", op.step);
  }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const Transpose& op, const Data<N>&,
                                         const Io<Transpose, N>& io) {
    int at[6]{};
    const int n = op.out.size(), rank = op.out.rank;
    const typename N::In* in = io.in[0].base;
    for (int i = 0; i < n; ++i) {
      io.out.base[i] = *in;
      for (int k = rank - 1; k >= 0; --k) {
        in += op.step[k];
        if (++at[k] < op.out[k]) break;
        in -= op.step[k] * op.out[k];
        at[k] = 0;
      }
    }
  }
};

}  // namespace nnom
