/// \file
/// How weights lie in memory, for each instruction set. Compiles everywhere: the compiler packs by
/// it, and any target can read any packing through index().
///
/// A layout says
///   rows       output channels that one tile computes and that are packed together
///   pixels     output pixels that one tile computes
///   depth      products per step of the inner loop: a row of weights is padded to a multiple of it
///   Line<E>    the element that activations of type E are widened to before the inner loop
///   index()    where weight k of tap t of a row lies
///   stacks     whether convolutions read the window of a pixel as one run (stack.hpp)
///   channel()  where channel c of a depthwise tap lies, or
///   depthwise()  where it lies if taps do not follow each other
#pragma once

#include "nnom/core.hpp"

namespace nnom {

/// Weights of one convolution group: `rows` output channels, each of `taps` runs of `length`.
struct Matrix {
  int rows = 0, taps = 1, length = 0;
};

namespace layout {

/// What the layouts share: rows in groups of `Rows`, what is left over in groups of one.
template <int Rows, int Depth>
struct Grouped {
  static constexpr int rows = Rows, depth = Depth;
  static constexpr bool stacks = false;

  static constexpr int padded(int length) { return round_up(length, Depth); }
  /// Weights in one row, padding included.
  static constexpr int row_size(const Matrix& m) { return m.taps * padded(m.length); }
  static constexpr int size(const Matrix& m) { return m.rows * row_size(m); }
  /// Rows packed together in the group of `row`.
  static constexpr int group(const Matrix& m, int row) {
    return row < m.rows - m.rows % Rows ? Rows : 1;
  }
  /// Row major inside a group, in steps of Depth. `order` permutes a step.
  static constexpr int index(const Matrix& m, int row, int tap, int k, auto order) {
    const int g = group(m, row), in_group = g == 1 ? 0 : row % Rows;
    const int step = tap * padded(m.length) / Depth + k / Depth;
    return (row - in_group) * row_size(m) + (step * g + in_group) * Depth + order(k % Depth);
  }
};

/// Row after row, as they come: what every target reads.
struct Plain {
  static constexpr const char* name = "Plain";
  static constexpr int rows = 2, pixels = 2, depth = 1;
  static constexpr bool stacks = false;
  template <class E>
  using Line = E;

  static constexpr int padded(int length) { return length; }
  static constexpr int row_size(const Matrix& m) { return m.taps * m.length; }
  static constexpr int size(const Matrix& m) { return m.rows * row_size(m); }
  static constexpr int index(const Matrix& m, int row, int tap, int k) {
    return (row * m.taps + tap) * m.length + k;
  }
  static constexpr int group(const Matrix&, int) { return 1; }
  static constexpr int channel(int c, int) { return c; }
};

template <class E>
struct Widened {
  using type = E;
};
template <>
struct Widened<int8_t> {
  using type = int16_t;
};

/// Armv7E-M and Armv8-M with the DSP extension: two int16 products an instruction. Bytes 1 and 2
/// of a word change places, so that SXTB16 of the word and of its rotation give (w0, w1), (w2, w3).
struct Dsp : Grouped<2, 4> {
  static constexpr const char* name = "Dsp";
  static constexpr int pixels = 2;
  template <class E>
  using Line = typename Widened<E>::type;

  static constexpr int swap(int i) { return i == 1 ? 2 : i == 2 ? 1 : i; }
  static constexpr int index(const Matrix& m, int row, int tap, int k) {
    return Grouped::index(m, row, tap, k, swap);
  }
  static constexpr int channel(int c, int channels) {
    return c < channels - channels % 4 ? c / 4 * 4 + swap(c % 4) : c;
  }
};

/// Processors with vectors: one weight of each of eight rows side by side.
struct Vector : Grouped<8, 1> {
  static constexpr const char* name = "Vector";
  static constexpr int pixels = 4;
  template <class E>
  using Line = E;

  static constexpr int index(const Matrix& m, int row, int tap, int k) {
    return Grouped::index(m, row, tap, k, [](int i) { return i; });
  }
  static constexpr int channel(int c, int) { return c; }
};

/// Helium: sixteen products of int8 an instruction, read where they lie. Sixteen weights of each of
/// four rows side by side.
struct Helium : Grouped<4, 16> {
  static constexpr const char* name = "Helium";
  static constexpr int pixels = 2;
  static constexpr bool stacks = true;
  template <class E>
  using Line = E;

  static constexpr int index(const Matrix& m, int row, int tap, int k) {
    return Grouped::index(m, row, tap, k, [](int i) { return i; });
  }
  /// Depthwise: all taps of sixteen channels, then of the next.
  static constexpr int depthwise(int tap, int c, int taps, int channels) {
    const int lane = c % 16, block = c - lane;
    return block * taps + tap * min(16, channels - block) + lane;
  }
};

}  // namespace layout

/// The layouts, for the compiler; their order is that of its LayoutId.
using Layouts = TypeList<layout::Plain, layout::Dsp, layout::Vector, layout::Helium>;

}  // namespace nnom
