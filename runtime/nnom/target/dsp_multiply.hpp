/// \file
/// Products of windows with the weights of layout::Dsp: tiles of three pixels by two rows, or of
/// one pixel by four, and their outputs.
#pragma once

#include "nnom/pixels.hpp"
#include "nnom/target/dsp_products.hpp"
#include "nnom/target/dsp_words.hpp"
#include "nnom/target/layout.hpp"

namespace nnom::target::dsp {

/// Writes P outputs of a row, `step` apart, as Linear::finish gives them, from sums below 2^23
/// times 2^Bits.
template <class N>
struct Finish {
  const typename N::Rescale& rescale;
  const Clamp<N>& clamp;
  static constexpr bool limits = true;

  template <int Bits, int P>
  [[gnu::always_inline]] void store(const int32_t (&sums)[P], typename N::Out* out,
                                    int step) const {
#pragma GCC unroll 3
    for (int p = 0; p < P; ++p) out[p * step] = clamp(rescale(sums[p] >> Bits));
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
  template <int Bits, int P>
  [[gnu::always_inline]] void store(const int32_t (&sums)[P], int8_t* out, int step) const {
    one<Bits, 0>(sums[0], out, step);
    if constexpr (P > 1) one<Bits, 1>(sums[1], out, step);
    if constexpr (P > 2) one<Bits, 2>(sums[2], out, step);
  }

 private:
  template <int Bits, int P>
  [[gnu::always_inline]] void one(int32_t sum, int8_t* out, int step) const {
    static_assert(Bits == 0 || Bits == 8);
    int32_t v = Bits ? sum >> 7 : sum << 1;
    asm volatile(
        "smmlar %[v], %[v], %[m], %[o]\n\t"
        "add %[v], %[v], %[s], asr #31\n\t"
        "asr %[v], %[v], %[h]\n\t"
        "ssat %[v], #8, %[v]\n\t"
        : [v] "+r"(v)
        : [s] "r"(sum), [m] "r"(multiplier), [o] "r"(offset), [h] "r"(shift));
    if constexpr (P == 0)
      asm volatile("strb %0, [%1]" : : "r"(v), "r"(out) : "memory");
    else
      asm volatile("strb %0, [%1, %2, lsl %3]"
                   :
                   : "r"(v), "r"(out), "r"(step), "i"(P - 1)
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

/// P pixels from x to `end`, R rows, behind which it leaves `row`.
template <class N, int P, int R>
[[gnu::always_inline]] inline void tile(const int16_t* x, const int16_t* end, int step,
                                        const Clamp<N>& clamp, int out_step, Rows<N>& row) {
  Sums<P, R> n;
#pragma GCC unroll 2
  for (int i = 0; i < R / 2; ++i, row.bias += 2) {
    const int32_t b = row.bias[1];
    const auto both =
        static_cast<int32_t>((static_cast<uint32_t>(row.bias[0]) << 8) + static_cast<uint32_t>(b));
#pragma GCC unroll 3
    for (int p = 0; p < P; ++p) n.a[i][p] = both, n.b[i][p] = b;
  }
  row.weights = add_products<P, R, true>(x, end, row.weights, step, n);
#pragma GCC unroll 2
  for (int i = 0; i < R / 2; ++i, row.out += 2) {
#pragma GCC unroll 3
    for (int p = 0; p < P; ++p)
      n.a[i][p] =
          static_cast<int32_t>(static_cast<uint32_t>(n.a[i][p]) - static_cast<uint32_t>(n.b[i][p]));
    Finish<N>{*row.rescale, clamp}.template store<8>(n.a[i], row.out, out_step);
    row.rescale += row.next_rescale;
    Finish<N>{*row.rescale, clamp}.template store<0>(n.b[i], row.out + 1, out_step);
    row.rescale += row.next_rescale;
  }
}

/// P pixels of any windows, two rows that are not joined, or one.
template <class N, int P>
inline void plain_tile(const Window<int16_t>& window, int step, const int8_t* weights, int second,
                       const Linear<N>& d, int c, typename N::Out* out, int out_step) {
  Sums<P, 2> n;
#pragma GCC unroll 2
  for (int p = 0; p < P; ++p) n.a[0][p] = d.bias[c], n.b[0][p] = d.bias[c + second];
  window.taps([&](const int16_t* x) NNOM_INLINE {
    weights = add_products<P, 2, false>(x, x + round_up(window.length, 2), weights, 2 * step, n);
  });
#pragma GCC unroll 2
  for (int p = 0; p < P; ++p, out += out_step) {
    out[second] = d.finish(n.b[0][p], c + second);
    out[0] = d.finish(n.a[0][p], c);
  }
}

/// Three pixels, `pairs` pairs of rows; apart from its callers, whose variables take registers.
template <class N>
[[gnu::noinline]] void three(const int16_t* x, int words, int step, const Rows<N>& first, int pairs,
                             int out_step, const Clamp<N>& limits) {
  if constexpr (__is_same(N, Int8<Double, layout::Dsp>)) {
    if (pairs == 0) return;
    three_double(x, first.weights, step, x + 2 * words, (-words & 7) * 44, first.bias,
                 first.rescale, first.next_rescale * int{sizeof(Double)}, first.out, out_step,
                 2 * limits.zero + 1, first.out + 2 * pairs);
  } else {
    const Clamp<N> clamp = limits;  // int8 stores alias everything: keep the fields in registers
    Rows<N> row = first;
    for (; pairs > 0; --pairs) tile<N, 3, 2>(x, x + 2 * words, step, clamp, out_step, row);
  }
}

/// One pixel, four rows at a time; returns how many pairs of rows are left.
template <class N>
[[gnu::noinline]] int one(const int16_t* x, int words, Rows<N>& first, int pairs,
                          const Clamp<N>& limits) {
  const Clamp<N> clamp = limits;
  Rows<N> row = first;
  for (; pairs > 1; pairs -= 2) {
    tile<N, 1, 4>(x, x + 2 * words, 4 * words, clamp, 0, row);
    row.weights += 4 * words;
  }
  first.weights = row.weights, first.bias = row.bias, first.rescale = row.rescale;
  first.out = row.out;
  return pairs;
}

/// Windows that are one run, joined weights.
template <class N>
[[gnu::always_inline]] inline void multiply_joined(const Pixels<N>& px, const Matrix& m,
                                                   const Linear<N>& d, const int8_t* weights,
                                                   int c) {
  const Clamp<N>& clamp = d.clamp;
  const int16_t* x = px.window.first;
  const int words = (px.window.length + 1) / 2, rows = m.rows;
  typename N::Out* out = px.out;
  for (int left = px.count; left > 0;) {
    Rows<N> row{weights, d.bias + c, d.rescale + (d.per_channel ? c : 0), d.per_channel, out};
    const int pixels = left > 2 ? 3 : 1;
    if (pixels == 3)
      three<N>(x, words, 2 * px.step, row, rows / 2, px.out_step, clamp);
    else if (const int pairs = one<N>(x, words, row, rows / 2, clamp))
      three<N>(x, words, 0, row, pairs, 0, clamp);  // three times the same pixel
    left -= pixels, x += pixels * px.step, out += pixels * px.out_step;
  }
  if (rows % 2)  // the last has no other: its weights are as they were
    for (int p = 0; p < px.count; ++p) {
      Window<int16_t> w = px.window;
      w.first += p * px.step;
      plain_tile<N, 1>(w, 0, weights + (rows - 1) * 2 * words, 0, d, c + rows - 1,
                       px.out + p * px.out_step + rows - 1, 0);
    }
  if (Finish<N>::limits || (clamp.lo == N::lowest && clamp.hi == N::highest)) return;
  out = px.out;
  for (int left = px.count; left > 0; --left, out += px.out_step)
    for (int r = 0; r < rows; ++r)
      out[r] = out[r] > clamp.hi ? clamp.hi : out[r] < clamp.lo ? clamp.lo : out[r];
}

template <class N, int P>
[[gnu::always_inline]] inline void plain_column(const Pixels<N>& px, Window<int16_t>& w,
                                                const Matrix& m, const Linear<N>& d,
                                                const int8_t* weights, int c,
                                                typename N::Out* out) {
  const int pair = 2 * layout::Dsp::row_size(m);
  for (int r = 0; r < m.rows; r += 2, weights += pair)
    plain_tile<N, P>(w, px.step, weights, r + 1 < m.rows, d, c + r, out + r, px.out_step);
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
