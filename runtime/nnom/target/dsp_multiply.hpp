/// \file
/// Products of windows with the weights of layout::Dsp: tiles of two pixels by four rows, or of one
/// pixel by four, and their outputs.
#pragma once

#include "nnom/pixels.hpp"
#include "nnom/target/dsp_products.hpp"
#include "nnom/target/dsp_words.hpp"
#include "nnom/target/layout.hpp"

namespace nnom::target::dsp {

/// Writes what Linear::finish gives for a sum below 2^23 times 2^Bits.
template <class N>
struct Finish {
  const typename N::Rescale& rescale;
  const Clamp<N>& clamp;
  static constexpr bool limits = !__is_same(typename N::Rescale, Unscaled);

  template <int Bits>
  [[gnu::always_inline]] void store(int32_t sum, typename N::Out* out) const {
    if constexpr (limits)
      *out = clamp(rescale(sum >> Bits));
    else
      *out = sum >> Bits;
  }
};

/// In a product, which also adds half a step and the zero point, and one shift: see brief(Double).
/// Limits to int8 only. By hand, as GCC would mix the outputs and run out of registers.
template <class L>
struct Finish<Int8<Double, L>> {
  int32_t multiplier, shift, offset;
  static constexpr bool limits = false;

  [[gnu::always_inline]] Finish(const Double& r, const Clamp<Int8<Double, L>>& clamp)
      : multiplier(r.multiplier),
        shift(-r.shift),
        offset((2 * clamp.zero + 1) * (1 << (shift - 1))) {}
  template <int Bits>
  [[gnu::always_inline]] void store(int32_t sum, int8_t* out) const {
    static_assert(Bits == 0 || Bits == 8);
    int32_t v = Bits ? sum >> 7 : sum << 1;
    asm volatile(
        "smmlar %[v], %[v], %[m], %[o]\n\t"
        "add %[v], %[v], %[s], asr #31\n\t"
        "asr %[v], %[v], %[h]\n\t"
        "ssat %[v], #8, %[v]\n\t"
        "strb %[v], [%[out]]\n\t"
        : [v] "+r"(v)
        : [s] "r"(sum), [m] "r"(multiplier), [o] "r"(offset), [h] "r"(shift), [out] "r"(out)
        : "memory");
  }
};

/// What belongs to a row and those behind it.
template <class N>
struct Rows {
  const int8_t* weights;
  const int32_t* bias;
  const typename N::Rescale* rescale;
  const int next_rescale;  ///< 0 if there is one for all
  typename N::Out* out;
};

/// The sums that a pair of joined rows begins with, at P pixels.
template <int P>
[[gnu::always_inline]] inline void begin(const int32_t* bias, Sums<P>& n) {
  const auto both =
      static_cast<int32_t>((static_cast<uint32_t>(bias[0]) << 8) + static_cast<uint32_t>(bias[1]));
#pragma GCC unroll 2
  for (int p = 0; p < P; ++p) n.a[p] = both, n.b[p] = bias[1];
}
/// Their outputs, the first pixel's last.
template <class N, int P>
[[gnu::always_inline]] inline void finish(const Sums<P>& n, const Clamp<N>& clamp, int out_step,
                                          Rows<N>& row) {
  const Finish<N> a{row.rescale[0], clamp}, b{row.rescale[row.next_rescale], clamp};
#pragma GCC unroll 2
  for (int p = P - 1; p >= 0; --p) {
    const auto twice = static_cast<uint32_t>(n.a[p]) - static_cast<uint32_t>(n.b[p]);
    a.template store<8>(static_cast<int32_t>(twice), row.out + p * out_step);
    b.template store<0>(n.b[p], row.out + p * out_step + 1);
  }
  row.bias += 2, row.rescale += 2 * row.next_rescale, row.out += 2;
}

/// Two pixels, whose patches are paired, four rows at a time.
template <class N>
[[gnu::always_inline]] inline void eight(const int16_t* x, int words, const Rows<N>& first,
                                         int fours, int out_step, const Clamp<N>& limits) {
  const int16_t* const end = x + 4 * words;
  const int skipped = skip(words, 14, 16);
  if constexpr (__is_same(N, Int8<Double, layout::Dsp>)) {
    if (fours > 0)
      eight_double(x, first.weights, end, skipped, first.bias, first.rescale,
                   first.next_rescale * int{sizeof(Double)}, first.out, out_step,
                   2 * limits.zero + 1, first.out + 4 * fours);
  } else {
    const Clamp<N> clamp = limits;  // int8 stores alias everything: keep the fields in registers
    Rows<N> row = first;
    for (; fours > 0; --fours) {
      Sums<2> n[2];
      for (int i = 0; i < 2; ++i) begin(row.bias + 2 * i, n[i]);
      row.weights = add_eight(x, row.weights, end, skipped, &n);
      for (int i = 0; i < 2; ++i) finish<N>(n[i], clamp, out_step, row);
    }
  }
}

/// One pixel, four rows at a time.
template <class N>
[[gnu::noinline]] void four(const int16_t* x, int words, const Rows<N>& first, int fours,
                            const Clamp<N>& limits) {
  const Clamp<N> clamp = limits;
  Rows<N> row = first;
  for (; fours > 0; --fours) {
    Sums<1> n[2];
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) begin(row.bias + 2 * i, n[i]);
    row.weights = add_four(x, words, row.weights, n);
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) finish<N>(n[i], clamp, 0, row);
  }
}

