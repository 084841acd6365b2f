/// \file
/// Depthwise convolution on Helium: sixteen channels at a time. Two taps' products are added in 16
/// bits, those sums in 32.
#pragma once

#include "nnom/target/helium_lanes.hpp"
#include "nnom/window.hpp"

namespace nnom::helium {

/// Accumulators of sixteen channels: lane i of sum k is channel 4 i + order[k], as widening twice
/// has it.
struct Sums {
  static constexpr int order[] = {0, 2, 1, 3};
  int32x4_t sum[4];

  [[gnu::always_inline]] void add(int16x8_t even, int16x8_t odd) {
    sum[0] = vaddq_s32(sum[0], vmovlbq_s16(even));
    sum[1] = vaddq_s32(sum[1], vmovltq_s16(even));
    sum[2] = vaddq_s32(sum[2], vmovlbq_s16(odd));
    sum[3] = vaddq_s32(sum[3], vmovltq_s16(odd));
  }
};

/// Up to sixteen channels of a pixel, or those of several pixels: `count` lanes; after `period` of
/// them, 4, 8 or 16, the channels begin again.
template <bool whole>
struct Lanes {
  int count, period = 16;

  [[gnu::always_inline]] int8x16_t load(const int8_t* p) const {
    if constexpr (whole) return vldrbq_s8(p);
    return vldrbq_z_s8(p, vctp8q(static_cast<uint32_t>(count)));
  }
  [[gnu::always_inline]] void store(int8_t* p, int8x16_t v) const {
    if constexpr (whole)
      vstrbq_s8(p, v);
    else
      vstrbq_p_s8(p, v, vctp8q(static_cast<uint32_t>(count)));
  }
  /// Number k of every fourth channel, `step` words from one of them to the next.
  [[gnu::always_inline]] int32x4_t gather(const int32_t* p, int step, int k) const {
    const uint32x4_t first = vandq_u32(vidupq_n_u32(0, 4), vdupq_n_u32(uint32_t(period - 1)));
    const uint32x4_t offsets = vmulq_n_u32(first, static_cast<uint32_t>(step));
    if constexpr (whole) return vldrwq_gather_shifted_offset_s32(p + k * step, offsets);
    return vldrwq_gather_shifted_offset_z_s32(p + k * step, offsets,
                                              vctp32q(static_cast<uint32_t>((count + 3 - k) >> 2)));
  }
};

/// The products of one pixel's channels and the weights of two taps, or of one.
struct Products {
  int16x8_t even, odd;

  [[gnu::always_inline]] Products(int8x16_t x, int8x16_t w)
      : even(vmullbq_int_s8(x, w)), odd(vmulltq_int_s8(x, w)) {}
  [[gnu::always_inline]] void add(int8x16_t x, int8x16_t w) {
    even = vaddq_s16(even, vmullbq_int_s8(x, w));
    odd = vaddq_s16(odd, vmulltq_int_s8(x, w));
  }
};

/// Sums of the channels at `window` and `w`.
template <bool whole>
[[gnu::always_inline]] inline void add_taps(const Window<int8_t>& window, const int8_t* w,
                                            Lanes<whole> lanes, Sums& sums) {
  Products pair{vdupq_n_s8(0), vdupq_n_s8(0)};
  bool half = false;
  window.taps([&](const int8_t* x) NNOM_INLINE {
    const int8x16_t a = lanes.load(x), b = lanes.load(w);
    w += lanes.count;
    if (half) {
      pair.add(a, b);
      sums.add(pair.even, pair.odd);
    } else {
      pair = Products(a, b);
    }
    half = !half;
  });
  if (half) sums.add(pair.even, pair.odd);
}

/// Adds the products of two taps, at x and y. Returns the weights behind theirs.
[[gnu::always_inline]] inline const int8_t* add_pair(const int8_t* x, const int8_t* y,
                                                     const int8_t* w, Lanes<false> lanes,
                                                     Sums& sums) {
  Products pair(lanes.load(x), lanes.load(w));
  pair.add(lanes.load(y), lanes.load(w + lanes.count));
  sums.add(pair.even, pair.odd);
  asm volatile("" : : : "memory");  // GCC would load all before, and spill
  return w + 2 * lanes.count;
}
[[gnu::always_inline]] inline const int8_t* add_pair(const int8_t* x, const int8_t* y,
                                                     const int8_t* w, Lanes<true>, Sums& sums) {
  int8x16_t a, b;
  int16x8_t even, odd;
  asm volatile(
      "vldrb.8 %q[a], [%[x]]\n\t"
      "vldrb.8 %q[b], [%[w]], #16\n\t"
      "vmullb.s8 %q[even], %q[a], %q[b]\n\t"
      "vmullt.s8 %q[odd], %q[a], %q[b]\n\t"
      "vldrb.8 %q[a], [%[y]]\n\t"
      "vldrb.8 %q[b], [%[w]], #16\n\t"
      "vmullb.s8 %q[a], %q[a], %q[b]\n\t"
      "vadd.i16 %q[even], %q[even], %q[a]\n\t"
      "vldrb.8 %q[a], [%[y]]\n\t"
      "vmullt.s8 %q[a], %q[a], %q[b]\n\t"
      "vadd.i16 %q[odd], %q[odd], %q[a]\n\t"
      "vmovlb.s16 %q[a], %q[even]\n\t"
      "vmovlt.s16 %q[b], %q[even]\n\t"
      "vadd.i32 %q[p], %q[p], %q[a]\n\t"
      "vadd.i32 %q[q], %q[q], %q[b]\n\t"
      "vmovlb.s16 %q[a], %q[odd]\n\t"
      "vmovlt.s16 %q[b], %q[odd]\n\t"
      "vadd.i32 %q[r], %q[r], %q[a]\n\t"
      "vadd.i32 %q[s], %q[s], %q[b]"
      : [p] "+w"(sums.sum[0]), [q] "+w"(sums.sum[1]), [r] "+w"(sums.sum[2]), [s] "+w"(sums.sum[3]),
        [a] "=&w"(a), [b] "=&w"(b), [even] "=&w"(even), [odd] "=&w"(odd), [w] "+r"(w)
      : [x] "r"(x), [y] "r"(y)
      : "memory");
  return w;
}

/// Sums of three by three taps, in rows at a, b, c.
template <bool whole>
[[gnu::always_inline]] inline void add_nine(const int8_t* a, const int8_t* b, const int8_t* c,
                                            int step, const int8_t* w, Lanes<whole> lanes,
                                            Sums& sums) {
  w = add_pair(a, a + step, w, lanes, sums);
  w = add_pair(a + 2 * step, b, w, lanes, sums);
  w = add_pair(b + step, b + 2 * step, w, lanes, sums);
  w = add_pair(c, c + step, w, lanes, sums);
  const Products last(lanes.load(c + 2 * step), lanes.load(w));
  sums.add(last.even, last.odd);
  asm volatile("" : "+w"(sums.sum[0]), "+w"(sums.sum[1]), "+w"(sums.sum[2]), "+w"(sums.sum[3]));
}

/// What finishes sums, as vectors in the order of their use: biases, pairs of the two numbers that
/// rescale, limits.
struct Finish {
  int32_t word[14][4];

