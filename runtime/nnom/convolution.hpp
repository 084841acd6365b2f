/// \file
/// The loops of every layer that multiplies windows by a weight matrix: tiles of pixels by output
/// channels.
#pragma once

#include "nnom/pixels.hpp"
#include "nnom/target/native.hpp"

namespace nnom {

/// P pixels from x on, R output channels from r on. `channel` is that of row 0 of the matrix.
template <class T, class N, int P, int R>
[[gnu::always_inline]] inline void tile(const Pixels<N>& px, int x, const Matrix& m, int r,
                                        const Linear<N>& d, const typename N::Weight* weights,
                                        int channel) {
  typename N::Acc acc[P][R];
#pragma GCC unroll 8
  for (int i = 0; i < R; ++i) {
    const typename N::Acc bias = d.bias[channel + r + i];
#pragma GCC unroll 4
    for (int p = 0; p < P; ++p) acc[p][i] = bias;
  }
  Window<LineOf<N>> w = px.window;
  w.first += x * px.step;
  T::template tile<N, P, R, T::fixed>(w, px.step, weights, m, r, acc);
  typename N::Out* out = px.out + x * px.out_step + r;
#pragma GCC unroll 8
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 4
    for (int p = 0; p < P; ++p) out[p * px.out_step + i] = d.finish(acc[p][i], channel + r + i);
}

/// P pixels from x on, every output channel of the matrix.
template <class T, class N, int P>
[[gnu::always_inline]] inline void column(const Pixels<N>& px, int x, const Matrix& m,
                                          const Linear<N>& d, const typename N::Weight* weights,
                                          int channel) {
  constexpr int R = N::Layout::rows;
  const int whole = m.rows - m.rows % R;
  for (int r = 0; r < whole; r += R) tile<T, N, P, R>(px, x, m, r, d, weights, channel);
  for (int r = whole; r < m.rows; ++r) tile<T, N, P, 1>(px, x, m, r, d, weights, channel);
}

/// Whether a target has loops of its own for multiply():
///
///     template <class N>
///     static void multiply(const Pixels<N>& px, const Matrix& m, const Linear<N>& d,
///                          const typename N::Weight* weights, int channel);
template <class T, class N>
inline constexpr bool multiplies = requires(const Pixels<N>& px, const Matrix& m,
                                            const Linear<N>& d) {
  T::template multiply<N>(px, m, d, d.weights, 0);
};

template <class T, class N>
[[gnu::always_inline]] inline void multiply_inline(Pixels<N> px, Matrix m, const Linear<N>& data,
                                                   const typename N::Weight* weights, int channel) {
  if constexpr (multiplies<T, N>) {
    T::template multiply<N>(px, m, data, weights, channel);
  } else {
    const Linear<N> d = data;  // int8 stores alias everything: keep the fields in registers
    m.joined = d.joined;
    constexpr int P = N::Layout::pixels;
    const int whole = px.count - px.count % P;
    for (int x = 0; x < whole; x += P) column<T, N, P>(px, x, m, d, weights, channel);
    for (int x = whole; x < px.count; ++x) column<T, N, 1>(px, x, m, d, weights, channel);
  }
}

/// out[x][r] = finish(bias[r] + window x . row r) for a row of pixels; `channel` is the first
/// output channel, `weights` those of its matrix. Shared by all layers unless T::fixed. A target's
/// own decides by itself whether it is inlined.
template <class T, class N>
[[gnu::noinline]] void multiply_shared(const Pixels<N>& px, const Matrix& m, const Linear<N>& d,
                                       const typename N::Weight* weights, int channel) {
  multiply_inline<T, N>(px, m, d, weights, channel);
}

template <class T, class N>
[[gnu::always_inline]] inline void multiply(const Pixels<N>& px, const Matrix& m,
                                            const Linear<N>& d, const typename N::Weight* weights,
                                            int channel) {
  if constexpr (T::fixed || multiplies<T, N>)
    multiply_inline<T, N>(px, m, d, weights, channel);
  else
    multiply_shared<T, N>(px, m, d, weights, channel);
}

/// Whether the pixels of all wanted rows are one row. memory() keeps the output of a row from the
/// input of the same, so output (y + 1) * w begins no later than input y * w: that of a tile of up
/// to four pixels ends before the first of its inputs where a row has as many.
inline bool rows_join(const auto& op, const auto& io) {
  return op.kernel.size() == 1 && op.stride.size() == 1 && op.groups == 1 && !op.pad.any() &&
         io.in[0].wrap >= io.y1 && io.in[0].pitch == op.in.row() && io.out.wrap >= io.y1 &&
         io.out.pitch == op.out.row() && op.out.w >= 4;
}

/// A convolution whose windows are read in lines, or where the input lies.
template <class T, class N>
[[gnu::always_inline]] inline void run_lines(const auto& op, const Linear<N>& d, const auto& io) {
  const Matrix m = op.matrix();
  if constexpr (!widened<N> && N::Layout::pixels <= 4)
    if (rows_join(op, io)) {
      Window<LineOf<N>> w;
      w.first = io.in[0].row(io.y0), w.length = op.in.c;
      const int count = (io.y1 - io.y0) * op.out.w;
      return multiply<T, N>({w, op.in.c, count, io.out.row(io.y0), op.out.c}, m, d, d.weights, 0);
    }
  const int group_channels = op.in.c / op.groups;
  for_rows<T, N>(op, d.in_zero, io, op.contiguous(), [&](int y, Window<LineOf<N>> w) NNOM_INLINE {
    if (!op.contiguous()) w.length = group_channels;
    const typename N::Weight* weights = d.weights;
    typename N::Out* to = io.out.row(y);
    for (int g = 0; g < op.groups; ++g) {
      multiply<T, N>({w, op.stride.w * op.in.c, op.out.w, to, op.out.c}, m, d, weights, g * m.rows);
      w.first += group_channels;
      weights += N::Layout::size(m);
      to += m.rows;
    }
  });
}

}  // namespace nnom
