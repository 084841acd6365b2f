/// \file
/// How weights lie in memory, for each instruction set. Compiles everywhere: the compiler packs by
/// it, and any target can read any packing through index().
///
/// A layout says
///   rows       output channels that one tile computes and that are packed together
///   pixels     output pixels that one tile computes
///   depth      products per step of the inner loop: a row of weights is padded to a multiple of it
///   Line<E>    the element that activations of type E are widened to before the inner loop
///   index()    where weight k of tap t of a row lies; weight() reads one that has more to it
///   stacks     whether convolutions read the window of a pixel as one run (stack.hpp)
///   slice      channels that depthwise convolutions take at a time (slices.hpp); 0: all
///   depthwise()  where channel c of a depthwise tap lies, if taps do not follow each other
#pragma once

#include "nnom/core.hpp"

namespace nnom {

/// Weights of one convolution group: `rows` output channels, each of `taps` runs of `length`.
struct Matrix {
  int rows = 0, taps = 1, length = 0;
  bool joined = false;  ///< see Linear::joined
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
  static constexpr int rows = 2, pixels = 2, depth = 1, slice = 0;
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
};

/// The same order, for little code and memory: convolutions look at one window at a time
/// (windows.hpp).
struct Compact : Plain {
  static constexpr const char* name = "Compact";
  static constexpr int slice = 8;
  static constexpr bool compact = true;
};

template <class E>
struct Widened {
  using type = E;
};
template <>
struct Widened<int8_t> {
  using type = int16_t;
};

/// Armv7E-M and Armv8-M with the DSP extension: two int16 products an instruction. Rows are packed
/// four together, as two pairs: two weights of each row of a pair are a word, so that those of one
/// row, the second, are every other byte, as SXTB16 takes them. Where rows a and b of a pair are
/// joined (Linear::joined) two such weights are one number of 16 bits, 256 * a + b: products with
/// it add up 256 * A + B, and A is known when B is. What lacks of a pair or of four rows is 0.
struct Dsp {
  static constexpr const char* name = "Dsp";
  static constexpr int rows = 4, pixels = 2, depth = 2, slice = 8;
  static constexpr bool stacks = false;
  template <class E>
  using Line = typename Widened<E>::type;

  static constexpr int padded(int length) { return round_up(length, depth); }
  static constexpr int row_size(const Matrix& m) { return m.taps * padded(m.length); }
  static constexpr int size(const Matrix& m) { return round_up(m.rows, rows) * row_size(m); }
  static constexpr int group(const Matrix&, int) { return rows; }
  static constexpr int index(const Matrix& m, int row, int tap, int k) {
    const int in_row = tap * padded(m.length) + k, pair = row % 4 / 2, a = row % 2 == 0;
    return (row & ~3) * row_size(m) + 4 * (in_row & ~1) + 4 * pair + 2 * (k & 1) + a;
  }
  static constexpr auto weight(const auto* weights, const Matrix& m, int row, int tap, int k) {
    const auto* w = weights + index(m, row, tap, k);
    return *w + decltype(+*w)(m.joined && row % 2 == 0 && w[-1] < 0);
  }
  /// Joins packed weights in place, if all numbers fit 16 bits.
  static constexpr bool join(int8_t* weights, size_t size) {
    for (size_t i = 0; i < size; i += 2)
      if (weights[i] < 0 && weights[i + 1] == INT8_MIN) return false;
    for (size_t i = 0; i < size; i += 2)
      weights[i + 1] = static_cast<int8_t>(weights[i + 1] - (weights[i] < 0));
    return true;
  }
};

/// Processors with vectors: one weight of each of eight rows side by side.
struct Vector : Grouped<8, 1> {
  static constexpr const char* name = "Vector";
  static constexpr int pixels = 4, slice = 0;
  template <class E>
  using Line = E;

  static constexpr int index(const Matrix& m, int row, int tap, int k) {
    return Grouped::index(m, row, tap, k, [](int i) { return i; });
  }
};

/// PCs with VNNI: four weights of each of sixteen rows side by side. What lacks of a step or of
/// sixteen rows is 0.
struct Quads {
  static constexpr const char* name = "Quads";
  static constexpr int rows = 16, pixels = 8, depth = 4, slice = 0;
  static constexpr bool stacks = false;
  template <class E>
  using Line = E;

  static constexpr int padded(int length) { return round_up(length, depth); }
  static constexpr int row_size(const Matrix& m) { return m.taps * padded(m.length); }
  static constexpr int size(const Matrix& m) { return round_up(m.rows, rows) * row_size(m); }
  static constexpr int group(const Matrix&, int) { return rows; }
  static constexpr int index(const Matrix& m, int row, int tap, int k) {
    const int in_group = row % rows, step = (tap * padded(m.length) + k) / depth;
    return (row - in_group) * row_size(m) + (step * rows + in_group) * depth + k % depth;
  }
};

/// Helium: sixteen products of int8 an instruction, read where they lie. Sixteen weights of each of
/// four rows side by side.
struct Helium : Grouped<4, 16> {
  static constexpr const char* name = "Helium";
  static constexpr int pixels = 2, slice = 0;
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
using Layouts = TypeList<layout::Plain, layout::Dsp, layout::Vector, layout::Helium,
                         layout::Compact, layout::Quads>;

}  // namespace nnom
