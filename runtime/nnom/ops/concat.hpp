/// \file
/// Concat: tensors side by side along one axis.
#pragma once

#include "nnom/numbers.hpp"

namespace nnom {

/// Input i gives `length[i]` elements of every one of `rows` rows of the output.
struct Concat {
  static constexpr const char* name = "Concat";
  static constexpr int max_inputs = 8;

  template <class N>
  struct Data {
    using Numbers = N;
    /// From the bits of each input to those of the output, index stored + 128; null: the same, as
    /// always in int16.
    const typename N::Out* table[max_inputs]{};

    static constexpr void fields(auto& d, auto visit) { visit("table", d.table); }
  };

  int axis = -1;
  int count = 0, rows = 0, length[max_inputs]{};

  constexpr int64_t macs() const { return 0; }
  constexpr Inferred infer(const Shape* x, int n) {
    if (n < 1 || n > max_inputs) return {{}, "it joins 1 to 8 inputs"};
    Shape s = x[0];
    if (axis < 0) axis += s.rank;
    if (axis < 0 || axis >= s.rank) return {{}, "its axis is not one of the input's"};
    count = n;
    s.d[axis] = 0;
    for (int i = 0; i < n; ++i) {
      for (int k = 0; k < max(s.rank, x[i].rank); ++k)
        if (x[i].rank != s.rank || (k != axis && x[i][k] != x[0][k]))
          return {{}, "its inputs differ in an axis other than the one they are joined along"};
      s.d[axis] += x[i][axis];
    }
    rows = 1;
    int inner = 1;
    for (int k = 0; k < axis; ++k) rows *= s[k];
    for (int k = axis + 1; k < s.rank; ++k) inner *= s[k];
    for (int i = 0; i < n; ++i) length[i] = x[i][axis] * inner;
    return {s};
  }
  /// Row y of an input is read when the rows before it, and the inputs before it, are written.
  template <class N>
  constexpr Memory memory() const {
    Memory m;
    int before = 0, row = 0;
    for (const int n : length) row += n;
    for (int i = 0; i < count; before += length[i++])
      m.lead[i] = ((rows - 1) * (row - length[i]) + before) * int{sizeof(typename N::Out)};
    return m;
  }
  static constexpr void fields(auto& op, auto visit) {
    visit("axis", op.axis), visit("count", op.count), visit("rows", op.rows);
    visit("length", op.length);
  }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const Concat& op, const Data<N>& d,
                                         const Io<Concat, N>& io) {
    for (int y = 0; y < op.rows; ++y) {
      typename N::Out* out = io.out.base + y * io.out.pitch;
      for (int i = 0; i < op.count; ++i) {
        const typename N::In* in = io.in[i].base + y * op.length[i];
        if constexpr (sizeof *in == 1) {
          if (const typename N::Out* table = d.table[i]) {
            for (int k = 0; k < op.length[i]; ++k) out[k] = table[in[k] + 128];
            out += op.length[i];
            continue;
          }
        }
        if (static_cast<const void*>(out) != in)  // an input may have been made where it belongs
          __builtin_memmove(out, in, static_cast<size_t>(op.length[i]) * sizeof *in);
        out += op.length[i];
      }
    }
  }
};

}  // namespace nnom
