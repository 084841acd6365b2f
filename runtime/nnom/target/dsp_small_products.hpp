/// \file
/// The loops of dsp_small.hpp by hand: four rows of weights, four products of int8 a step.
#pragma once

#include "nnom/numbers.hpp"

namespace nnom::target::dsp {

// r0 is the window, of r3 elements, r1 the first row, r2 from one to the next and r8 three times
// that; sums are r4 to r7. Leaves r1 behind the row.
#define NNOM_ROW(w, sum)                                                   \
  "sxtb16 lr, " w "\n\tsmlad " sum ", lr, r9, " sum "\n\tsxtb16 " w ", " w \
  ", ror #8\n\t"                                                           \
  "smlad " sum ", " w ", r10, " sum "\n\t"
#define NNOM_PRODUCT(place, sum) "ldrsb r10, [r1" place "\n\tsmlabb " sum ", r9, r10, " sum "\n\t"
#define NNOM_STEP                                                                                \
  "ldr r10, [r0], #4\n\tldr.w r11, [r1, r2]\n\tldr.w r12, [r1, r2, lsl #1]\n\t"                  \
  "sxtb16 r9, r10\n\tsxtb16 r10, r10, ror #8\n\t" NNOM_ROW("r11", "r5")                          \
      NNOM_ROW("r12", "r6") "ldr.w r12, [r1, r8]\n\tldr r11, [r1], #4\n\t" NNOM_ROW("r12", "r7") \
          NNOM_ROW("r11", "r4")
// Two steps at a time: an odd one begins in the middle.
#define NNOM_PRODUCTS \
  "add r8, r2, r2, lsl #1\n\ttst r3, #4\n\titt ne\n\tsubne r3, #4\n\tbne 4f\n\t"           \
  "subs r3, #8\n\tblt 5f\n"                                                                 \
  "3:\n\t" NNOM_STEP "4:\n\t" NNOM_STEP "subs r3, #8\n\tbge 3b\n"                           \
  "5:\n\tadds r3, #8\n\tbeq 7f\n"                                                          \
  "6:\n\tldrsb r9, [r0], #1\n\t" NNOM_PRODUCT(", r2]", "r5")                               \
  NNOM_PRODUCT(", r2, lsl #1]", "r6") NNOM_PRODUCT(", r8]", "r7") NNOM_PRODUCT("], #1", "r4") \
  "subs r3, #1\n\tbne 6b\n"                                                                 \
  "7:\n\t"

/// sum[i] += x . row i of `weights`, for four rows that are `step` apart, over n products.
[[gnu::naked, gnu::noinline]] inline void add_products(const int8_t* /*x*/,
                                                       const int8_t* /*weights*/, int /*step*/,
                                                       int /*n*/, int32_t* /*sum*/) {
  asm volatile(
      "push {r4-r11, lr}\n\t"
      "ldr r12, [sp, #36]\n\tldm r12, {r4-r7}\n\t"  //
      NNOM_PRODUCTS
      "ldr r12, [sp, #36]\n\tstm r12, {r4-r7}\n\t"
      "pop {r4-r11, pc}");
}

/// What belongs to the rows of a matrix, and where their outputs go.
struct RowsOfDouble {
  const int32_t* bias;
  const Double* rescale;
  int next_rescale;  ///< bytes
  int8_t* out;
  int most;  ///< rows at a time: 4, or 1 of less
  int zero, lo, hi;
  int left;  ///< rows
};

/// Writes what Double gives for a window of n elements and rows of as many weights.
[[gnu::naked, gnu::noinline]] inline void multiply_double(const int8_t* /*x*/,
                                                          const int8_t* /*weights*/, int /*n*/,
                                                          RowsOfDouble& /*rows*/) {
  asm volatile(
      // Four sums at sp; x, n and rows at sp + 16.
      "push {r0, r2-r11, lr}\n\tsub sp, #16\n"
      "1:\n\t"
      "ldr r0, [sp, #16]\n\tldr r3, [sp, #20]\n\tldr r12, [sp, #24]\n\t"
      "ldr lr, [r12]\n\tldr r10, [r12, #16]\n\t"
      "ldr r4, [lr]\n\tmovs r2, #0\n\tcmp r10, #1\n\t"
      "itttt ne\n\tmovne r2, r3\n\t"
      "ldrne r5, [lr, #4]\n\tldrne r6, [lr, #8]\n\tldrne r7, [lr, #12]\n\t"  //
      NNOM_PRODUCTS
      "stm sp, {r4-r7}\n\t"
      "add r1, r8\n\tldr r12, [sp, #24]\n\tmov r2, sp\n\t"
      // bias, rescale, next_rescale, out, most, zero, lo, hi
      "ldm r12, {r3-r10}\n\t"
      "add r3, r3, r7, lsl #2\n\tstr r3, [r12]\n"
      "8:\n\t"
      "ldr r11, [r2], #4\n\tldrd r0, r3, [r4]\n\tadd r4, r5\n\t"
      "cmp r3, #0\n\tit gt\n\tlslgt r11, r3\n\t"
      "smull r0, r11, r11, r0\n\tadds r0, r0, #0x40000000\n\tadc r11, r11, #0\n\t"
      "lsls r0, #1\n\tadc r11, r11, r11\n\t"  // the doubled high half
      "rsbs r3, #0\n\tble 9f\n\t"
      "add r11, r11, r11, asr #31\n\tasrs r11, r3\n\tadc r11, r11, #0\n"  // with what is lost
      "9:\n\t"
      "qadd r11, r11, r8\n\t"
      "cmp r11, r9\n\tit lt\n\tmovlt r11, r9\n\tcmp r11, r10\n\tit gt\n\tmovgt r11, r10\n\t"
      "strb r11, [r6], #1\n\tsubs r7, #1\n\tbne 8b\n\t"
      "ldr r2, [r12, #16]\n\tldr r3, [r12, #32]\n\tsubs r3, r2\n\tble 11f\n\t"
      "cmp r3, r2\n\tbge 10f\n\t"
      // Less than four: back to the fourth last.
      "sub r0, r2, r3\n\tmov r3, r2\n\tldr r7, [sp, #20]\n\tmls r1, r0, r7, r1\n\t"
      "mls r4, r0, r5, r4\n\tsubs r6, r0\n\t"
      "ldr r7, [r12]\n\tsub r7, r7, r0, lsl #2\n\tstr r7, [r12]\n"
      "10:\n\t"
      "str r4, [r12, #4]\n\tstr r6, [r12, #12]\n\tstr r3, [r12, #32]\n\t"
      "b 1b\n"
      "11:\n\tadd sp, #28\n\tpop {r4-r11, pc}");
}
#undef NNOM_PRODUCTS
#undef NNOM_STEP
#undef NNOM_PRODUCT
#undef NNOM_ROW

}  // namespace nnom::target::dsp
