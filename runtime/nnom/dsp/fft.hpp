/// \file
/// The FFT of real numbers in 32-bit fixed point.
///
/// Two real numbers go into one complex one, whose transform, half as long, is taken apart
/// afterwards. That transform is radix 4, decimated in time, with one radix 2 step first where its
/// length asks for it; its input is in the order of reversed bits. Every step divides by its radix,
/// so nothing overflows. What rounding loses lies 120 dB below what is left: see docs/dsp.md.
#pragma once

#include "nnom/dsp/fixed.hpp"

namespace nnom::dsp {

struct Complex {
  int32_t re, im;
};

/// re^2 + im^2
constexpr uint64_t power(Complex z) {
  return static_cast<uint64_t>(int64_t{z.re} * z.re + int64_t{z.im} * z.im);
}

/// `n` real numbers, 64 to 2048, a power of two. Holds 4 * n + 12 bytes.
///
///     nnom::dsp::RealFft<512> fft;
///     fft.run(samples);                       // int16_t samples[512]
///     uint64_t p = power(fft.bins()[3]);
template <int n>
class RealFft {
  static_assert(n >= 64 && n <= 2048 && (n & (n - 1)) == 0,
                "the length of an FFT is a power of two from 64 to 2048");

 public:
  static constexpr int size = n, bin_count = n / 2 + 1;
  /// After `run`, bins are sum(samples[i] e^(-2 pi j i k / n)) * 2^(input_bits + shift()) / n.
  static constexpr int input_bits = 14;

  /// Takes `count` numbers, at most n, from `next()`, each at most 2^29 either way; the rest are 0.
  template <class Next>
  void load(int count, Next next) {
    int32_t used = 0;  // has every bit that a number has
    const auto take = [&]() NNOM_INLINE {
      const int32_t v = next();
      used |= v ^ (v >> 31);
      return v;
    };
    int i = 0;
    for (; i < count / 2; ++i) {
      Complex& z = data_[place(i)];
      z.re = take();
      z.im = take();
    }
    if (count % 2 != 0) data_[place(i++)] = {take(), 0};
    for (; i < half; ++i) data_[place(i)] = {0, 0};
    const int room = used == 0 ? 0 : __builtin_clz(static_cast<unsigned>(used)) - 3;
    shift_ = room > 0 ? room : 0;
  }

  /// What was loaded becomes its spectrum times 2^shift() / n.
  void transform() {
    int q = 1;
    if constexpr (odd) {
      pairs(shift_);
      q = 2;
    } else {
      plain_quarters(1, shift_);
      q = 4;
    }
    for (; q < half; q *= 4) {
      plain_quarters(q, 0);
      quarters(q);
    }
    take_apart();
  }

  /// The spectrum of `n` samples.
  void run(const int16_t* samples) {
    load(n, [&samples]() NNOM_INLINE { return *samples++ * (1 << input_bits); });
    transform();
  }

  /// n / 2 + 1 of them, from 0 Hz to half the sample rate.
  const Complex* bins() const { return data_; }
  /// How far a quiet input was shifted up, so that rounding is as small beside it as beside a loud
  /// one.
  int shift() const { return shift_; }

 private:
  static constexpr int half = n / 2;
  static constexpr int bits = __builtin_ctz(n) - 1;  // 2^bits == half
  static constexpr bool odd = bits % 2 != 0;
  static constexpr int low_bits = bits / 2, low = 1 << low_bits, high_count = half / low;

  struct Sines {
    int32_t value[n];
  };
  /// sin(2 pi i / n) in units of 2^-30: a product's high word is then a quarter of it.
  static constexpr Sines sines = [] {
    Sines s{};
    for (int i = 0; i <= n / 4; ++i) {
      const int32_t v = whole(sine(2 * pi * i / n) * (1 << 30));
      s.value[i] = s.value[half - i] = v;
      s.value[half + i] = s.value[(n - i) % n] = -v;
    }
    s.value[0] = 0;
    return s;
  }();

