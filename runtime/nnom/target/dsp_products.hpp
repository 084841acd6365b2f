/// \file
/// The inner loops of products with the weights of layout::Dsp, by hand: as many sums as there are
/// registers for.
#pragma once

#include "nnom/numbers.hpp"

namespace nnom::target::dsp {

// Steps of two products; eight or sixteen of them are a round. Consecutive loads take a cycle each
// after the first. Two pixels by four joined rows:
// clang-format off
#define NNOM_STEP_2_4                                  \
  "ldr.w r2, [r1], #4\n\tldr.w r3, [r1], #4\n\t"       \
  "ldr.w r12, [r0], #4\n\tldr.w lr, [r0], #4\n\t"      \
  "smlad r4, r2, r12, r4\n\tsmlad r5, r2, lr, r5\n\t"  \
  "smlad r8, r3, r12, r8\n\tsmlad r9, r3, lr, r9\n\t"  \
  "sxtb16 r2, r2\n\tsxtb16 r3, r3\n\t"                 \
  "smlad r6, r2, r12, r6\n\tsmlad r7, r2, lr, r7\n\t"  \
  "smlad r10, r3, r12, r10\n\tsmlad r11, r3, lr, r11\n\t"
// One pixel by four joined rows.
#define NNOM_STEP_1_4                                        \
  "ldr.w %[w], [%[v]], #4\n\tldr.w %[y], [%[v]], #4\n\t"     \
  "ldr.w %[u], [%[x]], #4\n\t"                               \
  "smlad %[p], %[w], %[u], %[p]\n\t"                         \
  "smlad %[q], %[y], %[u], %[q]\n\t"                         \
  "sxtb16 %[w], %[w]\n\tsxtb16 %[y], %[y]\n\t"               \
  "smlad %[a], %[w], %[u], %[a]\n\t"                         \
  "smlad %[b], %[y], %[u], %[b]\n\t"
// Two pixels, or one, by a pair of rows that are not joined.
#define NNOM_STEP_2_PLAIN                                    \
  "ldr.w %[w], [%[v]], #8\n\tldr.w %[y], [%[x], %[s]]\n\t"   \
  "ldr.w %[u], [%[x]]\n\tldr.w %[z], %[k]\n\t"             \
  "add.w %[x], %[z]\n\t"                                     \
  "sxtb16 %[z], %[w], ror #8\n\tsxtb16 %[w], %[w]\n\t"       \
  "smlad %[p], %[z], %[u], %[p]\n\t"                         \
  "smlad %[q], %[z], %[y], %[q]\n\t"                         \
  "smlad %[a], %[w], %[u], %[a]\n\t"                         \
  "smlad %[b], %[w], %[y], %[b]\n\t"
#define NNOM_STEP_1_PLAIN                                    \
  "ldr.w %[w], [%[v]], #8\n\tldr.w %[u], [%[x]]\n\t"         \
  "add.w %[x], %[k]\n\t"                                     \
  "sxtb16 %[y], %[w], ror #8\n\tsxtb16 %[w], %[w]\n\t"       \
  "smlad %[p], %[y], %[u], %[p]\n\t"                         \
  "smlad %[a], %[w], %[u], %[a]\n\t"
// clang-format on
// The first round leaves out `skip` bytes of steps, so that the last ends where the window does.
#define NNOM_ROUNDS(skip, steps, compare) \
  "add pc, " skip "\n\tnop.n\n1:\n\t" steps compare "\n\tbne.w 1b\n\t"
#define NNOM_EIGHT(step) step step step step step step step step
#define NNOM_SIXTEEN(step) NNOM_EIGHT(step) NNOM_EIGHT(step)

/// Bytes of the steps, each of some instructions, that the first of the rounds for `words` steps
/// leaves out.
constexpr int skip(int words, int instructions, int round = 8) {
  return (-words & (round - 1)) * 4 * instructions;
}

/// Sums of a pair of rows (a, b) at P pixels: 256 * A + B where they are joined, else A; and B.
template <int P>
struct Sums {
  int32_t a[P], b[P];
};

/// Adds the products of one pixel, `words` pairs of elements from x on, with four joined rows.
/// Returns the weights behind theirs.
[[gnu::always_inline]] inline const int8_t* add_four(const int16_t* x, int words, const int8_t* v,
                                                     Sums<1> (&n)[2]) {
  const int16_t* const end = x + 2 * words;
  int w, y, u = skip(words, 9);
  asm volatile(
      NNOM_ROUNDS("%[u]", NNOM_EIGHT(NNOM_STEP_1_4), "ldr.w %[u], %[end]\n\tcmp %[x], %[u]")
      : [p] "+r"(n[0].a[0]), [q] "+r"(n[1].a[0]), [a] "+r"(n[0].b[0]), [b] "+r"(n[1].b[0]),
        [x] "+r"(x), [v] "+r"(v), [u] "+r"(u), [w] "=&r"(w), [y] "=&r"(y)
      : [end] "m"(end)
      : "cc", "memory");
  return v;
}

/// Adds the products of P pixels, `step` elements apart, with a pair of rows that are not joined;
/// from a pair of elements to the next there are `next`.
template <int P>
[[gnu::always_inline]] inline void add_plain(const int16_t* x, int words, int next, int step,
                                             const int8_t* v, Sums<P>& n) {
  const int16_t* const end = x + words * next;
  const int next_bytes = 2 * next;
  int w, y, u = skip(words, P == 2 ? 11 : 7);
  if constexpr (P == 2) {
    int z;
    asm volatile(
        NNOM_ROUNDS("%[u]", NNOM_EIGHT(NNOM_STEP_2_PLAIN), "ldr.w %[u], %[end]\n\tcmp %[x], %[u]")
        : [p] "+r"(n.a[0]), [q] "+r"(n.a[1]), [a] "+r"(n.b[0]), [b] "+r"(n.b[1]), [x] "+r"(x),
          [v] "+r"(v), [u] "+r"(u), [w] "=&r"(w), [y] "=&r"(y), [z] "=&r"(z)
        : [s] "r"(2 * step), [k] "m"(next_bytes), [end] "m"(end)
        : "cc", "memory");
  } else {
    asm volatile(
        NNOM_ROUNDS("%[u]", NNOM_EIGHT(NNOM_STEP_1_PLAIN), "ldr.w %[u], %[end]\n\tcmp %[x], %[u]")
        : [p] "+r"(n.a[0]), [a] "+r"(n.b[0]), [x] "+r"(x), [v] "+r"(v), [u] "+r"(u), [w] "=&r"(w),
          [y] "=&r"(y)
        : [k] "r"(next_bytes), [end] "m"(end)
        : "cc", "memory");
  }
}
#undef NNOM_STEP_1_4
#undef NNOM_STEP_2_PLAIN
#undef NNOM_STEP_1_PLAIN

/// Adds the products of two pixels, paired, from x to `end`, with four joined rows to the sums of
/// both pairs. `skip` is in bytes of steps. Returns the weights behind theirs.
[[gnu::naked, gnu::noinline]] inline const int8_t* add_eight(const int16_t* /*x*/,
                                                             const int8_t* /*v*/,
                                                             const int16_t* /*end*/, int /*skip*/,
                                                             Sums<2> (*)[2]) {
  asm volatile(
      "push {r2, r4-r11, lr}\n\t"
      "mov r12, r3\n\t"
      "ldr lr, [sp, #40]\n\tldm lr, {r4-r11}\n\t"  //
      NNOM_ROUNDS("r12", NNOM_SIXTEEN(NNOM_STEP_2_4), "ldr r12, [sp]\n\tcmp r0, r12")
      "ldr lr, [sp, #40]\n\tstm lr, {r4-r11}\n\t"
      "mov r0, r1\n\tpop {r2, r4-r11, pc}");
}

// The factors of a channel, whose place is in `at`: the multiplier to r12, the right shift less one
// to r2, and the offset to r0.
#define NNOM_FACTORS(at)              \
  "ldr r12, [" at "]\n\tldr r2, [" at \
  ", #4]\n\tldr r0, [sp, #72]\n\t"    \
  "mvn r2, r2\n\tlsl r0, r0, r2\n\t"
#define NNOM_OUTPUT(twice, sum, place)               \
  twice "smmlar lr, lr, r12, r0\n\tadd lr, lr, " sum \
        ", asr #31\n\tasr lr, lr, r2\n\t"            \
        "ssat lr, #8, lr, asr #1\n\tstrb.w lr, " place "\n\t"
#define NNOM_OUTPUTS(twice, first, second)       \
  NNOM_OUTPUT(twice(second), second, "[r3, r1]") \
  NNOM_OUTPUT(twice(first), first, "[r3], #1")
#define NNOM_TWICE_A(sum) "asr lr, " sum ", #7\n\t"
#define NNOM_TWICE_B(sum) "lsl lr, " sum ", #1\n\t"
/// What eight() does for Int8<Double>, from the first output `out` to the last; all registers by
/// hand. next_rescale is in bytes, `zero` twice the zero point and 1. The first pixel is written
/// after the second.
[[gnu::naked, gnu::noinline]] inline void eight_double(const int16_t*, const int8_t*,
                                                       const int16_t* /*end*/, int /*skip*/,
                                                       const int32_t* /*bias*/, const Double*,
                                                       int /*next_rescale*/, int8_t* /*out*/,
                                                       int /*out_step*/, int /*zero*/,
                                                       int8_t* /*out_end*/) {
  asm volatile(
      // x, v, end, skip at sp, then what is saved; at sp + 52: bias, rescale, next_rescale, out,
      // out_step, zero, out_end. Sums are r4 to r11; r0 is x, r1 v.
      "push {r0-r11, lr}\n"
      "2:\n\t"
      "ldr r0, [sp]\n\tldr r1, [sp, #4]\n\tldr r12, [sp, #12]\n\tldr lr, [sp, #52]\n\t"
      "ldm lr!, {r4, r6, r8, r10}\n\tstr lr, [sp, #52]\n\t"
      "add r4, r6, r4, lsl #8\n\tadd r8, r10, r8, lsl #8\n\t"
      "mov r5, r4\n\tmov r7, r6\n\tmov r9, r8\n\tmov r11, r10\n\t"  //
      NNOM_ROUNDS("r12", NNOM_SIXTEEN(NNOM_STEP_2_4), "ldr r12, [sp, #8]\n\tcmp r0, r12")
      // r3 is out, r1 out_step, r12, r2 and r0 are factors.
      "str r1, [sp, #4]\n\tldr r3, [sp, #64]\n\tldr r1, [sp, #68]\n\tldr lr, [sp, #56]\n\t"  //
      NNOM_FACTORS("lr")
      "sub r4, r6\n\tsub r5, r7\n\tsub r8, r10\n\tsub r9, r11\n\t"  //
      NNOM_OUTPUTS(NNOM_TWICE_A, "r4", "r5")
      "ldr r4, [sp, #56]\n\tldr r5, [sp, #60]\n\tadd r4, r5\n\t"  //
      NNOM_FACTORS("r4") NNOM_OUTPUTS(NNOM_TWICE_B, "r6", "r7")
      "add r4, r5\n\t" NNOM_FACTORS("r4") NNOM_OUTPUTS(NNOM_TWICE_A, "r8", "r9")
      "add r4, r5\n\t" NNOM_FACTORS("r4") NNOM_OUTPUTS(NNOM_TWICE_B, "r10", "r11")
      "add r4, r5\n\tstr r4, [sp, #56]\n\tstr r3, [sp, #64]\n\t"
      "ldr lr, [sp, #76]\n\tcmp r3, lr\n\tbne.w 2b\n\t"
      "add sp, #16\n\tpop {r4-r11, pc}");
}
#undef NNOM_TWICE_B
#undef NNOM_TWICE_A
#undef NNOM_OUTPUTS
#undef NNOM_OUTPUT
#undef NNOM_FACTORS
#undef NNOM_STEP_2_4
#undef NNOM_ROUNDS
#undef NNOM_SIXTEEN
#undef NNOM_EIGHT

}  // namespace nnom::target::dsp
