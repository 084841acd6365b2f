/// \file
/// Dense: a fully connected layer. (Over several rows it is a 1x1 Conv2D.)
#pragma once

#include "nnom/convolution.hpp"
#include "nnom/patches.hpp"

namespace nnom {

/// out[o] = bias[o] + sum over i of in[i] * weights[o][i].
struct Dense {
  static constexpr const char* name = "Dense";
  static constexpr int max_inputs = 1;
  template <class N>
  using Data = Linear<N>;

  int in = 0, out = 0;

  constexpr Matrix matrix() const { return {out, 1, in}; }
  constexpr int64_t macs() const { return int64_t{in} * out; }
  constexpr Inferred infer(const Shape* x, int) {
    if (x[0].rank < 1 || x[0].size() != x[0].back())
      return {{}, "its input must have one axis besides the batch"};
    in = x[0].back();
    Shape s = x[0];
    s.d[s.rank - 1] = out;
    return {s};
  }
  template <class N>
  constexpr Memory memory() const {
    if (!widened<N>) return {};
    return {round_up((in + N::Layout::depth - 1) * int{sizeof(LineOf<N>)}, 4),
            -in * int{sizeof(typename N::In)}};
  }
  static constexpr void fields(auto& op, auto visit) { visit("in", op.in), visit("out", op.out); }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const Dense& op, const Linear<N>& d,
                                         const Io<Dense, N>& io) {
    Window<LineOf<N>> w;
    w.length = op.in;
    if constexpr (widened<N>) {
      auto* const line = reinterpret_cast<LineOf<N>*>(io.scratch);
      T::widen(line, io.in[0].row(0), op.in);
      w.first = line;
    } else {
      w.first = io.in[0].row(0);
    }
    multiply<T, N>({w, 0, 1, io.out.row(0), 0}, op.matrix(), d, d.weights, 0);
  }
};

}  // namespace nnom
