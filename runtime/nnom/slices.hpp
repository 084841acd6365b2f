/// \file
/// Depthwise convolution in slices of channels: each goes over all rows, in lines of its own that
/// are small, with pixels side by side in pairs for instructions that multiply two at once.
#pragma once

#include "nnom/lines.hpp"
#include "nnom/numbers.hpp"

namespace nnom {

/// Whether `op` works in slices: for int8, with three taps in a row.
template <class N>
constexpr bool in_slices(const auto& op) {
  if constexpr (N::quantised && sizeof(typename N::In) == 1)
    if constexpr (N::Layout::slice > 0)
      return op.kernel.w == 3 && op.stride.w <= 2 && op.dilation == Size{} && op.in.c % 4 == 0 &&
             op.out.w > 1;
  return false;
}

/// Scratch memory of an op in slices, in elements of int16: weights, then lines. In both a pair of
/// columns has all channels of the slice, each with its two values.
template <class N>
struct Slices {
  static constexpr int width = N::Layout::slice;  ///< channels
  static constexpr int step = 2 * width;          ///< from a pair to the next

  int weights;  ///< of 2 rows - 1 rows: whichever line has the first row, its taps are in order
  int pitch;    ///< of lines
  int bytes;

  constexpr explicit Slices(const auto& op)
      : weights((2 * op.kernel.h - 1) * 2 * step),
        pitch((line_columns(op) + 1) / 2 * step),
        bytes(2 * (weights + op.kernel.h * pitch)) {}
};

/// A slice reads only what other slices don't write if input and output begin at the same place.
template <class N>
constexpr Memory slices_memory(const auto& op) {
  const int lead = lead_of(op.out.h, op.out.row(), op.in.h, op.in.row(), [&](int y) {
    return min(max(y * op.stride.h - op.pad.top + op.kernel.h, 0), op.in.h);
  });
  return {Slices<N>(op).bytes, lead > 0 ? Memory::never : 0, true};
}

/// P pixels of a channel from `x` on, to `out`.
template <class T, class N, int stride, int P>
[[gnu::always_inline]] inline void slice_tile(const int16_t* x, int pitch, const int16_t* w,
                                              int rows, const Linear<N>& d, const auto& channel,
                                              typename N::Out* out, int out_step) {
  typename N::Acc acc[P];
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) acc[p] = channel.bias;
  T::template three_taps<stride, Slices<N>::step>(x, pitch, w, rows, acc);
  T::finish(d, channel, acc, out, out_step);
}

/// A row of `count` pixels of a channel. Of constant length it is cut into tiles of 4 and a last
/// one of 2 to 6 pixels; else into small ones, for less code.
template <class T, class N, int stride>
[[gnu::always_inline]] inline void slice_row(const int16_t* x, int pitch, const int16_t* w,
                                             int rows, const Linear<N>& d, const auto& channel,
                                             typename N::Out* out, int count, int out_step) {
  const auto tile = [&]<int P>() NNOM_INLINE {
    slice_tile<T, N, stride, P>(x, pitch, w, rows, d, channel, out, out_step);
    x += P * stride / 2 * Slices<N>::step, out += P * out_step, count -= P;
  };
  if constexpr (T::fixed) {
    while (count == 4 || count > 6) tile.template operator()<4>();
    if (count == 6) tile.template operator()<6>();
    if (count == 5) tile.template operator()<5>();
    if (count == 3) tile.template operator()<3>();
    if (count == 2) tile.template operator()<2>();
  } else {
    while (count > 1) tile.template operator()<2>();
    if (count) tile.template operator()<1>();
  }
}

/// Runs `op`, whose weights are [kernel.h][3][channels].
template <class T, class N>
[[gnu::always_inline]] inline void run_slices(const auto& op, const Linear<N>& d, const auto& io) {
  using S = Slices<N>;
  const S s(op);
  const int channels = op.in.c, rows = op.kernel.h;
  auto* const weights = reinterpret_cast<int16_t*>(io.scratch);
  int16_t* const lines = weights + s.weights;
  int8_t border[S::width];
  for (int8_t& b : border) b = d.in_zero;
  for (int first = 0; first < channels; first += S::width) {
    // Constant where the slices are whole.
    const int width = channels % S::width ? min(S::width, channels - first) : S::width;
    const auto pair_up = [&](int16_t* to, const int8_t* a, const int8_t* b) NNOM_INLINE {
#pragma GCC unroll 2
      for (int c = 0; c < width; c += 4) T::pair_up(to + 2 * c, a + c, b + c);
    };
    typename T::template Channel<N> channel[S::width];
    for (int c = 0; c < width; ++c) channel[c] = {d, first + c};
    for (int r = 0; r < 2 * rows - 1; ++r) {
      const int8_t* w = d.weights + (r < rows ? r : r - rows) * 3 * channels + first;
      for (int k = 0; k < 2; ++k, w += channels)
        pair_up(weights + (2 * r + k) * S::step, w, w + channels);
    }
    for_lines(
        op, io.y0, io.y1,
        [&](int y, int line) NNOM_INLINE {
          int16_t* to = lines + line * s.pitch;
          const int inside = y >= 0 && y < op.in.h ? op.in.w : 0;  // columns
          const int8_t* in = inside ? io.in[0].row(y) + first : border;
          const auto column = [&](int x) NNOM_INLINE {
            return x >= 0 && x < inside ? in + x * channels : border;
          };
          for (int x = -op.pad.left; x < line_columns(op) - op.pad.left; x += 2, to += S::step)
            pair_up(to, column(x), column(x + 1));
        },
        [&](int y, int, int line) NNOM_INLINE {
          const int16_t* const w = weights + (line ? rows - line : 0) * 2 * S::step;
          for (int c = 0; c < width; ++c) {
            const auto row = [&]<int stride>() NNOM_INLINE {
              slice_row<T, N, stride>(lines + 2 * c, s.pitch, w + 2 * c, rows, d, channel[c],
                                      io.out.row(y) + first + c, op.out.w, channels);
            };
            if (op.stride.w == 1)
              row.template operator()<1>();
            else
              row.template operator()<2>();
          }
          T::limit(d, io.out.row(y) + first, width, op.out.w, channels);
        });
  }
}

}  // namespace nnom
