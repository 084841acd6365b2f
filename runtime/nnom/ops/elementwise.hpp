/// \file
/// Ops that make one value from one of each operand.
#pragma once

#include "nnom/loops.hpp"
#include "nnom/numbers.hpp"

namespace nnom {

/// out[i] = Rule::value(a[i], b[i], ...), operands broadcast as numpy does. One of them may be a
/// constant of the layer's own; its inputs are then the others. A Rule has the number of
/// `operands`, Data<N>, and value<N>(rule, data, x): the rescaled output without its zero point.
/// It may have row<T>(rule, data, clamp, x, out, n) too, for n values of each operand side by side.
template <class Rule>
struct Elementwise {
  static constexpr const char* name = Rule::name;
  static constexpr int max_inputs = Rule::operands;
  static constexpr bool real_only = requires { Rule::real_only; };
  static constexpr bool int8_only = requires { Rule::int8_only; };

  template <class N>
  struct Data {
    using Numbers = N;
    const typename N::In* constant = nullptr;
    typename Rule::template Data<N> rule{};
    Clamp<N> clamp{};

    static constexpr void fields(auto& d, auto visit) {
      visit("constant", d.constant), visit("rule", d.rule), visit("clamp", d.clamp);
    }
  };

  Rule rule{};
  int constant = -1;              ///< the operand that is one; -1: none
  Shape constant_shape{};         ///< its values are the node's weights
  int rows = 1, row = 0;          ///< rows of output, elements of one
  int constant_row = 0;           ///< elements of the constant from one row to the next
  Loops<Rule::operands> loops{};  ///< over one row
  int same = 1;                   ///< inputs, a bit each, that have the output's shape

  constexpr int64_t macs() const { return int64_t{rows} * row; }
  constexpr int constants() const { return constant < 0 ? 0 : constant_shape.size(); }
  constexpr Inferred infer(const Shape* x, int n) {
    constexpr int K = Rule::operands;
    if (constant >= K || n != K - (constant >= 0))
      return {{}, "it takes an input for each operand that is not a constant"};
    Shape s[K];
    for (int k = 0; k < K; ++k) s[k] = k == constant ? constant_shape : *x++;
    const Inferred r = broadcast(s, K);
    if (r.error) return r;
    const Shape& out = r.out;
    // By rows where every input has them all; else as a whole.
    bool by_rows = out.rank > 1;
    for (int k = 0; k < K; ++k) by_rows &= k == constant || s[k] == out;
    rows = by_rows ? out[0] : 1;
    row = out.size() / max(rows, 1);
    loops = {};
    for (int i = by_rows; i < out.rank; ++i) {
      int steps[K];
      for (int k = 0; k < K; ++k) steps[k] = broadcast_step(s[k], i, out.rank);
      loops.add(out[i], steps);
    }
    constant_row = by_rows && constant >= 0 ? broadcast_step(constant_shape, 0, out.rank) : 0;
    same = 0;
    for (int k = 0, input = 0; k < K; ++k)
      if (k != constant) same |= int{s[k] == out} << input++;
    return r;
  }
  template <class N>
  constexpr Memory memory() const {
    Memory m;
    for (int i = 0; i < max_inputs; ++i)
      if (same >> i & 1) m.lead[i] = 0;
    return m;
  }
  static constexpr void fields(auto& op, auto visit) {
    visit("rule", op.rule), visit("constant", op.constant);
    visit("constant_shape", op.constant_shape), visit("rows", op.rows), visit("row", op.row);
    visit("constant_row", op.constant_row), visit("loops", op.loops);
    visit("same", op.same);
  }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const Elementwise& op, const Data<N>& data,
                                         const Io<Elementwise, N>& io) {
    constexpr int K = Rule::operands;
    const Data<N> d = data;  // int8 stores alias everything: keep the fields in registers
    const int n = op.loops.run();
    int step[K];
    bool even = true;  // no operand is broadcast in the innermost loop
    for (int k = 0; k < K; ++k) even &= (step[k] = op.loops.run_step(k)) == 1;
    for (int y = io.y0; y < io.y1; ++y) {
      const typename N::In* in[K];
#pragma GCC unroll 4
      for (int k = 0; k < K; ++k) {  // those behind a constant have one input less before them
        in[k] = io.in[k].row(y);
        if (k > 0 && op.constant >= 0 && op.constant < k) in[k] = io.in[k - 1].row(y);
        if (k == op.constant) in[k] = d.constant + y * op.constant_row;
      }
      typename N::Out* out = io.out.row(y);
      op.loops.runs([&](const int(&offset)[K]) NNOM_INLINE {
        const typename N::In* x[K];
        for (int k = 0; k < K; ++k) x[k] = in[k] + offset[k];
        if constexpr (requires { T::template sums<N>(d, x, n, out); })
          if (even) {
            T::template sums<N>(d, x, n, out);
            out += n;
            return;
          }
        if (!even)
          line<N>(op, d, x, n, out, [&](int k) { return step[k]; });
        else if constexpr (requires {
                             Rule::template row<T, N>(op.rule, d.rule, d.clamp, x, out, n);
                           })
          Rule::template row<T, N>(op.rule, d.rule, d.clamp, x, out, n);
        else
          line<N>(op, d, x, n, out, [](int) { return 1; });
        out += n;
      });
    }
  }

 private:
  template <class N, class Step>
  [[gnu::always_inline]] static void line(const Elementwise& op, const Data<N>& d,
                                          const typename N::In* (&x)[Rule::operands], int n,
                                          typename N::Out* out, Step step) {
    for (int i = 0; i < n; ++i) {
      typename N::Acc value[Rule::operands];
#pragma GCC unroll 4
      for (int k = 0; k < Rule::operands; ++k) value[k] = x[k][i * step(k)];
      out[i] = d.clamp(Rule::template value<N>(op.rule, d.rule, value));
    }
  }
};

}  // namespace nnom
