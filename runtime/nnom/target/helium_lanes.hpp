/// \file
/// Helium's primitives: four accumulators rescaled at once, and copies.
#pragma once

#include <arm_mve.h>

#include "nnom/numbers.hpp"

namespace nnom::helium {

/// What rescales the accumulators in the lanes of a vector: R's two numbers for each.
template <class R>
struct Factors {
  int32x4_t first, shift;
};

/// What the scalar Double gives; all shift to the right.
template <int P>
[[gnu::always_inline]] inline void rescale_down(const Factors<Double>& f, int32x4_t (&acc)[P]) {
  for (int32x4_t& a : acc) {
    const int32x4_t p = vqrdmulhq_s32(a, f.first);
    a = vrshlq_s32(vaddq_s32(p, vshrq_n_s32(p, 31)), f.shift);  // halves away from zero
  }
}
/// `down`: all are known to shift to the right.
template <int P>
[[gnu::always_inline]] inline void rescale(const Factors<Double>& f, bool down,
                                           int32x4_t (&acc)[P]) {
  if (down) [[likely]]
    return rescale_down(f, acc);
  const int32x4_t zero = vdupq_n_s32(0), left = vmaxq_s32(f.shift, zero);
  const int32x4_t right = vminq_s32(f.shift, zero);
  for (int32x4_t& a : acc) {
    const int32x4_t p = vqrdmulhq_s32(vshlq_s32(a, left), f.first);
    a = vrshlq_s32(vaddq_s32(p, vshrq_n_s32(vandq_s32(p, right), 31)), right);
  }
}

/// Of Single, by its definition: in floats.
template <int P>
[[gnu::always_inline]] inline void rescale_down(const Factors<Single>& f, int32x4_t (&acc)[P]) {
  const int32x4_t power = vshlq_n_s32(vaddq_n_s32(f.shift, 127), 23);
  const float32x4_t scale = vmulq_f32(vcvtq_n_f32_s32(f.first, 31), vreinterpretq_f32_s32(power));
  for (int32x4_t& a : acc) a = vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(a), scale));
}

template <int P>
[[gnu::always_inline]] inline void rescale_down(const Factors<PowerOfTwo>& f, int32x4_t (&acc)[P]) {
  const int32x4_t left = vnegq_s32(f.shift);
  for (int32x4_t& a : acc) a = vqshlq_s32(vaddq_s32(a, f.first), left);
}

template <class R, int P>
[[gnu::always_inline]] inline void rescale(const Factors<R>& f, bool, int32x4_t (&acc)[P]) {
  rescale_down(f, acc);
}

/// Every lane scaled by one factor.
[[gnu::always_inline]] inline int32x4_t rescale(const Double& f, int32x4_t v) {
  if (f.shift >= 0) return vqrdmulhq_n_s32(vshlq_r_s32(v, f.shift), f.multiplier);
  v = vqrdmulhq_n_s32(v, f.multiplier);
  return vrshlq_n_s32(vaddq_s32(v, vshrq_n_s32(v, 31)), f.shift);
}

/// Sums of stored values, lane by lane.
[[gnu::always_inline]] inline int32x4_t sum(const DoubleSum& s, int32x4_t a, int32x4_t b) {
  const int32x4_t x = rescale(s.rescale[0], vshlq_n_s32(vsubq_n_s32(a, s.zero[0]), 20));
  const int32x4_t y = rescale(s.rescale[1], vshlq_n_s32(vsubq_n_s32(b, s.zero[1]), 20));
  return rescale(s.total, s.minus ? vsubq_s32(x, y) : vaddq_s32(x, y));
}
[[gnu::always_inline]] inline int32x4_t sum(const SingleSum& s, int32x4_t a, int32x4_t b) {
  const int32x4_t x = vmlaq_n_s32(vdupq_n_s32(s.bias), a, s.multiplier[0]);
  return vshlq_r_s32(vmlaq_n_s32(x, b, s.multiplier[1]), -s.shift);
}

