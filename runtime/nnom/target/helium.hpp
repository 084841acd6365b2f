/// \file
/// Armv8.1-M with Helium (Cortex-M55, M85): sixteen products of int8 an instruction.
#pragma once

#include "nnom/pixels.hpp"
#include "nnom/target/dsp.hpp"
#include "nnom/target/helium_depthwise.hpp"
#include "nnom/target/helium_products.hpp"

namespace nnom::target {

struct Helium : Dsp {
  using Preferred = layout::Helium;

  using Dsp::widen;

  [[gnu::always_inline]] static void widen(int8_t* line, const int8_t* in, int n) {
    helium::copy(line, in, n);
  }

  using Dsp::copy_runs;
  using Dsp::fill;

  [[gnu::always_inline]] static void fill(int8_t* to, int8_t value, int n) {
    helium::fill(to, value, n);
  }

  [[gnu::always_inline]] static void copy_runs(int8_t* to, int to_step, const int8_t* from,
                                               int from_step, int n, int count) {
    if (from_step == n && helium::scatter(to, to_step, from, n, count)) return;
    for (; count > 0; --count, to += to_step, from += from_step) helium::copy(to, from, n);
  }

  using Dsp::multiply;
  using Dsp::tile;

  /// One dot product after another: what multiply() leaves.
  template <class N, int P, int R, bool Fixed, class Line>
  requires __is_same(typename N::Layout, layout::Helium)
      [[gnu::always_inline]] static void tile(Window<Line> window, int step, const int8_t* weights,
                                              const Matrix& m, int r, int32_t (&acc)[P][R]) {
    using L = layout::Helium;
    const int row_step = L::group(m, r) * L::depth;  // from a row's sixteen weights to the next
    const int tap_step = L::padded(m.length) / L::depth * row_step;
    const int8_t* w = weights + L::index(m, r, 0, 0);
    window.taps([&](const Line* x) NNOM_INLINE {
#pragma GCC unroll 1
      for (int i = 0; i < R; ++i)
#pragma GCC unroll 1
        for (int p = 0; p < P; ++p)
          acc[p][i] =
              helium::one(x + p * step, w + i * L::depth, row_step, window.length, acc[p][i]);
      w += tap_step;
    });
  }

  /// Every output channel of `m` for all pixels: tiles of two by four.
  template <class N>
  requires(__is_same(typename N::Layout, layout::Helium) && sizeof(typename N::In) == 1 &&
           sizeof(typename N::Out) == 1)
      [[gnu::noinline]] static void multiply(const Pixels<N>& pixels, const Matrix& matrix,
                                             const Linear<N>& data, const int8_t* weights,
                                             int channel) {
    const Pixels<N> px = pixels;  // int8 stores alias everything: keep the fields in registers
    const Matrix m = matrix;
    const Linear<N> d = data;
    const helium::FactorTable factors(d.rescale, d.per_channel);
    const int whole = m.taps == 1 ? m.rows & ~3 : 0;  // else row by row
    const Tiles<N> tiles{weights,
                         d.bias + channel,
                         factors.first + channel * factors.step,
                         4 * factors.step,
                         whole,
                         px.step,
                         px.out_step,
                         d.brief,
                         helium::Limits(d.clamp)};
    const int8_t* x = px.window.first;
    int8_t* out = px.out;
    int left = px.count;
    if (whole < m.rows) {
      // Two pixels with all their rows before the next: outputs may lie over what others read.
      Matrix most = m;
      most.rows = whole;
      for (; left > 0; left -= 2, x += 2 * px.step, out += 2 * px.out_step) {
        Pixels<N> two = px;
        two.window.first = x, two.out = out, two.count = min(left, 2);
        if (whole) multiply<N>(two, most, data, weights, channel);
        single_rows<N>(two, m, whole, d, weights, channel);
      }
      return;
    }
    for (; left >= 2; left -= 2, x += 2 * px.step, out += 2 * px.out_step)
      column<2>(tiles, m.length, x, out);
    if (left) column<1>(tiles, m.length, x, out);
  }

  /// out[i] = the sum of x[0][i] and x[1][i], of an Add's data, for i < n.
  template <class N>
  requires(sizeof(typename N::In) == 1)
      [[gnu::always_inline]] static void sums(const auto& d, const int8_t* const (&x)[2], int n,
                                              int8_t* out) requires(__is_same(decltype(d.rule.sum),
                                                                              typename N::Sum)) {
    const helium::Limits limits(d.clamp);
    const typename N::Sum sum = d.rule.sum;
    const int whole = n & ~3;
    for (int i = 0; i < whole; i += 4)
      vstrbq_s32(out + i, limits(helium::sum(sum, vldrbq_s32(x[0] + i), vldrbq_s32(x[1] + i))));
    for (int i = whole; i < n; ++i) out[i] = d.clamp(sum(x[0][i], x[1][i]));
  }