/// Windows that are one run, joined weights: patches, or one pixel.
template <class N>
[[gnu::noinline]] void joined_pixels(const Pixels<N>& px, int words, const Rows<N>& rows, int fours,
                                     const Clamp<N>& clamp) {
  if (!px.paired) return four<N>(px.window.first, words, rows, fours, clamp);
  Rows<N> row = rows;
  const int16_t* x = px.window.first;
  for (int left = px.count; left > 0; left -= 2, x += 2 * px.step, row.out += 2 * px.out_step)
    eight<N>(x, words, row, fours, left > 1 ? px.out_step : 0, clamp);
}

/// The rows from `first` on, fewer than four: as if there were four.
template <class N>
[[gnu::noinline]] void last_rows(const Pixels<N>& px, int words, int first, int count,
                                 const Rows<N>& rows, const Clamp<N>& clamp) {
  int32_t bias[4];
  typename N::Rescale rescale[4];
  typename N::Out out[2 * 4];
#pragma GCC unroll 1
  for (int i = 0; i < 4; ++i) {
    const int r = first + min(i, count - 1);
    bias[i] = rows.bias[r], rescale[i] = rows.rescale[r * rows.next_rescale];
  }
  Pixels<N> two = px;
  two.out_step = 4;
#pragma GCC unroll 1
  for (int p = 0; p < px.count; p += 2, two.window.first += 2 * px.step) {
    two.count = min(px.count - p, 2);
    joined_pixels<N>(two, words, {rows.weights + first * 2 * words, bias, rescale, 1, out}, 1,
                     clamp);
    for (int i = 0; i < two.count; ++i)
#pragma GCC unroll 1
      for (int r = 0; r < count; ++r) rows.out[(p + i) * px.out_step + first + r] = out[i * 4 + r];
  }
}

template <class N>
[[gnu::always_inline]] inline void multiply_joined(const Pixels<N>& px, const Matrix& m,
                                                   const Linear<N>& d, const int8_t* weights,
                                                   int c) {
  const Clamp<N>& clamp = d.clamp;
  const int words = (px.window.length + 1) / 2, whole = m.rows & ~3;
  const Rows<N> rows{weights, d.bias + c, d.rescale + (d.per_channel ? c : 0), d.per_channel,
                     px.out};
  joined_pixels<N>(px, words, rows, whole / 4, clamp);
  if (whole < m.rows) last_rows<N>(px, words, whole, m.rows - whole, rows, clamp);
  if (Finish<N>::limits || (clamp.lo == N::lowest && clamp.hi == N::highest)) return;
  typename N::Out* out = px.out;
  for (int left = px.count; left > 0; --left, out += px.out_step)
#pragma GCC unroll 1
    for (int r = 0; r < m.rows; ++r)
      out[r] = out[r] > clamp.hi ? clamp.hi : out[r] < clamp.lo ? clamp.lo : out[r];
}

/// P pixels of any windows, two rows that are not joined, or one.
template <class N, int P>
inline void plain_tile(const Window<int16_t>& window, int next, int step, const int8_t* weights,
                       int second, const Linear<N>& d, int c, typename N::Out* out, int out_step) {
  const int words = (window.length + 1) / 2;
  Sums<P> n;
#pragma GCC unroll 2
  for (int p = 0; p < P; ++p) n.a[p] = d.bias[c], n.b[p] = d.bias[c + second];
  window.taps([&](const int16_t* x) NNOM_INLINE {
    add_plain<P>(x, words, next, step, weights, n);
    weights += 8 * words;
  });
#pragma GCC unroll 2
  for (int p = 0; p < P; ++p, out += out_step) {
    out[second] = d.finish(n.b[p], c + second);
    out[0] = d.finish(n.a[p], c);
  }
}

template <class N, int P>
[[gnu::always_inline]] inline void plain_column(const Pixels<N>& px, Window<int16_t>& w,
                                                const Matrix& m, const Linear<N>& d,
                                                const int8_t* weights, int c,
                                                typename N::Out* out) {
  const int row_size = layout::Dsp::row_size(m);
  const int next = px.paired ? 4 : 2, step = px.paired ? 2 : px.step;
  for (int r = 0; r < m.rows; r += 2)
    plain_tile<N, P>(w, next, step, weights + (r & ~3) * row_size + (r & 2) * 2, r + 1 < m.rows, d,
                     c + r, out + r, px.out_step);
  w.first += P * px.step;
}

template <class N>
[[gnu::always_inline]] inline void multiply_plain(const Pixels<N>& px, const Matrix& m,
                                                  const Linear<N>& data, const int8_t* weights,
                                                  int c) {
  const Linear<N> d = data;
  Window<int16_t> w = px.window;
  typename N::Out* out = px.out;
  int left = px.count;
  for (; left > 1; left -= 2, out += 2 * px.out_step)
    plain_column<N, 2>(px, w, m, d, weights, c, out);
  if (left) plain_column<N, 1>(px, w, m, d, weights, c, out);
}

}  // namespace nnom::target::dsp
