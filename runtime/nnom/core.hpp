/// \file
/// The few types every part of the library shares.
#pragma once

#if __cplusplus < 202002L
#error \
    "NNoM's runtime needs C++20: compile this file with -std=c++20 (the generated .hpp itself is fine with C++11)."
#endif

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

/// Behind a lambda's parameters: always inlined, so that what is constant outside is so inside.
#define NNOM_INLINE __attribute__((always_inline))

namespace nnom {

/// Sizes of a tensor without its batch axis, outermost first, channels last; at most six.
struct Shape {
  int rank = 0;
  int d[6]{};

  constexpr int operator[](int i) const { return d[i]; }
  constexpr int back() const { return rank ? d[rank - 1] : 1; }
  constexpr int size() const {
    int n = 1;
    for (int i = 0; i < rank; ++i) n *= d[i];
    return n;
  }
  constexpr bool operator==(const Shape&) const = default;
};

/// A picture: height, width and channels, in that order in memory.
struct Image {
  int h = 1, w = 1, c = 1;

  constexpr int row() const { return w * c; }
  constexpr int size() const { return h * w * c; }
  constexpr bool operator==(const Image&) const = default;
};

struct Size {
  int h = 1, w = 1;

  constexpr int size() const { return h * w; }
  constexpr bool operator==(const Size&) const = default;
};

/// Rows and columns added around a picture.
struct Border {
  int top = 0, left = 0, bottom = 0, right = 0;

  constexpr bool any() const { return top || left || bottom || right; }
  constexpr bool operator==(const Border&) const = default;
};

/// Reads a shape as a picture: {c}, {w, c} or {h, w, c}.
constexpr Image image(const Shape& s) {
  return {s.rank > 2 ? s[s.rank - 3] : 1, s.rank > 1 ? s[s.rank - 2] : 1, s.back()};
}

/// The shape of a picture that came from one of rank `rank`.
constexpr Shape shape(const Image& i, int rank) {
  return rank == 1 ? Shape{1, {i.c}} : rank == 2 ? Shape{2, {i.w, i.c}} : Shape{3, {i.h, i.w, i.c}};
}

/// What an op's shape rule gives: the shape of its output, or why there is none.
struct Inferred {
  Shape out{};
  const char* error = nullptr;
};

/// For each input of an op, how many bytes the output must begin before it to lie over it (0: in
/// place; negative: it may even begin after it; `never`: they must not overlap).
struct Leads {
  static constexpr int most = 8, never = INT_MAX;

  int of[most];

  /// That of the first input; the output must not lie over the others.
  constexpr Leads(int first = never) : of{first, never, never, never, never, never, never, never} {}
  constexpr int& operator[](int input) { return of[input]; }
  constexpr int operator[](int input) const { return of[input]; }
};

/// What an op says about its memory, for the planner.
struct Memory {
  static constexpr int never = Leads::never;

  /// Bytes needed only while the op runs.
  int scratch = 0;
  /// Where the output may lie over inputs: over one, or over several at once.
  Leads lead{};
  /// Exactly so many bytes before them, or apart from them.
  bool exact = false;
  /// Bytes that keep what they hold from one run to the next.
  int state = 0;
};

/// An op whose layers may have state. It has, for Memory::state bytes at `state`,
///
///     template <class N>
///     static void reset(const Op& op, const Data<N>& data, unsigned char* state);
///
/// which writes what they hold before the first run.
template <class Op>
inline constexpr bool keeps_state = requires {
  requires Op::keeps_state;
};

/// Where a tensor lies: bytes from the start of the arena, elements from one row to the next. With
/// a ring there is room for so many rows only: row y has the place of row y - ring.
struct Place {
  int offset = 0, pitch = 0, ring = 0;
};

/// What the planner decided for one layer.
template <class Op, bool = keeps_state<Op>>
struct Buffers {
  Place in[Op::max_inputs]{};
  Place out{};
  int scratch = 0;
};
template <class Op>
struct Buffers<Op, true> {
  Place in[Op::max_inputs]{};
  Place out{};
  int scratch = 0;
  int state = 0;
};

/// The rows of a tensor. Rows from `wrap` on lie `ring` rows earlier: a window on a longer tensor.
template <class E>
struct View {
  E* base = nullptr;
  int pitch = 0;
  int wrap = INT_MAX, ring = 0;

  constexpr E* row(int y) const { return base + (y < wrap ? y : y - ring) * pitch; }
};

/// What a kernel works on: rows [y0, y1) of the output are wanted.
template <class Op, class Numbers>
struct Io {
  View<const typename Numbers::In> in[Op::max_inputs];
  View<typename Numbers::Out> out;
  unsigned char* scratch;
  unsigned char* state;  ///< of an op that keeps_state
  int y0, y1;
};

constexpr int round_up(int n, int multiple) { return (n + multiple - 1) / multiple * multiple; }
constexpr int max(int a, int b) { return a > b ? a : b; }
constexpr int min(int a, int b) { return a < b ? a : b; }

/// A if `condition`, else B.
template <bool condition, class A, class B>
struct Either {
  using type = A;
};
template <class A, class B>
struct Either<false, A, B> {
  using type = B;
};
template <bool condition, class A, class B>
using either = typename Either<condition, A, B>::type;

/// A list of types.
template <class... T>
struct TypeList {
  static constexpr int size = sizeof...(T);
};

/// The lead (see Memory) of an op that has read `read(y)` rows of its input when it writes row y
/// of its output; a row is `in_row` and `out_row` bytes.
constexpr int lead_of(int out_rows, int out_row, int in_rows, int in_row, auto read) {
  int lead = -in_rows * in_row;
  for (int y = 0; y < out_rows && read(y) < in_rows; ++y)
    lead = max(lead, (y + 1) * out_row - read(y) * in_row);
  return lead;
}

}  // namespace nnom
