/// \file
/// Armv6-M and Armv8-M Baseline (Cortex-M0, M0+, M23): products of one pixel with four rows.
#pragma once

#include "nnom/target/tiles.hpp"

namespace nnom::target {

struct Thumb1 : Tiles<Thumb1, layout::Plain> {
  static constexpr int pixels = 1, rows[] = {0, 4};

  /// The first round leaves out steps: code[0] bytes of code.
  template <int>
  [[gnu::always_inline]] static void prepare(Tile& tile) {
    tile.code[0] = (-tile.length & 3) * 28;
  }
  /// By hand, with sums in high registers. All five pointers go to the end of a run of taps; r5
  /// counts up to it.
  template <int>
  [[gnu::naked, gnu::noinline]] static void add_products(Tile&, const int8_t*) {
    asm volatile(
        ".syntax unified\n\t"
        "push {r4-r7, lr}\n\t"
        "mov r4, r8\n\t"
        "mov r5, r9\n\t"
        "mov r6, r10\n\t"
        "mov r7, r11\n\t"
        "push {r4-r7}\n\t"
        "mov r12, r0\n\t"
        "adds r0, #40\n\t"
        "ldm r0!, {r4-r7}\n\t"
        "mov r8, r4\n\t"
        "mov r9, r5\n\t"
        "mov r10, r6\n\t"
        "mov r11, r7\n\t"
        "mov r6, r12\n\t"
        "ldr r5, [r6, #28]\n\t"
        "adds r2, r1, r5\n\t"
        "adds r3, r2, r5\n\t"
        "adds r4, r3, r5\n\t"
        "ldr r0, [r6]\n\t"
        "ldr r7, [r6, #8]\n\t"
        "mov lr, r7\n"
        "1:\n\t"
        "ldr r7, [r6, #32]\n\t"
        "ldr r5, [r6, #24]\n\t"
        "adds r0, r5\n\t"
        "adds r1, r5\n\t"
        "adds r2, r5\n\t"
        "adds r3, r5\n\t"
        "adds r4, r5\n\t"
        "negs r5, r5\n\t"
        "add pc, r7\n\t"
        "nop\n"
        "2:\n\t"
        ".rept 4\n\t"
        "ldrsb r6, [r0, r5]\n\t"
        "ldrsb r7, [r1, r5]\n\t"
        "muls r7, r6\n\t"
        "add r8, r7\n\t"
        "ldrsb r7, [r2, r5]\n\t"
        "muls r7, r6\n\t"
        "add r9, r7\n\t"
        "ldrsb r7, [r3, r5]\n\t"
        "muls r7, r6\n\t"
        "add r10, r7\n\t"
        "ldrsb r7, [r4, r5]\n\t"
        "muls r7, r6\n\t"
        "add r11, r7\n\t"
        "adds r5, #1\n\t"
        ".endr\n\t"
        "bmi 2b\n\t"
        "mov r7, lr\n\t"
        "subs r7, #1\n\t"
        "beq 3f\n\t"
        "mov lr, r7\n\t"
        "mov r6, r12\n\t"
        "ldr r7, [r6, #12]\n\t"
        "ldr r5, [r6, #24]\n\t"
        "subs r7, r5\n\t"
        "adds r0, r7\n\t"
        "ldr r7, [r6, #16]\n\t"
        "cmp r0, r7\n\t"
        "blo 1b\n\t"
        "ldr r7, [r6, #20]\n\t"
        "subs r0, r7\n\t"
        "b 1b\n"
        "3:\n\t"
        "mov r4, r8\n\t"
        "mov r5, r9\n\t"
        "mov r6, r10\n\t"
        "mov r7, r11\n\t"
        "mov r0, r12\n\t"
        "adds r0, #40\n\t"
        "stm r0!, {r4-r7}\n\t"
        "pop {r4-r7}\n\t"
        "mov r8, r4\n\t"
        "mov r9, r5\n\t"
        "mov r10, r6\n\t"
        "mov r11, r7\n\t"
        "pop {r4-r7, pc}" ::
            : "r0", "r1", "r2", "r3", "r12", "cc", "memory");
  }

  /// The product of halves: this processor has no other.
  [[gnu::always_inline]] static int8_t rescaled(int32_t sum, int32_t multiplier, int32_t right,
                                                int32_t zero) {
    const int32_t sum_low = sum & 0xFFFF, sum_high = sum >> 16;
    const int32_t low = multiplier & 0xFFFF, high = multiplier >> 16;
    const uint32_t lowest = static_cast<uint32_t>(sum_low) * static_cast<uint32_t>(low);
    const int32_t a = sum_high * low + static_cast<int32_t>(lowest >> 16), b = sum_low * high;
    const int32_t middle = (a & 0xFFFF) + (b & 0xFFFF) + (1 << 14);
    const int32_t p = (sum_high * high + (a >> 16) + (b >> 16)) * 2 + (middle >> 15);
    const int32_t value = ((((p + (p >> 31)) >> (right - 1)) + 1) >> 1) + zero;
    return static_cast<int8_t>(value < INT8_MIN ? INT8_MIN : value > INT8_MAX ? INT8_MAX : value);
  }
};

}  // namespace nnom::target
