/// \file
/// Layers that run row by row, in turns: of what lies between them only the rows that are still
/// needed are in memory. Nothing is computed twice.
#pragma once

#include "nnom/execute.hpp"

namespace nnom {

/// Whether an op slides a window over its input (window.hpp).
template <class Op>
inline constexpr bool slides = requires(const Op& op) {
  op.dilation;
  op.in.h;
};

/// Rows of output of an op that can run in turns; 0 if it can't.
template <class Op>
constexpr int turns_of(const Op& op) {
  if constexpr (slides<Op>)
    return op.out.h;
  else if constexpr (requires { op.row; })
    return op.rows;
  else
    return 0;
}

/// The rows of its inputs that row y of an op's output is made from: [first_read, rows_read).
template <class Op>
constexpr int first_read(const Op& op, int y) {
  if constexpr (slides<Op>)
    return rows_gone(op, y);
  else
    return y;
}
template <class Op>
constexpr int rows_read(const Op& op, int y) {
  if constexpr (slides<Op>)
    return min(max(y * op.stride.h - op.pad.top + span_h(op), 0), op.in.h);
  else
    return y + 1;
}

/// The rows of the tensor at `p` from row `first` on.
template <class E>
constexpr View<E> view_of(const Place& p, E* base, int first) {
  if (p.ring == 0) return {base, p.pitch};
  const int slot = first % p.ring;
  return {base + (slot - first) * p.pitch, p.pitch, first - slot + p.ring, p.ring};
}

/// Runs rows [y0, y1) of a layer; its tensors may be rings.
template <class T, class Op, class Data, class Buffers>
[[gnu::noinline]] void run_rows(const Op& op, const Data& data, const Buffers& at,
                                unsigned char* arena, int y0, int y1) {
  using N = typename Data::Numbers;
  const auto& o = value(op);
  auto io = io_of<N>(o, at, arena);
  for (int i = 0; i < o.max_inputs; ++i)
    io.in[i] = view_of(at.in[i], io.in[i].base, first_read(o, y0));
  io.out = view_of(at.out, io.out.base, y0);
  io.y0 = y0, io.y1 = y1;
  if constexpr (requires { op.fixed(); })
    o.template run<target::Fixed<T>, N>(o, data, io);
  else
    o.template run<T, N>(o, data, io);
}
template <class T, class Op, class Data, class Buffers>
void run_rows(const Op& op, const Data& data, const Buffers& at, unsigned char* arena) {
  run_rows<T>(op, data, at, arena, 0, rows_of(value(op)));
}

/// The tensors of a layer that runs in turns, by their numbers among those of all such layers.
struct Turn {
  int out = 0, inputs = 0, in[4]{};
};

/// Runs the next row of a layer if what it is made from is there. `done` counts the rows there are
/// of each tensor.
template <class T, class Op, class Data, class Buffers>
bool take_turn(const Op& op, const Data& data, const Buffers& at, unsigned char* arena,
               const Turn& turn, int* done) {
  const auto& o = value(op);
  const int y = done[turn.out];
  if (y == turns_of(o)) return false;
  for (int i = 0; i < turn.inputs; ++i)
    if (done[turn.in[i]] < rows_read(o, y)) return false;
  run_rows<T>(op, data, at, arena, y, y + 1);
  ++done[turn.out];
  return true;
}

}  // namespace nnom
