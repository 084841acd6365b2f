/// \file
/// The loops of targets that multiply int8 by int8, one product at a time, in tiles of pixels by
/// rows that are as large as their registers hold.
#pragma once

#include "nnom/pixels.hpp"
#include "nnom/target/scalar.hpp"

namespace nnom::target {

/// The products of one tile.
struct Tile {
  const int8_t* x;    ///< tap (0, 0) of the first pixel
  int step;           ///< from one pixel to the next
  int rows;           ///< of taps, each a run of `length`
  int row_step;       ///< from one to the next
  const int8_t* end;  ///< of the ring they lie in
  int ring;           ///< elements in it
  int length;
  int row_size;     ///< weights of one row of the matrix
  int code[2];      ///< for the target's own use
  int32_t sum[16];  ///< of each row, those of its pixels side by side
};

/// Derived from by a target T, which has
///
///     using Preferred = layout::...;
///     static constexpr int pixels, rows[1 + pixels];   of a tile of P pixels: rows[P]
///     template <int P> static void prepare(Tile&);     the tile's `length` is known
///     template <int P> static void add_products(Tile&, const int8_t* weights);
///     static int8_t rescaled(int32_t sum, int32_t multiplier, int32_t right, int32_t zero);
///
/// The last gives what Double and Clamp do where the shift is -right < 0, and all of int8 allowed.
template <class T, class L>
struct Tiles : Scalar {
  using Preferred = L;

  template <class N>
  requires __is_same(N, Int8<typename N::Rescale, L>)
      [[gnu::noinline]] static void multiply(const Pixels<N>& px, const Matrix& m,
                                             const Linear<N>& data, const int8_t* weights,
                                             int channel) {
    const Linear<N> d = data;  // int8 stores alias everything: keep the fields in registers
    Window<int8_t> w = px.window;
    Tile tile;
    tile.step = px.step;
    const bool by_rows = w.columns == 1 && w.rows > 0;  // else tap by tap, if there are any
    tile.rows = by_rows ? w.rows : 1;
    tile.row_step = w.row_step;
    tile.end = w.ring ? w.end : reinterpret_cast<const int8_t*>(UINTPTR_MAX);
    tile.ring = w.ring;
    tile.length = w.length;
    tile.row_size = L::row_size(m);
    const Rows<N> rows{weights, d.bias + channel, d.rescale + (d.per_channel ? channel : 0)};
    const bool brief = is_brief(rows.rescale, d.per_channel ? m.rows : 1, d.clamp);
    int8_t* out = px.out;
    int left = px.count;
    constexpr int P = T::pixels;
    for (; left >= P; left -= P, w.first += P * px.step, out += P * px.out_step)
      column<P>(tile, w, by_rows, m, rows, d, brief, out, px.out_step);
    if constexpr (P > 1)
      for (; left > 0; --left, w.first += px.step, out += px.out_step)
        column<1>(tile, w, by_rows, m, rows, d, brief, out, 0);
  }

  /// A row of output pixels of a depthwise convolution, channel after channel. Its bounds are
  /// constants. False: it can't do this one.
  template <class N>
  requires __is_same(N, Int8<typename N::Rescale, L>)
      [[gnu::always_inline]] static bool depthwise_fixed_row(const auto& op,
                                                             const Window<int8_t>& w,
                                                             const Linear<N>& d, int8_t* out) {
    constexpr int most = 4;
    if (op.kernel.h > most) return false;
    const int8_t* row[most];
    const int8_t* first = w.first;
    for (int y = 0; y < op.kernel.h; ++y) {
      row[y] = first;
      first += w.row_step;
      if (w.ring && first >= w.end) first -= w.ring;
    }
    for (int c = 0; c < op.in.c; ++c) {
      int8_t* to = out + c;
      int at = c, left = op.out.w;
      const auto* const rescale = d.rescale + (d.per_channel ? c : 0);
      const bool brief = is_brief(rescale, 1, d.clamp);
      const auto pixels = [&]<int P>() NNOM_INLINE {
        int32_t sum[P];
#pragma GCC unroll 8
        for (int p = 0; p < P; ++p) sum[p] = d.bias[c];
#pragma GCC unroll 4
        for (int y = 0; y < op.kernel.h; ++y) {
          const int8_t* const x = row[y] + at;
          const int8_t* const v = d.weights + y * op.kernel.w * op.in.c + c;
#pragma GCC unroll 8
          for (int k = 0; k < op.kernel.w; ++k)
#pragma GCC unroll 8
            for (int p = 0; p < P; ++p)
              sum[p] += x[(p * op.stride.w + k * op.dilation.w) * op.in.c] * v[k * op.in.c];
        }
        if (brief)
          finish_brief<P>(rescale, sum, d.clamp.zero, to, op.in.c);
        else
          finish_any(rescale, 0, sum, 1, P, d.clamp, to, op.in.c);
        at += P * op.stride.w * op.in.c, to += P * op.in.c, left -= P;
      };
      while (left == 4 || left > 6) pixels.template operator()<4>();
      if (left == 6) pixels.template operator()<6>();
      if (left == 5) pixels.template operator()<5>();
      if (left == 3) pixels.template operator()<3>();
      if (left == 2) pixels.template operator()<2>();
      if (left == 1) pixels.template operator()<1>();
    }
    return true;
  }

