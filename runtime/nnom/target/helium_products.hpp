/// \file
/// Products of int8 on Helium, by hand: of one or two pixels with the four rows that layout::Helium
/// packs together, and of one with one.
#pragma once

#include <arm_mve.h>

namespace nnom::helium {

/// The biases and x . row, y . row of the four rows at w. Returns the weights behind theirs.
[[gnu::always_inline]] inline const int8_t* four(const int8_t* x, const int8_t* y, const int8_t* w,
                                                 const int& n, const int32_t* bias,
                                                 int32x4_t (&acc)[2]) {
  int32x4_t a, b;  // of x and y, before they are of their accumulators
  int8x16_t e;
  asm volatile(
      "ldm %[k], {r0, r2, r4, r6}\n\t"
      "ldm %[k], {r8, r10, r12, lr}\n\t"
      "ldr %[k], %[n]\n\t"
      "subs %[k], #16\n\t"
      "blt 2f\n"
      "1:\n\t"
      "vldrb.8 %q[a], [%[x]], #16\n\t"
      "vldrb.8 %q[e], [%[w]], #64\n\t"
      "vmladava.s8 r0, %q[a], %q[e]\n\t"
      "vldrb.8 %q[b], [%[y]], #16\n\t"
      "vmladava.s8 r8, %q[b], %q[e]\n\t"
      "vldrb.8 %q[e], [%[w], #-48]\n\t"
      "vmladava.s8 r2, %q[a], %q[e]\n\t"
      "vmladava.s8 r10, %q[b], %q[e]\n\t"
      "vldrb.8 %q[e], [%[w], #-32]\n\t"
      "vmladava.s8 r4, %q[a], %q[e]\n\t"
      "vmladava.s8 r12, %q[b], %q[e]\n\t"
      "vldrb.8 %q[e], [%[w], #-16]\n\t"
      "subs %[k], #16\n\t"
      "vmladava.s8 r6, %q[a], %q[e]\n\t"
      "vmladava.s8 lr, %q[b], %q[e]\n\t"
      "bge 1b\n"
      "2:\n\t"
      "adds %[k], #16\n\t"
      "beq 3f\n\t"
      "vctp.8 %[k]\n\t"
      "vpstt\n\t"
      "vldrbt.u8 %q[a], [%[x]]\n\t"
      "vldrbt.u8 %q[b], [%[y]]\n\t"
      "vldrb.8 %q[e], [%[w]]\n\t"
      "vmladava.s8 r0, %q[a], %q[e]\n\t"
      "vmladava.s8 r8, %q[b], %q[e]\n\t"
      "vldrb.8 %q[e], [%[w], #16]\n\t"
      "vmladava.s8 r2, %q[a], %q[e]\n\t"
      "vmladava.s8 r10, %q[b], %q[e]\n\t"
      "vldrb.8 %q[e], [%[w], #32]\n\t"
      "vmladava.s8 r4, %q[a], %q[e]\n\t"
      "vmladava.s8 r12, %q[b], %q[e]\n\t"
      "vldrb.8 %q[e], [%[w], #48]\n\t"
      "vmladava.s8 r6, %q[a], %q[e]\n\t"
      "vmladava.s8 lr, %q[b], %q[e]\n\t"
      "adds %[w], #64\n"
      "3:\n\t"
      "vmov %q[a][2], %q[a][0], r0, r4\n\t"
      "vmov %q[a][3], %q[a][1], r2, r6\n\t"
      "vmov %q[b][2], %q[b][0], r8, r12\n\t"
      "vmov %q[b][3], %q[b][1], r10, lr"
      : [a] "=&w"(a), [b] "=&w"(b), [e] "=&w"(e), [x] "+r"(x), [y] "+r"(y), [w] "+r"(w),
        [k] "+r"(bias)
      : [n] "m"(n)
      : "r0", "r2", "r4", "r6", "r8", "r10", "r12", "lr", "cc", "memory");
  acc[0] = a, acc[1] = b;
  return w;
}

/// The same of x alone.
[[gnu::always_inline]] inline const int8_t* four(const int8_t* x, const int8_t*, const int8_t* w,
                                                 int n, const int32_t* bias, int32x4_t (&acc)[1]) {
  int32x4_t a;
  int8x16_t e;
  asm volatile(
      "ldm %[bias], {r0, r2, r4, r6}\n\t"
      "wlstp.8 lr, %[n], 2f\n"
      "1:\n\t"
      "vldrb.8 %q[a], [%[x]], #16\n\t"
      "vldrb.8 %q[e], [%[w]], #64\n\t"
      "vmladava.s8 r0, %q[a], %q[e]\n\t"
      "vldrb.8 %q[e], [%[w], #-48]\n\t"
      "vmladava.s8 r2, %q[a], %q[e]\n\t"
      "vldrb.8 %q[e], [%[w], #-32]\n\t"
      "vmladava.s8 r4, %q[a], %q[e]\n\t"
      "vldrb.8 %q[e], [%[w], #-16]\n\t"
      "vmladava.s8 r6, %q[a], %q[e]\n\t"
      "letp lr, 1b\n"
      "2:\n\t"
      "vmov %q[a][2], %q[a][0], r0, r4\n\t"
      "vmov %q[a][3], %q[a][1], r2, r6"
      : [a] "=&w"(a), [e] "=&w"(e), [x] "+r"(x), [w] "+r"(w)
      : [n] "r"(n), [bias] "r"(bias)
      : "r0", "r2", "r4", "r6", "lr", "cc", "memory");
  acc[0] = a;
  return w;
}
/// acc + x . w, whose steps of sixteen are `step` apart.
[[gnu::always_inline]] inline int32_t one(const int8_t* x, const int8_t* w, int step, int n,
                                          int32_t acc) {
  int8x16_t u, e;
  asm volatile(
      "wlstp.8 lr, %[n], 2f\n"
      "1:\n\t"
      "vldrb.8 %q[u], [%[x]], #16\n\t"
      "vldrb.8 %q[e], [%[w]]\n\t"
      "add %[w], %[step]\n\t"
      "vmladava.s8 %[acc], %q[u], %q[e]\n\t"
      "letp lr, 1b\n"
      "2:"
      : [acc] "+Te"(acc), [u] "=&w"(u), [e] "=&w"(e), [x] "+r"(x), [w] "+r"(w)
      : [n] "r"(n), [step] "r"(step)
      : "lr", "cc", "memory");
  return acc;
}
[[gnu::always_inline]] inline int32_t one(const int16_t* x, const int8_t* w, int step, int n,
                                          int32_t acc) {
  for (; n > 0; n -= 16, x += 16, w += step) {
    const auto left = static_cast<uint32_t>(n);
    mve_pred16_t p = vctp16q(left);
    acc = vmladavaq_p_s16(acc, vldrhq_z_s16(x, p), vldrbq_s16(w), p);
    p = vctp16q(left > 8 ? left - 8 : 0);
    acc = vmladavaq_p_s16(acc, vldrhq_z_s16(x + 8, p), vldrbq_s16(w + 8), p);
  }
  return acc;
}

}  // namespace nnom::helium