/// Factors of the output channels of a layer: read like an array, even if all have the same.
template <class R>
struct FactorTable {
  R same[4];
  const R* first;
  int step;  ///< from a channel's to those of the next

  [[gnu::always_inline]] FactorTable(const R* r, bool per_channel)
      : same{*r, *r, *r, *r}, first(per_channel ? r : same), step(per_channel) {}
  FactorTable(const FactorTable&) = delete;
};

/// Those of four channels.
template <class R>
[[gnu::always_inline]] inline Factors<R> four_factors(const R* r) {
  static_assert(sizeof(R) == 8);
  asm("" : "+r"(r));  // GCC 12 gives VLD2 addresses that it does not have, if it sees r advance
  const int32x4x2_t v = vld2q_s32(reinterpret_cast<const int32_t*>(r));
  return {v.val[0], v.val[1]};
}

/// Limits rescaled values and adds the zero point.
struct Limits {
  int32x4_t least, most;
  int32_t zero;

  template <class N>
  [[gnu::always_inline]] explicit Limits(const Clamp<N>& c)
      : least(vdupq_n_s32(c.lo - c.zero)), most(vdupq_n_s32(c.hi - c.zero)), zero(c.zero) {}
  [[gnu::always_inline]] int32x4_t operator()(int32x4_t v) const {
    return vaddq_n_s32(vminq_s32(vmaxq_s32(v, least), most), zero);
  }
};

/// to[i] = from[i] for i < n.
[[gnu::always_inline]] inline void copy(int8_t* to, const int8_t* from, int n) {
  int8x16_t v;
  asm volatile(
      "wlstp.8 lr, %[n], 2f\n"
      "1:\n\t"
      "vldrb.8 %q[v], [%[from]], #16\n\t"
      "vstrb.8 %q[v], [%[to]], #16\n\t"
      "letp lr, 1b\n"
      "2:"
      : [v] "=&w"(v), [to] "+r"(to), [from] "+r"(from)
      : [n] "r"(n)
      : "lr", "cc", "memory");
}

/// Copies `count` runs of n elements that follow each other to places `to_step` apart, n <= 16 and
/// to_step not much larger: several at once. Returns whether it did.
[[gnu::always_inline]] inline bool scatter(int8_t* to, int to_step, const int8_t* from, int n,
                                           int count) {
  const int runs = n <= 8 ? 16 / n : 1, lanes = runs * n;
  if (runs == 1 || (runs - 1) * to_step + n > 256) return false;
  const uint8x16_t lane = vidupq_n_u8(0, 1);
  const uint16_t inverse = static_cast<uint16_t>(256 / n + 1);  // lane / n is its high half
  const uint8x16_t run = n == 1 ? lane : vmulhq_u8(lane, vdupq_n_u8(static_cast<uint8_t>(inverse)));
  const uint8x16_t place = vmlaq_n_u8(lane, run, static_cast<uint8_t>(to_step - n));
  for (int left = count * n; left > 0; left -= lanes, from += lanes, to += runs * to_step) {
    const mve_pred16_t p = vctp8q(static_cast<uint32_t>(left < lanes ? left : lanes));
    vstrbq_scatter_offset_p_s8(to, place, vldrbq_z_s8(from, p), p);
  }
  return true;
}

/// to[i] = value for i < n.
[[gnu::always_inline]] inline void fill(int8_t* to, int8_t value, int n) {
  asm volatile(
      "wlstp.8 lr, %[n], 2f\n"
      "1:\n\t"
      "vstrb.8 %q[v], [%[to]], #16\n\t"
      "letp lr, 1b\n"
      "2:"
      : [to] "+r"(to)
      : [n] "r"(n), [v] "w"(vdupq_n_s8(value))
      : "lr", "cc", "memory");
}

}  // namespace nnom::helium
