/// \file
/// x86-64 with AVX-512 and its VNNI: sixty-four products of int8 an instruction, sixteen output
/// channels a vector.
#pragma once

#pragma GCC diagnostic push
#ifndef __clang__  // GCC 12 takes what its own functions leave undefined for a mistake (bug 105593)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop

#include "nnom/pixels.hpp"
#include "nnom/target/scalar.hpp"

namespace nnom::vnni {

/// The first `count` of sixteen lanes.
[[gnu::always_inline]] inline __mmask16 lanes(int count) {
  return static_cast<__mmask16>(count < 16 ? (1u << count) - 1 : 0xffffu);
}

/// acc / 2^bits, rounded down.
[[gnu::always_inline]] inline __m512i shifted(__m512i acc, __m512i bits) {
  return _mm512_srav_epi32(acc, bits);
}

/// The two fields of the rescales of sixteen channels.
struct Fields {
  __m512i first, second;

  template <class R>
  [[gnu::always_inline]] Fields(const R* rescale, bool per_channel, __mmask16 mask) {
    static_assert(sizeof(R) == 2 * sizeof(int32_t));
    const auto* p = reinterpret_cast<const int32_t*>(rescale);
    if (!per_channel) {
      first = _mm512_set1_epi32(p[0]), second = _mm512_set1_epi32(p[1]);
      return;
    }
    const __mmask16 low = static_cast<__mmask16>(_pdep_u32(mask, 0x55555555u) * 3),
                    high = static_cast<__mmask16>(_pdep_u32(mask, 0x55555555u) * 3 >> 16);
    const __m512i a = _mm512_maskz_loadu_epi32(low, p), b = _mm512_maskz_loadu_epi32(high, p + 16);
    const __m512i even =
        _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    first = _mm512_permutex2var_epi32(a, even, b);
    second = _mm512_permutex2var_epi32(a, _mm512_add_epi32(even, _mm512_set1_epi32(1)), b);
  }
};

/// What the rescales of sixteen channels make of their sums, limited to [least, most].
template <class R>
struct Factors;

template <>
struct Factors<Single> {
  __m512 factor;

  [[gnu::always_inline]] explicit Factors(const Fields& f)
      : factor(_mm512_scalef_ps(
            _mm512_cvtepi32_ps(f.first),
            _mm512_cvtepi32_ps(_mm512_sub_epi32(f.second, _mm512_set1_epi32(31))))) {}
  [[gnu::always_inline]] __m512i operator()(__m512i acc, __m512i least, __m512i most) const {
    const __m512 product = _mm512_mul_ps(_mm512_cvtepi32_ps(acc), factor);
    return _mm512_cvtps_epi32(
        _mm512_max_ps(_mm512_min_ps(product, _mm512_cvtepi32_ps(most)), _mm512_cvtepi32_ps(least)));
  }
};

template <>
struct Factors<Double> {
  __m512i multiplier, odd, left, right;
  __mmask16 to_right;

  [[gnu::always_inline]] explicit Factors(const Fields& f)
      : multiplier(f.first), odd(_mm512_srli_epi64(f.first, 32)) {
    const __m512i zero = _mm512_setzero_si512();
    left = _mm512_max_epi32(f.second, zero);
    right = _mm512_max_epi32(_mm512_sub_epi32(_mm512_set1_epi32(-1), f.second), zero);
    to_right = _mm512_cmplt_epi32_mask(f.second, zero);
  }
  [[gnu::always_inline]] __m512i operator()(__m512i acc, __m512i least, __m512i most) const {
    const __m512i x = _mm512_sllv_epi32(acc, left), half = _mm512_set1_epi64(1 << 30);
    const __m512i a = _mm512_add_epi64(_mm512_mul_epi32(x, multiplier), half);
    const __m512i b = _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(x, 32), odd), half);
    const __m512i p =
        _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(a, 31), _mm512_slli_epi64(b, 1));
    const __m512i q = shifted(_mm512_add_epi32(p, _mm512_srai_epi32(p, 31)), right);
    const __m512i r = _mm512_srai_epi32(_mm512_add_epi32(q, _mm512_set1_epi32(1)), 1);
    return _mm512_max_epi32(_mm512_min_epi32(_mm512_mask_mov_epi32(p, to_right, r), most), least);
  }
};

template <>
struct Factors<PowerOfTwo> {
  __m512i half, right, left;

