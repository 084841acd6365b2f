/// \file
/// Armv7-M without DSP instructions (Cortex-M3): products one at a time, in tiles as large as its
/// registers hold.
#pragma once

#include "nnom/target/tiles.hpp"

namespace nnom::target {

// The weights of a step lie side by side, those of layout::Vector. A round is eight steps; what it
// has counted lies on the stack, as no register is left.
#define NNOM_STEP_2_4        \
  "ldrsb.w r3, [r2], #1\n\t" \
  "ldrsb.w r5, [r0, r1]\n\t" \
  "ldrsb.w r4, [r0], #1\n\t" \
  "mla r6, r3, r4, r6\n\t"   \
  "mla r7, r3, r5, r7\n\t"   \
  "ldrsb.w r3, [r2], #1\n\t" \
  "mla r8, r3, r4, r8\n\t"   \
  "mla r9, r3, r5, r9\n\t"   \
  "ldrsb.w r3, [r2], #1\n\t" \
  "mla r10, r3, r4, r10\n\t" \
  "mla r11, r3, r5, r11\n\t" \
  "ldrsb.w r3, [r2], #5\n\t" \
  "mla r12, r3, r4, r12\n\t" \
  "mla lr, r3, r5, lr\n\t"
#define NNOM_STEP_1_8        \
  "ldrsb.w r4, [r0], #1\n\t" \
  "ldrsb.w r1, [r2], #1\n\t" \
  "ldrsb.w r3, [r2], #1\n\t" \
  "ldrsb.w r5, [r2], #1\n\t" \
  "mla r6, r1, r4, r6\n\t"   \
  "mla r7, r3, r4, r7\n\t"   \
  "mla r8, r5, r4, r8\n\t"   \
  "ldrsb.w r1, [r2], #1\n\t" \
  "ldrsb.w r3, [r2], #1\n\t" \
  "ldrsb.w r5, [r2], #1\n\t" \
  "mla r9, r1, r4, r9\n\t"   \
  "mla r10, r3, r4, r10\n\t" \
  "mla r11, r5, r4, r11\n\t" \
  "ldrsb.w r1, [r2], #1\n\t" \
  "ldrsb.w r3, [r2], #1\n\t" \
  "mla r12, r1, r4, r12\n\t" \
  "mla lr, r3, r4, lr\n\t"
#define NNOM_ADD_PRODUCTS(step) \
  "push {r0-r11, lr}\n\t"       \
  "mov r2, r1\n\t"              \
  "ldrd r1, r3, [r0, #4]\n\t"   \
  "str r3, [sp, #4]\n\t"        \
  "ldr r4, [r0]\n\t"            \
  "add r3, r0, #40\n\t"         \
  "ldm r3, {r6-r12, lr}\n"      \
  "1:\n\t"                      \
  "ldrd r3, r5, [r0, #32]\n\t"  \
  "strd r5, r4, [sp, #8]\n\t"   \
  "mov r0, r4\n\t"              \
  "add pc, r3\n\t"              \
  "nop.n\n"                     \
  "2:\n\t"                      \
  ".rept 8\n\t" step            \
  ".endr\n\t"                   \
  "ldr r3, [sp, #8]\n\t"        \
  "subs r3, #1\n\t"             \
  "str r3, [sp, #8]\n\t"        \
  "bpl 2b\n\t"                  \
  "ldrd r0, r3, [sp]\n\t"       \
  "subs r3, #1\n\t"             \
  "beq 3f\n\t"                  \
  "str r3, [sp, #4]\n\t"        \
  "ldr r4, [sp, #12]\n\t"       \
  "ldrd r3, r5, [r0, #12]\n\t"  \
  "add r4, r3\n\t"              \
  "cmp r4, r5\n\t"              \
  "itt hs\n\t"                  \
  "ldrhs r5, [r0, #20]\n\t"     \
  "subhs r4, r5\n\t"            \
  "b 1b\n"                      \
  "3:\n\t"                      \
  "adds r0, #40\n\t"            \
  "stm r0, {r6-r12, lr}\n\t"    \
  "add sp, #16\n\t"             \
  "pop {r4-r11, pc}"

struct Thumb2 : Tiles<Thumb2, layout::Vector> {
  static constexpr int pixels = 2, rows[] = {0, 8, 4};

  /// The first round leaves out steps: code[0] bytes of code. code[1] more rounds follow.
  template <int P>
  [[gnu::always_inline]] static void prepare(Tile& tile) {
    tile.code[0] = (-tile.length & 7) * (P == 2 ? 56 : 68);
    tile.code[1] = (tile.length - 1) >> 3;
  }
  template <int P>
  [[gnu::always_inline]] static void add_products(Tile& tile, const int8_t* weights) {
    P == 2 ? add_2_4(tile, weights) : add_1_8(tile, weights);
  }

  [[gnu::always_inline]] static int8_t rescaled(int32_t sum, int32_t multiplier, int32_t right,
                                                int32_t zero) {
    int32_t low;
    asm("smull %0, %1, %1, %2\n\t"
        "adds %0, #0x40000000\n\t"
        "adc %1, #0\n\t"
        "lsls %0, #1\n\t"
        "adc %1, %1\n\t"  // the doubled high half
        "add %1, %1, %1, asr #31\n\t"
        "asrs %1, %3\n\t"  // the carry is the half that is lost
        "adc %1, %4\n\t"
        "ssat %1, #8, %1"
        : "=&r"(low), "+r"(sum)
        : "r"(multiplier), "r"(right), "r"(zero)
        : "cc");
    return static_cast<int8_t>(sum);
  }

 private:
  [[gnu::naked, gnu::noinline]] static void add_2_4(Tile&, const int8_t*) {
    asm volatile(NNOM_ADD_PRODUCTS(NNOM_STEP_2_4)::: "r0", "r1", "r2", "r3", "r12", "cc", "memory");
  }
  [[gnu::naked, gnu::noinline]] static void add_1_8(Tile&, const int8_t*) {
    asm volatile(NNOM_ADD_PRODUCTS(NNOM_STEP_1_8)::: "r0", "r1", "r2", "r3", "r12", "cc", "memory");
  }
};
#undef NNOM_STEP_2_4
#undef NNOM_STEP_1_8
#undef NNOM_ADD_PRODUCTS

}  // namespace nnom::target
