/// \file
/// Products of windows with the weights of layout::Dsp: tiles of up to three pixels by two rows, or
/// of one pixel by four, in registers.
#pragma once

#include "nnom/pixels.hpp"
#include "nnom/target/dsp_words.hpp"

namespace nnom::target::dsp {

/// Sums of P pixels for R / 2 pairs of rows (a, b): 256 * A + B where they are joined, else A; and
/// B.
template <int P, int R>
struct Sums {
  int32_t a[R / 2][P], b[R / 2][P];
};

// Steps of two products; eight of them are a round. Consecutive loads take a cycle each after the
// first.
#define NNOM_STEP_3(w, u, y, z, x, v, s, p, q, r, a, b, c) \
  "ldr.w " w ", [" v                                       \
  "], #4\n\t"                                              \
  "ldr.w " y ", [" x ", " s                                \
  "]\n\t"                                                  \
  "ldr.w " z ", [" x ", " s                                \
  ", lsl #1]\n\t"                                          \
  "ldr.w " u ", [" x                                       \
  "], #4\n\t"                                              \
  "smlad " p ", " w ", " u ", " p                          \
  "\n\t"                                                   \
  "smlad " q ", " w ", " y ", " q                          \
  "\n\t"                                                   \
  "smlad " r ", " w ", " z ", " r                          \
  "\n\t"                                                   \
  "sxtb16 " w ", " w                                       \
  "\n\t"                                                   \
  "smlad " a ", " w ", " u ", " a                          \
  "\n\t"                                                   \
  "smlad " b ", " w ", " y ", " b                          \
  "\n\t"                                                   \
  "smlad " c ", " w ", " z ", " c "\n\t"
#define NNOM_STEP_1_4                \
  "ldr.w %[y], [%[v], %[s]]\n\t"     \
  "ldr.w %[w], [%[v]], #4\n\t"       \
  "ldr.w %[u], [%[x]], #4\n\t"       \
  "smlad %[p], %[w], %[u], %[p]\n\t" \
  "smlad %[q], %[y], %[u], %[q]\n\t" \
  "sxtb16 %[w], %[w]\n\t"            \
  "sxtb16 %[y], %[y]\n\t"            \
  "smlad %[a], %[w], %[u], %[a]\n\t" \
  "smlad %[b], %[y], %[u], %[b]\n\t"
// The same of rows that are not joined.
#define NNOM_STEP_2_PLAIN            \
  "ldr.w %[w], [%[v]], #4\n\t"       \
  "ldr.w %[y], [%[x], %[s]]\n\t"     \
  "ldr.w %[u], [%[x]], #4\n\t"       \
  "sxtb16 %[z], %[w], ror #8\n\t"    \
  "sxtb16 %[w], %[w]\n\t"            \
  "smlad %[p], %[z], %[u], %[p]\n\t" \
  "smlad %[q], %[z], %[y], %[q]\n\t" \
  "smlad %[a], %[w], %[u], %[a]\n\t" \
  "smlad %[b], %[w], %[y], %[b]\n\t"
#define NNOM_STEP_1_PLAIN            \
  "ldr.w %[w], [%[v]], #4\n\t"       \
  "ldr.w %[u], [%[x]], #4\n\t"       \
  "sxtb16 %[y], %[w], ror #8\n\t"    \
  "sxtb16 %[w], %[w]\n\t"            \
  "smlad %[p], %[y], %[u], %[p]\n\t" \
  "smlad %[a], %[w], %[u], %[a]\n\t"
// The first round leaves out `skip` bytes of steps, so that the last ends where the window does.
#define NNOM_ROUNDS(skip, step, compare)                                              \
  "add pc, " skip "\n\tnop.n\n1:\n\t" step step step step step step step step compare \
  "\n\tbne "                                                                          \
  "1b\n\t"

/// Adds the products of the weights from v on with the pixels from x to `end`; pixels (R = 2) or
/// pairs of rows (R = 4) are `step` bytes apart. Joined rows are three pixels by two or one by
/// four. Returns where it stopped in the weights.
template <int P, int R, bool Joined>
[[gnu::always_inline]] inline const int8_t* add_products(const int16_t* x, const int16_t* end,
                                                         const int8_t* v, int step, Sums<P, R>& n) {
  constexpr int instructions = Joined ? (P == 3 ? 11 : 9) : 3 + 3 * P;
  uint32_t w, y, z, u = static_cast<uint32_t>((x - end) / 2 & 7) * 4 * instructions;
  if constexpr (P == 3)  // takes all registers there are: `end` comes in one that is then free
    asm volatile("push {%[z]}\n\t" NNOM_ROUNDS(
                     "%[u]",
                     NNOM_STEP_3("%[w]", "%[u]", "%[y]", "%[z]", "%[x]", "%[v]", "%[s]", "%[p]",
                                 "%[q]", "%[r]", "%[a]", "%[b]", "%[c]"),
                     "ldr.w %[u], [sp]\n\tcmp %[x], %[u]") "add sp, #4"
                 : [p] "+r"(n.a[0][0]), [q] "+r"(n.a[0][1]), [r] "+r"(n.a[0][2]),
                   [a] "+r"(n.b[0][0]), [b] "+r"(n.b[0][1]), [c] "+r"(n.b[0][2]), [x] "+r"(x),
                   [v] "+r"(v), [u] "+r"(u), [z] "+r"(end), [w] "=&r"(w), [y] "=&r"(y)
                 : [s] "r"(step)
                 : "cc", "memory");
#define NNOM_FOUR_SUMS(step_of, q_sum, b_sum)                                                    \
  asm volatile(NNOM_ROUNDS("%[u]", step_of, "ldr.w %[u], %[end]\n\tcmp %[x], %[u]")              \
               : [p] "+r"(n.a[0][0]), [q] "+r"(q_sum), [a] "+r"(n.b[0][0]), [b] "+r"(b_sum),     \
                 [x] "+r"(x), [v] "+r"(v), [u] "+r"(u), [w] "=&r"(w), [y] "=&r"(y), [z] "=&r"(z) \
               : [s] "r"(step), [end] "m"(end)                                                   \
               : "cc", "memory")
  else if constexpr (P == 2)
    NNOM_FOUR_SUMS(NNOM_STEP_2_PLAIN, n.a[0][1], n.b[0][1]);
  else if constexpr (R == 4)
    NNOM_FOUR_SUMS(NNOM_STEP_1_4, n.a[1][0], n.b[1][0]);
  else
    asm volatile(NNOM_ROUNDS("%[u]", NNOM_STEP_1_PLAIN, "ldr.w %[u], %[end]\n\tcmp %[x], %[u]")
                 : [p] "+r"(n.a[0][0]), [a] "+r"(n.b[0][0]), [x] "+r"(x), [v] "+r"(v), [u] "+r"(u),
                   [w] "=&r"(w), [y] "=&r"(y)
                 : [end] "m"(end)
                 : "cc", "memory");
  return v;
}
#undef NNOM_FOUR_SUMS
#undef NNOM_STEP_1_4
#undef NNOM_STEP_2_PLAIN
#undef NNOM_STEP_1_PLAIN

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

#define NNOM_OUTPUT(twice, sum, place)               \
  twice "smmlar lr, lr, r11, r0\n\tadd lr, lr, " sum \
        ", asr #31\n\t"                              \
        "asr lr, lr, r12\n\tssat lr, #8, lr\n\tstrb.w lr, [r3" place "]\n\t"
#define NNOM_OUTPUT_A(sum, place) NNOM_OUTPUT("asr lr, " sum ", #7\n\t", sum, place)
#define NNOM_OUTPUT_B(sum, place) NNOM_OUTPUT("lsl lr, " sum ", #1\n\t", sum, place)
/// What three() does for Int8<Double>, from the first output `out` to the last; all registers by
/// hand, where GCC takes a quarter more cycles than this around the products. `skip` is in bytes of
/// steps, next_rescale in bytes, `zero` twice the zero point and 1.
[[gnu::naked, gnu::noinline]] inline void three_double(const int16_t*, const int8_t*, int /*step*/,
                                                       const int16_t* /*end*/, int /*skip*/,
                                                       const int32_t* /*bias*/, const Double*,
                                                       int /*next_rescale*/, int8_t* /*out*/,
                                                       int /*out_step*/, int /*zero*/,
                                                       int8_t* /*out_end*/) {
  asm volatile(
      // x, v, step, end at sp, then what is saved; at sp + 52: skip, bias, rescale, next_rescale,
      // out, out_step, zero, out_end. Sums are r4 to r9; r0 is x, r1 v, r2 step.
      "push {r0-r11, lr}\n"
      "2:\n\t"
      "ldr lr, [sp, #56]\n\tldr r0, [sp]\n\tldr r12, [sp, #52]\n\t"
      "ldr r4, [lr], #4\n\tldr r7, [lr], #4\n\tstr lr, [sp, #56]\n\t"
      "add r4, r7, r4, lsl #8\n\t"
      "mov r5, r4\n\tmov r6, r4\n\tmov r8, r7\n\tmov r9, r7\n\t"  //
      NNOM_ROUNDS("r12",
                  NNOM_STEP_3("r3", "r12", "r10", "r11", "r0", "r1", "r2", "r4", "r5", "r6", "r7",
                              "r8", "r9"),
                  "ldr r12, [sp, #12]\n\tcmp r0, r12")
      // r3 is out, r10 out_step, r0 the offset, r11 multiplier, r12 shift.
      "ldr lr, [sp, #60]\n\tldr r3, [sp, #68]\n\tldr r10, [sp, #72]\n\tldr r0, [sp, #76]\n\t"
      "ldr r11, [lr]\n\tldr r12, [lr, #4]\n\t"
      "sub r4, r7\n\tsub r5, r8\n\tsub r6, r9\n\t"
      "mvn lr, r12\n\tlsl r0, r0, lr\n\trsb r12, r12, #0\n\t"  //
      NNOM_OUTPUT_A("r4", "") NNOM_OUTPUT_A("r5", ", r10") NNOM_OUTPUT_A("r6", ", r10, lsl #1")
      "ldr lr, [sp, #60]\n\tldr r4, [sp, #64]\n\tldr r0, [sp, #76]\n\t"
      "add lr, r4\n\tldr r11, [lr]\n\tldr r12, [lr, #4]\n\t"
      "add lr, r4\n\tstr lr, [sp, #60]\n\t"
      "mvn lr, r12\n\tlsl r0, r0, lr\n\trsb r12, r12, #0\n\tadd r3, #1\n\t"  //
      NNOM_OUTPUT_B("r7", "") NNOM_OUTPUT_B("r8", ", r10") NNOM_OUTPUT_B("r9", ", r10, lsl #1")
      "add r3, #1\n\tstr r3, [sp, #68]\n\tldr lr, [sp, #80]\n\tcmp r3, lr\n\tbne.w 2b\n\t"
      "add sp, #16\n\tpop {r4-r11, pc}");
}
#undef NNOM_OUTPUT_B
#undef NNOM_OUTPUT_A
#undef NNOM_OUTPUT
#undef NNOM_STEP_3
#undef NNOM_ROUNDS

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