  [[gnu::always_inline]] explicit Factors(const Fields& f) {
    const __m512i zero = _mm512_setzero_si512();
    half = _mm512_maskz_mov_epi32(_mm512_cmpgt_epi32_mask(f.second, zero), f.first);
    right = _mm512_max_epi32(f.second, zero);
    left = _mm512_max_epi32(_mm512_sub_epi32(zero, f.second), zero);
  }
  [[gnu::always_inline]] __m512i operator()(__m512i acc, __m512i least, __m512i most) const {
    // A shift to the left saturates: all that it takes out of int8 is limited before it.
    const __m512i x =
        _mm512_max_epi32(_mm512_min_epi32(acc, shifted(_mm512_set1_epi32(INT32_MAX), left)),
                         shifted(_mm512_set1_epi32(INT32_MIN), left));
    const __m512i y = shifted(_mm512_add_epi32(_mm512_sllv_epi32(x, left), half), right);
    return _mm512_max_epi32(_mm512_min_epi32(y, most), least);
  }
};

/// The last step of sixteen channels of a layer, from `channel` on.
template <class N>
struct Finish {
  __mmask16 mask;
  __m512i bias, zero, least, most;
  Factors<typename N::Rescale> factors;

  [[gnu::always_inline]] Finish(const Linear<N>& d, int channel, int count)
      : mask(lanes(count)),
        bias(_mm512_maskz_loadu_epi32(mask, d.bias + channel)),
        zero(_mm512_set1_epi32(d.clamp.zero)),
        least(_mm512_set1_epi32(d.clamp.lo - d.clamp.zero)),
        most(_mm512_set1_epi32(d.clamp.hi - d.clamp.zero)),
        factors(Fields(d.rescale + (d.per_channel ? channel : 0), d.per_channel, mask)) {}
  [[gnu::always_inline]] void store(__m512i sum, int8_t* out) const {
    const __m512i value = _mm512_add_epi32(factors(sum, least, most), zero);
    _mm512_mask_cvtepi32_storeu_epi8(out, mask, value);
  }
};

/// Four activations in each lane, as numbers without a sign: 128 more than they are.
[[gnu::always_inline]] inline __m512i spread(__m128i four) {
  return _mm512_xor_si512(_mm512_broadcastd_epi32(four), _mm512_set1_epi8(INT8_MIN));
}

/// acc += the products of four activations and four weights in each lane. GCC 12 copies the
/// accumulators of the intrinsic from register to register.
[[gnu::always_inline]] inline void add_four(__m512i& acc, __m512i activations, __m512i weights) {
  asm("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(activations), "v"(weights));
}

/// acc[b][p] += window at pixel p . sixteen rows of group b of the matrix, whose activations are
/// 128 too large.
template <int B, int P>
[[gnu::always_inline]] inline void add_products(const Window<int8_t>& window, int step,
                                                const int8_t* weights, int group,
                                                __m512i (&acc)[B][P]) {
  window.taps([&](const int8_t* x) NNOM_INLINE {
    const auto four = [&](auto at) NNOM_INLINE {
      __m512i w[B];
#pragma GCC unroll 4
      for (int b = 0; b < B; ++b) w[b] = _mm512_loadu_si512(weights + b * group);
      weights += 64;
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) {
        const __m512i a = at(x + p * step);
#pragma GCC unroll 4
        for (int b = 0; b < B; ++b) add_four(acc[b][p], a, w[b]);
      }
    };
    int left = window.length;
    for (; left >= 4; left -= 4, x += 4)
      four([](const int8_t* at) NNOM_INLINE { return spread(_mm_loadu_si32(at)); });
    if (left > 0) {
      const auto few = static_cast<__mmask16>((1 << left) - 1);
      four([=](const int8_t* at) NNOM_INLINE { return spread(_mm_maskz_loadu_epi8(few, at)); });
    }
  });
}

/// 128 times the sum of each of sixteen rows. Eight sums at a time, as each waits for its last.
[[gnu::always_inline]] inline __m512i excess(const int8_t* weights, int row_size) {
  __m512i sum[8]{};
  const auto add = [&](int i) NNOM_INLINE {
    add_four(sum[i], _mm512_set1_epi8(INT8_MIN), _mm512_loadu_si512(weights));
    weights += 64;
  };
  int left = row_size / 4;
  for (; left >= 8; left -= 8)
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) add(i);
  for (; left > 0; --left) add(0);
#pragma GCC unroll 4
  for (int n = 4; n > 0; n /= 2)
#pragma GCC unroll 4
    for (int i = 0; i < n; ++i) sum[i] = _mm512_add_epi32(sum[i], sum[i + n]);
  return sum[0];
}