  struct Reversed {
    uint16_t low[RealFft::low], high[high_count];
  };
  /// The reversed bits of the lower and upper part of an index.
  static constexpr Reversed reversed = [] {
    Reversed r{};
    for (int i = 0; i < low; ++i)
      for (int b = 0; b < low_bits; ++b)
        if (i >> b & 1) r.low[i] = static_cast<uint16_t>(r.low[i] | half >> (b + 1));
    for (int i = 0; i < high_count; ++i)
      for (int b = 0; b < bits - low_bits; ++b)
        if (i >> b & 1) r.high[i] = static_cast<uint16_t>(r.high[i] | half >> (b + low_bits + 1));
    return r;
  }();
  static constexpr int place(int i) {
    return reversed.low[i & (low - 1)] | reversed.high[i >> low_bits];
  }

  void pairs(int up) {
    for (Complex* z = data_; z != data_ + half; z += 2) {
      const Complex a{(z[0].re << up) >> 1, (z[0].im << up) >> 1};
      const Complex b{(z[1].re << up) >> 1, (z[1].im << up) >> 1};
      z[0] = {a.re + b.re, a.im + b.im};
      z[1] = {a.re - b.re, a.im - b.im};
    }
  }

  /// Four transforms of length q become one of 4q; a, b, c, d are of the samples 0, 1, 2, 3 modulo
  /// 4, times their power of e^(-2 pi j / 4q), divided by 4.
  NNOM_INLINE static void combine(Complex* z, int q, Complex a, Complex b, Complex c, Complex d) {
    const Complex ac{a.re + c.re, a.im + c.im}, bd{b.re + d.re, b.im + d.im};
    z[0] = {ac.re + bd.re, ac.im + bd.im};
    z[2 * q] = {ac.re - bd.re, ac.im - bd.im};
    const Complex less{a.re - c.re, a.im - c.im}, turned{b.im - d.im, d.re - b.re};
    z[q] = {less.re + turned.re, less.im + turned.im};
    z[3 * q] = {less.re - turned.re, less.im - turned.im};
  }

  /// z * (cos - j sin) / 4
  NNOM_INLINE static Complex turn(Complex z, int32_t cos, int32_t sin) {
    return {high_sum(z.re, cos, z.im, sin), high_sum(z.im, cos, -z.re, sin)};
  }

  /// Those that need no turning.
  void plain_quarters(int q, int up) {
    const auto quarter = [up](Complex z) NNOM_INLINE {
      return Complex{(z.re << up) >> 2, (z.im << up) >> 2};
    };
    for (Complex* z = data_; z < data_ + half; z += 4 * q)
      combine(z, q, quarter(z[0]), quarter(z[2 * q]), quarter(z[q]), quarter(z[3 * q]));
  }

  void quarters(int q) {
    const int step = n / (4 * q);
    for (Complex* block = data_; block < data_ + half; block += 4 * q) {
      const int32_t* s = sines.value;
      for (int i = 1; i < q; ++i) {
        s += step;
        const int32_t* const t = s + i * step;
        const int32_t* const u = t + i * step;
        Complex* const z = block + i;
        combine(z, q, {z[0].re >> 2, z[0].im >> 2}, turn(z[2 * q], s[n / 4], *s),
                turn(z[q], t[n / 4], *t), turn(z[3 * q], u[n / 4], *u));
      }
    }
  }

  /// From the transform z of x[2i] + j x[2i+1] to that of x: z[k] + z*[half-k] is of the even ones,
  /// z[k] - z*[half-k] is j times that of the odd ones.
  void take_apart() {
    const Complex z = data_[0];
    data_[0] = {(z.re + z.im) >> 1, 0};
    data_[half] = {(z.re - z.im) >> 1, 0};
    const int32_t* sin = sines.value + 1;
    Complex* up = data_ + 1;
    for (Complex* down = data_ + half - 1; up <= down; ++up, --down, ++sin) {
      const Complex a = *up, b = *down;
      const Complex even{(a.re + b.re) >> 2, (a.im - b.im) >> 2};
      const Complex rest = turn({a.im + b.im, b.re - a.re}, sin[n / 4], *sin);
      *up = {even.re + rest.re, even.im + rest.im};
      *down = {even.re - rest.re, rest.im - even.im};
    }
  }

  Complex data_[half + 1]{};
  int shift_ = 0;
};

}  // namespace nnom::dsp
