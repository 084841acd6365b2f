/// \file
/// Embedding: rows of a table, by their numbers.
#pragma once

#include "nnom/numbers.hpp"

namespace nnom {

/// out[i] = row in[i] of a table, the node's weights; beyond its ends, the row at that end.
/// Quantised, the input holds the numbers themselves: its scale is 1, its zero point -128, or 0 if
/// that is enough for all rows.
struct Embedding {
  static constexpr const char* name = "Embedding";
  static constexpr int max_inputs = 1;
  static constexpr bool int8_only = true;

  template <class N>
  struct Data {
    using Numbers = N;
    const typename N::Out* table = nullptr;
    typename N::In zero = 0;

    static constexpr void fields(auto& d, auto visit) {
      visit("table", d.table), visit("zero", d.zero);
    }
  };

  int rows = 1, width = 1;  ///< of the table
  int size = 0;             ///< of the input

  constexpr int64_t macs() const { return 0; }
  constexpr int constants() const { return rows * width; }
  constexpr Inferred infer(const Shape* x, int) {
    if (x[0].rank > 5) return {{}, "its output would have more than six axes"};
    if (rows < 1 || width < 1 || rows > INT_MAX / width)
      return {{}, "its table is empty or too large"};
    if (x[0].size() > INT_MAX / width) return {{}, "its output is too large"};
    size = x[0].size();
    Inferred r{x[0]};
    r.out.d[r.out.rank++] = width;
    return r;
  }
  template <class N>
  constexpr Memory memory() const {
    return {};
  }
  static constexpr void fields(auto& op, auto visit) {
    visit("rows", op.rows), visit("width", op.width), visit("size", op.size);
  }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const Embedding& op, const Data<N>& d,
                                         const Io<Embedding, N>& io) {
    typename N::Out* out = io.out.base;
    for (int i = 0; i < op.size; ++i, out += op.width) {
      const typename N::Acc number = typename N::Acc(io.in[0].base[i]) - typename N::Acc(d.zero);
      const typename N::Acc last = typename N::Acc(op.rows - 1);
      const int row = static_cast<int>(number > 0 ? (number < last ? number : last) : 0);
      __builtin_memcpy(out, d.table + row * op.width, static_cast<size_t>(op.width) * sizeof *out);
    }
  }
};

}  // namespace nnom
