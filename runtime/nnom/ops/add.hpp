/// \file
/// Add: the sum of two tensors of one shape.
#pragma once

#include "nnom/numbers.hpp"

namespace nnom {

/// out[i] = a[i] + b[i]; each input has a scale and zero point of its own.
struct Add {
  static constexpr const char* name = "Add";
  static constexpr int max_inputs = 2;

  template <class N>
  struct Data {
    using Numbers = N;
    typename N::Rescale::Sum sum{};
    Clamp<N> clamp{};

    static constexpr void fields(auto& d, auto visit) {
      if constexpr (N::quantised) visit("sum", d.sum);
      visit("clamp", d.clamp);
    }
  };

  int rows = 1, row = 0;  ///< elements of a row

  constexpr int64_t macs() const { return int64_t{rows} * row; }
  constexpr Inferred infer(const Shape* x, int) {
    if (!(x[0] == x[1])) return {{}, "its inputs differ in shape; broadcasting is not supported"};
    rows = x[0].rank > 1 ? x[0][0] : 1;
    row = x[0].size() / max(rows, 1);
    return {x[0]};
  }
  template <class N>
  constexpr Memory memory() const {
    return {0, 0};
  }
  static constexpr void fields(auto& op, auto visit) {
    visit("rows", op.rows), visit("row", op.row);
  }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const Add& op, const Data<N>& data, const Io<Add, N>& io) {
    using A = typename N::Acc;
    const Data<N> d = data;
    for (int y = io.y0; y < io.y1; ++y) {
      const typename N::In *a = io.in[0].row(y), *b = io.in[1].row(y);
      typename N::Out* out = io.out.row(y);
      for (int i = 0; i < op.row; ++i) out[i] = d.clamp(d.sum(A{a[i]}, A{b[i]}));
    }
  }
};

}  // namespace nnom