/// A row of pixels, B groups of sixteen rows of the matrix.
template <int B, class N>
[[gnu::always_inline]] inline void groups(const Pixels<N>& px, const Matrix& m, int r,
                                          const Linear<N>& d, const int8_t* weights, int channel) {
  const int row_size = N::Layout::row_size(m), group = 16 * row_size;
  weights += r * row_size;
  const auto finish = [&](int b) NNOM_INLINE {
    return Finish<N>(d, channel + r + 16 * b, min(16, m.rows - r - 16 * b));
  };
  __m512i bias[B];
#pragma GCC unroll 4
  for (int b = 0; b < B; ++b)
    bias[b] = _mm512_sub_epi32(finish(b).bias, excess(weights + b * group, row_size));
  int8_t* out = px.out + r;
  Window<int8_t> w = px.window;
  const auto pixels = [&]<int P>() NNOM_INLINE {
    __m512i acc[B][P];
#pragma GCC unroll 4
    for (int b = 0; b < B; ++b)
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) acc[b][p] = bias[b];
    add_products(w, px.step, weights, group, acc);
#pragma GCC unroll 4
    for (int b = 0; b < B; ++b) {
      const Finish<N> last = finish(b);
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) last.store(acc[b][p], out + p * px.out_step + 16 * b);
    }
    w.first += P * px.step, out += P * px.out_step;
  };
  int left = px.count;
  for (; left >= 8; left -= 8) pixels.template operator()<8>();
  if (left >= 4) pixels.template operator()<4>(), left -= 4;
  for (; left > 0; --left) pixels.template operator()<1>();
}

}  // namespace nnom::vnni

namespace nnom::target {

struct Vnni : Scalar {
  using Preferred = layout::Quads;

  /// Whether it has loops of its own for N.
  template <class N>
  static constexpr bool fast = __is_same(N, Int8<typename N::Rescale, layout::Quads>);

  template <class N>
  requires fast<N>
  [[gnu::noinline]] static void multiply(const Pixels<N>& px, const Matrix& m,
                                         const Linear<N>& data, const int8_t* weights,
                                         int channel) {
    const Linear<N> d = data;  // int8 stores alias everything: keep the fields in registers
    int r = 0;
    if (px.count == 1)
      for (; r + 64 <= m.rows; r += 64) vnni::groups<4>(px, m, r, d, weights, channel);
    for (; r + 16 < m.rows; r += 32) vnni::groups<2>(px, m, r, d, weights, channel);
    if (r < m.rows) vnni::groups<1>(px, m, r, d, weights, channel);
  }

  template <class N>
  requires fast<N>
  static bool has_depthwise_row(const Linear<N>&, int, int) { return true; }

  /// A row of `count` output pixels of a depthwise convolution, `step` apart in the input: sixteen
  /// channels at a time.
  template <class N>
  requires fast<N>
  [[gnu::noinline]] static void depthwise_row(const Window<int8_t>& window, int step, int count,
                                              int channels, const Linear<N>& data, int8_t* out) {
    const Linear<N> d = data;
    for (int c = 0; c < channels; c += 16) {
      const vnni::Finish<N> finish(d, c, min(16, channels - c));
      const auto load = [&](const int8_t* p) NNOM_INLINE {
        return _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(finish.mask, p));
      };
      Window<int8_t> w = window;
      w.first += c;
      int8_t* to = out + c;
      const auto pixels = [&]<int P>() NNOM_INLINE {
        __m512i acc[P];
#pragma GCC unroll 8
        for (int p = 0; p < P; ++p) acc[p] = finish.bias;
        const int8_t* weights = d.weights + c;
        w.taps([&](const int8_t* x) NNOM_INLINE {
          const __m512i v = _mm512_and_si512(load(weights), _mm512_set1_epi32(0xffff));
          weights += channels;
#pragma GCC unroll 8
          for (int p = 0; p < P; ++p) acc[p] = _mm512_dpwssd_epi32(acc[p], load(x + p * step), v);
        });
#pragma GCC unroll 8
        for (int p = 0; p < P; ++p) finish.store(acc[p], to + p * channels);
        w.first += P * step, to += P * channels;
      };
      int left = count;
      for (; left >= 8; left -= 8) pixels.template operator()<8>();
      if (left >= 4) pixels.template operator()<4>(), left -= 4;
      for (; left > 0; --left) pixels.template operator()<1>();
    }
  }
};

}  // namespace nnom::target
