/// \file
/// MatMul: products of two tensors' matrices.
#pragma once

#include "nnom/loops.hpp"
#include "nnom/numbers.hpp"

namespace nnom {

/// out[..][i][j] = sum over k of a[..][i][k] * b[..][k][j]; the axes before are broadcast. Of a
/// transposed operand the last two axes change places.
struct MatMul {
  static constexpr const char* name = "MatMul";
  static constexpr int max_inputs = 2;
  static constexpr bool long_sums = true;

  template <class N>
  struct Data {
    using Numbers = N;
    typename N::In zero[2]{};
    typename N::Rescale rescale{};
    Double twice{};  ///< int8 where b's zero point is not 0: in both of TFLite's dialects
    Clamp<N> clamp{};

    static constexpr void fields(auto& d, auto visit) {
      if constexpr (N::quantised)
        visit("zero", d.zero), visit("rescale", d.rescale), visit("twice", d.twice);
      visit("clamp", d.clamp);
    }
  };

  bool transposed[2]{};
  int rows = 0, columns = 0, depth = 0;  ///< of a matrix of the output; products to sum
  Loops<2> matrices{};

  constexpr int64_t macs() const {
    int64_t n = int64_t{rows} * columns * depth;
    for (int i = 0; i < matrices.depth; ++i) n *= matrices.count[i];
    return n;
  }
  constexpr Inferred infer(const Shape* x, int n) {
    if (n != 2 || min(x[0].rank, x[1].rank) < 2)
      return {{}, "it takes two inputs of at least two axes besides the batch"};
    Shape s[2] = {x[0], x[1]};
    int size[2][2];  // of each input's matrices
    for (int k = 0; k < 2; ++k) {
      const int rank = s[k].rank;
      for (int i = 0; i < 2; ++i) {
        size[k][i] = x[k][rank - 2 + (i ^ int{transposed[k]})];
        s[k].d[rank - 2 + i] = 1;
      }
    }
    if (size[0][1] != size[1][0]) return {{}, "the sizes of its matrices do not fit"};
    rows = size[0][0], depth = size[0][1], columns = size[1][1];
    Inferred r = broadcast(s, 2);
    if (r.error) return r;
    const int rank = r.out.rank;
    matrices = {};
    for (int i = 0; i < rank - 2; ++i)
      matrices.add(r.out[i], {broadcast_step(s[0], i, rank) * rows * depth,
                              broadcast_step(s[1], i, rank) * depth * columns});
    r.out.d[rank - 2] = rows, r.out.d[rank - 1] = columns;
    return r;
  }
  template <class N>
  constexpr Memory memory() const {
    return {};
  }
  static constexpr void fields(auto& op, auto visit) {
    visit("transposed", op.transposed), visit("rows", op.rows), visit("columns", op.columns);
    visit("depth", op.depth), visit("matrices", op.matrices);
  }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const MatMul& op, const Data<N>& data,
                                         const Io<MatMul, N>& io) {
    const Data<N> d = data;
    typename N::Out* out = io.out.base;
    const int a_row = op.transposed[0] ? 1 : op.depth, a_step = op.transposed[0] ? op.rows : 1;
    const int b_column = op.transposed[1] ? op.depth : 1,
              b_step = op.transposed[1] ? 1 : op.columns;
    const int n = op.matrices.run();
    op.matrices.runs([&](const int(&offset)[2]) NNOM_INLINE {
      const typename N::In *a = io.in[0].base + offset[0], *b = io.in[1].base + offset[1];
      for (int m = 0; m < n; ++m) {
        for (int i = 0; i < op.rows; ++i)
          for (int j = 0; j < op.columns; ++j) {
            const typename N::In *p = a + i * a_row, *q = b + j * b_column;
            typename N::Acc sum = 0;
            for (int k = 0; k < op.depth; ++k, p += a_step, q += b_step)
              sum += (typename N::Factor{*p} - d.zero[0]) * (typename N::Factor{*q} - d.zero[1]);
            if constexpr (sizeof *out == 1)
              *out++ = d.clamp(d.zero[1] ? d.twice(sum) : d.rescale(sum));
            else if constexpr (N::quantised)
              *out++ = d.clamp(d.rescale(sum));
            else
              *out++ = d.clamp(sum);
          }
        a += op.matrices.run_step(0), b += op.matrices.run_step(1);
      }
    });
  }
};

}  // namespace nnom
