/// \file
/// The inner loops of products with the weights of layout::Dsp, by hand: as many sums as there are
/// registers for.
#pragma once

#include "nnom/numbers.hpp"

namespace nnom::target::dsp {

/// Sums of P pixels for R / 2 pairs of rows (a, b): 256 * A + B where they are joined, else A; and
/// B.
template <int P, int R>
struct Sums {
  int32_t a[R / 2][P], b[R / 2][P];
};

// Steps of two products; eight of them are a round. Consecutive loads take a cycle each after the
// first.
// clang-format off
#define NNOM_STEP_3(w, u, y, z, x, v, s, p, q, r, a, b, c) \
  "ldr.w " w ", [" v "], #4\n\t"                           \
  "ldr.w " y ", [" x ", " s "]\n\t"                        \
  "ldr.w " z ", [" x ", " s ", lsl #1]\n\t"                \
  "ldr.w " u ", [" x "], #4\n\t"                           \
  "smlad " p ", " w ", " u ", " p "\n\t"                   \
  "smlad " q ", " w ", " y ", " q "\n\t"                   \
  "smlad " r ", " w ", " z ", " r "\n\t"                   \
  "sxtb16 " w ", " w "\n\t"                                \
  "smlad " a ", " w ", " u ", " a "\n\t"                   \
  "smlad " b ", " w ", " y ", " b "\n\t"                   \
  "smlad " c ", " w ", " z ", " c "\n\t"
// clang-format on
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
#define NNOM_EIGHT(step) step step step step step step step step
#define NNOM_ROUNDS(skip, step, compare) \
  "add pc, " skip "\n\tnop.n\n1:\n\t" NNOM_EIGHT(step) compare "\n\tbne 1b\n\t"

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

#define NNOM_OUTPUT(twice, sum, place)               \
  twice "smmlar lr, lr, r11, r0\n\tadd lr, lr, " sum \
        ", asr #31\n\tasr lr, lr, r12\n\t"           \
        "ssat lr, #8, lr\n\tstrb.w lr, [r3" place "]\n\t"
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
#undef NNOM_EIGHT

}  // namespace nnom::target::dsp