 private:
  /// What belongs to a row of the matrix and those behind it.
  template <class N>
  struct Rows {
    const int8_t* weights;
    const int32_t* bias;
    const typename N::Rescale* rescale;
  };

  /// P pixels, every row of the matrix.
  template <int P, class N>
  [[gnu::always_inline]] static void column(Tile& tile, const Window<int8_t>& w, bool by_rows,
                                            const Matrix& m, Rows<N> at, const Linear<N>& d,
                                            bool brief, int8_t* out, int out_step) {
    constexpr int R = T::rows[P], G = L::rows > R ? L::rows : R;  // rows of a tile, of a group
    const int row_size = tile.row_size, next_rescale = d.per_channel;
    tile.x = w.first;
    T::template prepare<P>(tile);
    int left = m.rows;
    for (; left >= G; left -= G, at.weights += G * row_size) {
#pragma GCC unroll 1
      for (int r = 0; r < G; r += R, at.bias += R, out += R) {
#pragma GCC unroll 8
        for (int i = 0; i < R; ++i)
#pragma GCC unroll 2
          for (int p = 0; p < P; ++p) tile.sum[i * P + p] = at.bias[i];
        if (by_rows) [[likely]]
          T::template add_products<P>(tile, at.weights + r);
        else
          add_taps<P>(tile, w, at.weights + r);
        if (brief) [[likely]] {
#pragma GCC unroll 8
          for (int i = 0; i < R; ++i, at.rescale += next_rescale)
            finish_brief<P>(at.rescale, tile.sum + i * P, d.clamp.zero, out + i, out_step);
        } else {
          at.rescale = finish_any(at.rescale, next_rescale, tile.sum, R, P, d.clamp, out, out_step);
        }
      }
    }
    if (left > 0)
      for (int p = 0; p < P; ++p)
        single_rows(w, p * tile.step, {left, m.taps, m.length}, at, d, out + p * out_step);
  }

  /// One pixel, rows that are no group.
  template <class N>
  [[gnu::noinline]] static void single_rows(Window<int8_t> w, int offset, const Matrix& m,
                                            Rows<N> at, const Linear<N>& d, int8_t* out) {
    w.first += offset;
    for (int r = 0; r < m.rows; ++r, ++out) {
      int32_t sum[1][1] = {{at.bias[r]}};
      Scalar::tile<N, 1, 1, false>(w, 0, at.weights, m, r, sum);
      at.rescale = finish_any(at.rescale, d.per_channel, sum[0], 1, 1, d.clamp, out, 0);
    }
  }

  /// Of a window that is not whole rows of taps.
  template <int P>
  [[gnu::noinline]] static void add_taps(Tile& tile, const Window<int8_t>& w, const int8_t* v) {
    w.taps([&](const int8_t* tap) NNOM_INLINE {
      tile.x = tap;
      T::template add_products<P>(tile, v);
      v += L::group({8, 1, 1}, 0) * w.length;
    });
    tile.x = w.first;
  }

  /// Whether finish_brief() can do it.
  template <class R, class N>
  static bool is_brief(const R* rescale, int count, const Clamp<N>& clamp) {
    if constexpr (__is_same(R, Double)) {
      int32_t shifts = -1;
      for (int i = 0; i < count; ++i) shifts &= rescale[i].shift;
      return shifts < 0 && clamp.lo == INT8_MIN && clamp.hi == INT8_MAX;
    }
    return false;
  }
  /// Writes what Linear::finish gives for the sums of one channel at P pixels.
  template <int P, class R>
  [[gnu::always_inline]] static void finish_brief(const R* rescale, const int32_t* sum,
                                                  int32_t zero, int8_t* out, int step) {
    if constexpr (__is_same(R, Double)) {
      const int32_t multiplier = rescale->multiplier, right = -rescale->shift;
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) out[p * step] = T::rescaled(sum[p], multiplier, right, zero);
    }
  }
  /// The same of `rows` channels, any rescale and limits. Returns the rescale of the next channel.
  template <class R, class N>
  [[gnu::noinline]] static const R* finish_any(const R* rescale, int next, const int32_t* sum,
                                               int rows, int pixels, const Clamp<N>& limits,
                                               int8_t* out, int step) {
    const Clamp<N> clamp = limits;
    for (int i = 0; i < rows; ++i, rescale += next, ++out)
      for (int p = 0; p < pixels; ++p) out[p * step] = clamp((*rescale)(*sum++));
    return rescale;
  }
};

}  // namespace nnom::target