  using Dsp::window_sums;

  [[gnu::always_inline]] static void window_sums(const Window<int8_t>& window, int c,
                                                 int32_t (&sum)[4]) {
    int32x4_t v = vldrwq_s32(sum);
    window.taps([&](const int8_t* x) NNOM_INLINE { v = vaddq_s32(v, vldrbq_s32(x + c)); });
    vstrwq_s32(sum, v);
  }

  /// Whether depthwise_row() computes exactly with these weights: sums of two products must fit 16
  /// bits, and everything be scaled down.
  template <class N>
  static bool has_depthwise_row(const Linear<N>& d, int channels, int size) {
    if constexpr (requires { d.rescale->multiplier; })
      for (int c = 0; !d.brief && c < (d.per_channel ? channels : 1); ++c)
        if (d.rescale[c].shift >= 0) return false;
    int8_t least = 0;
    for (int i = 0; i < size; i += 16) {
      const mve_pred16_t p = vctp8q(static_cast<uint32_t>(size - i));
      least = vminvq_s8(least, vldrbq_z_s8(d.weights + i, p));
    }
    return least > INT8_MIN;
  }

  /// A row of `count` pixels of a depthwise layer; `window` is that of the first.
  template <class N>
  requires(__is_same(typename N::Layout, layout::Helium) && sizeof(typename N::In) == 1)
      [[gnu::noinline]] static void depthwise_row(const Window<int8_t>& window, int step, int count,
                                                  int channels, const Linear<N>& d, int8_t* out) {
    using helium::Lanes;
    Window<int8_t> w = window;
    const int taps = w.rows * w.columns;
    const bool nine = w.rows == 3 && w.columns == 3;
    if (nine && (channels == 4 || channels == 8) && step == channels) {
      int8_t weights[9 * 16];  // for the pixels in one vector
      const uint8x16_t channel =
          vandq_u8(vidupq_n_u8(0, 1), vdupq_n_u8(static_cast<uint8_t>(channels - 1)));
      for (int t = 0; t < 9; ++t)
        vstrbq_s8(weights + 16 * t, vldrbq_gather_offset_s8(d.weights + t * channels, channel));
      const int vectors = count * channels / 16, pixels = vectors * (16 / channels);
      helium::depthwise<true>(w, 16, vectors, Lanes<true>{16, channels}, 0, weights, d, out, 16);
      w.first += pixels * step, out += pixels * channels, count -= pixels;
    }
    for (int c = 0; c < channels; c += 16, w.first += 16) {
      const int8_t* const own = d.weights + c * taps;
      const int lanes = min(16, channels - c);
      if (!nine)
        helium::depthwise<false>(w, step, count, Lanes<false>{lanes}, c, own, d, out + c, channels);
      else if (lanes < 16)
        helium::depthwise<true>(w, step, count, Lanes<false>{lanes}, c, own, d, out + c, channels);
      else
        helium::depthwise<true>(w, step, count, Lanes<true>{16}, c, own, d, out + c, channels);
    }
  }

 private:
  /// What the tiles of a matrix share.
  template <class N>
  struct Tiles {
    const int8_t* weights;
    const int32_t* bias;
    const typename N::Rescale* factor;
    int factor_step;  ///< from a tile's to those of the next
    int rows, step, out_step;
    bool down;  ///< everything is scaled down
    helium::Limits limits;
  };

  /// The rows of P pixels, four at a time; n inputs a pixel.
  template <int P, class N>
  [[gnu::always_inline]] static void column(const Tiles<N>& t, const int& n, const int8_t* x,
                                            int8_t* out) {
    const int8_t* w = t.weights;
    const int32_t* bias = t.bias;
    const typename N::Rescale* factor = t.factor;
    const int8_t* const end = out + t.rows;
#pragma GCC unroll 1
    do {
      int32x4_t acc[P];
      w = helium::four(x, x + t.step, w, n, bias, acc);
      helium::rescale(helium::four_factors(factor), t.down, acc);
      bias += 4, factor += t.factor_step;
#pragma GCC unroll 2
      for (int p = 0; p < P; ++p) vstrbq_s32(out + p * t.out_step, t.limits(acc[p]));
      out += 4;
    } while (out != end);
  }

  /// The rows from r on, one at a time.
  template <class N>
  [[gnu::noinline]] static void single_rows(const Pixels<N>& px, const Matrix& m, int r,
                                            const Linear<N>& d, const int8_t* w, int channel) {
    for (; r < m.rows; ++r) {
      Window<int8_t> window = px.window;
      for (int x = 0; x < px.count; ++x, window.first += px.step) {
        int32_t acc[1][1] = {{d.bias[channel + r]}};
        tile<N, 1, 1, false>(window, 0, w, m, r, acc);
        px.out[x * px.out_step + r] = d.finish(acc[0][0], channel + r);
      }
    }
  }
};

}  // namespace nnom::target