  template <class N, bool whole>
  [[gnu::always_inline]] Finish(const Linear<N>& d, Lanes<whole> lanes, int c) {
    const FactorTable table(d.rescale, d.per_channel);
    const auto* factors = reinterpret_cast<const int32_t*>(table.first + c * table.step);
    const int step = 2 * table.step;
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) {
      vstrwq_s32(word[k], lanes.gather(d.bias + c, 1, Sums::order[k]));
      vstrwq_s32(word[4 + 2 * k], lanes.gather(factors, step, Sums::order[k]));
      vstrwq_s32(word[5 + 2 * k], lanes.gather(factors + 1, step, Sums::order[k]));
    }
    vstrwq_s32(word[12], vreinterpretq_s32_s8(vdupq_n_s8(d.clamp.lo)));
    vstrwq_s32(word[13], vreinterpretq_s32_s8(vdupq_n_s8(d.clamp.hi)));
  }

  /// Reads one after another. GCC would compute each address anew.
  struct Reader {
    const int32_t* at;

    [[gnu::always_inline]] int32x4_t next() {
      int32x4_t v;
      asm volatile("vldrw.32 %q[v], [%[at]], #16" : [v] "=w"(v), [at] "+r"(at) : : "memory");
      return v;
    }
  };
};

/// The outputs of the lanes of `count` places in a row, which are `step` and `out_step` apart; `c`
/// is the first channel, `w` its weights. `nine`: its taps are three by three.
template <bool nine, bool whole, class N>
[[gnu::always_inline]] inline void depthwise(Window<int8_t> window, int step, int count,
                                             Lanes<whole> lanes, int c, const int8_t* w,
                                             const Linear<N>& d, int8_t* out, int out_step) {
  const Finish finish(d, lanes, c);
  const int16_t zero = d.clamp.zero;
  const int8_t* row[3] = {window.first, window.first, window.first};
  for (int i = 1; nine && i < 3; ++i) {
    row[i] = row[i - 1] + window.row_step;
    if (window.ring && row[i] >= window.end) row[i] -= window.ring;
  }
  for (; count > 0; --count, window.first += step, out += out_step) {
    Finish::Reader reader{finish.word[0]};
    Sums sums;
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) sums.sum[k] = reader.next();
    if constexpr (nine) {
      add_nine(row[0], row[1], row[2], window.column_step, w, lanes, sums);
      row[0] += step, row[1] += step, row[2] += step;
    } else {
      add_taps(window, w, lanes, sums);
    }
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) {
      const int32x4_t first = reader.next(), shift = reader.next();
      int32x4_t acc[1] = {sums.sum[k]};
      rescale_down(Factors<typename N::Rescale>{first, shift}, acc);
      sums.sum[k] = acc[0];
    }
    const auto narrow = [&](int k) NNOM_INLINE {  // sums k and k + 1, which alternate
      const int16x8_t any = vreinterpretq_s16_s32(sums.sum[k]);
      return vqaddq_n_s16(vqmovntq_s32(vqmovnbq_s32(any, sums.sum[k]), sums.sum[k + 1]), zero);
    };
    const int16x8_t even = narrow(0), odd = narrow(2);
    int8x16_t v = vqmovntq_s16(vqmovnbq_s16(vreinterpretq_s8_s16(even), even), odd);
    v = vmaxq_s8(v, vreinterpretq_s8_s32(reader.next()));
    lanes.store(out, vminq_s8(v, vreinterpretq_s8_s32(reader.next())));
  }
}

}  // namespace nnom::helium
