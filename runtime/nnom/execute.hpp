/// \file
/// Runs one layer: what the generated code, the layer API and the host's simulator all call.
#pragma once

#include "nnom/ops.hpp"

namespace nnom {

/// Rows of an op's output that can be asked for; an op that knows none is one row.
template <class Op>
constexpr int rows_of(const Op& op) {
  if constexpr (requires { op.out.h; })
    return op.out.h;
  else if constexpr (requires { op.row; })
    return op.rows;
  else
    return 1;
}

/// Elements from one row of an op's input, or output, to the next.
template <class Op>
constexpr int in_pitch(const Op& op) {
  if constexpr (requires { op.in.row(); })
    return op.in.row();
  else if constexpr (requires { op.row; })
    return op.row;
  else
    return 0;
}
template <class Op>
constexpr int out_pitch(const Op& op) {
  if constexpr (requires { op.out.row(); })
    return op.out.row();
  else if constexpr (requires { op.length[0]; }) {
    int sum = 0;
    for (const int n : op.length) sum += n;
    return sum;
  } else
    return in_pitch(op);
}

/// The tensors of a layer, in `arena`.
template <class N, class Op>
[[gnu::always_inline]] inline Io<Op, N> io_of(const Op& op, const Buffers<Op>& b,
                                              unsigned char* arena) {
  Io<Op, N> io;
  for (int i = 0; i < Op::max_inputs; ++i)
    io.in[i] = {reinterpret_cast<const typename N::In*>(arena + b.in[i].offset), b.in[i].pitch};
  unsigned char* out = arena + b.out.offset;
  // GCC 12 drops stores of a loop over elements of two sizes if it sees that both are in one arena.
  if constexpr (sizeof(typename N::Out) != sizeof(typename N::In)) asm("" : "+r"(out));
  io.out = {reinterpret_cast<typename N::Out*>(out), b.out.pitch};
  io.scratch = arena + b.scratch;
  if constexpr (keeps_state<Op>) io.state = arena + b.state;
  io.y0 = 0;
  io.y1 = rows_of(op);
  return io;
}

/// Runs a layer with code that all layers of its kind share: small.
template <class T, class Op, class Data>
[[gnu::noinline]] void run_layer(const Op& op, const Data& data, const Buffers<Op>& buffers,
                                 unsigned char* arena) {
  using N = typename Data::Numbers;
  Op::template run<T, N>(op, data, io_of<N>(op, buffers, arena));
}

/// Brings a layer's state to what it is before the first run.
template <class Op, class Data>
void reset_layer(const Op& op, const Data& data, const Buffers<Op>& buffers, unsigned char* arena) {
  if constexpr (keeps_state<Op>)
    Op::template reset<typename Data::Numbers>(op, data, arena + buffers.state);
}

/// An op known at compile time.
template <const auto& op>
struct FixedOp {
  static constexpr void fixed() {}
};
template <const auto& op>
inline constexpr FixedOp<op> fixed;

/// Runs a layer with every bound a constant: code of its own, fast.
template <class T, const auto& op, class Data, class Buffers>
[[gnu::noinline]] void run_layer(FixedOp<op>, const Data& data, const Buffers& buffers,
                                 unsigned char* arena) {
  using N = typename Data::Numbers;
  op.template run<target::Fixed<T>, N>(op, data, io_of<N>(op, buffers, arena));
}

template <class Op>
constexpr const Op& value(const Op& op) {
  return op;
}
template <const auto& op>
constexpr const auto& value(FixedOp<op>) {
  return op;
}

}  // namespace nnom
