/// \file
/// A bank of band-passes whose gains a network sets, frame by frame: noise suppression.
///
///     constexpr auto bands = nnom::dsp::mel_band_passes<20>(16000, 60, 7800);
///     nnom::dsp::Equaliser<bands> equaliser;
///     equaliser.set_gains(gains);                  // uint16_t gains[20], 32768 is 1
///     equaliser.run(samples, samples, hop);
#pragma once

#include "nnom/dsp/biquad.hpp"
#include "nnom/dsp/fixed.hpp"
#include "nnom/dsp/mel.hpp"
#include "nnom/model.hpp"

namespace nnom::dsp {

/// `n` band-passes between corners as far from each other on the mel scale. Neighbours meet where
/// each has 3 dB less, their phases 45 degrees either side; each is made smaller by what the others
/// add at its centre, so that their sum, with all gains 1, is nearly what came in.
template <int n>
constexpr Filters<n> mel_band_passes(double rate, double low, double high,
                                     MelScale scale = MelScale::htk) {
  // On the axis of the analogue filter before the bilinear transform: w = tan(pi f / rate).
  double from[n]{}, to[n]{};
  for (int i = 0; i <= n; ++i) {
    const double bottom = hertz_to_mel(scale, low), top = hertz_to_mel(scale, high);
    const double half = pi * mel_to_hertz(scale, bottom + (top - bottom) * i / n) / rate;
    const double corner = sine(half) / cosine(half);
    if (i < n) from[i] = corner;
    if (i > 0) to[i - 1] = corner;
  }
  // |H|^2 of band i where w^2 is `square`; it is also the real part of H.
  const auto response = [&](int i, double square) {
    const double off = from[i] * to[i] - square, through = (to[i] - from[i]) * (to[i] - from[i]);
    return through * square / (through * square + off * off);
  };
  Filters<n> filters{};
  for (int i = 0; i < n; ++i) {
    const double square = from[i] * to[i];
    double sum = 0;
    for (int k = 0; k < n; ++k) sum += response(k, square);
    const Pole p((1 - square) / (1 + square), (to[i] - from[i]) / (1 + square));
    filters.filter[i] = p.with(p.alpha / sum, 0, -p.alpha / sum);
  }
  return filters;
}

/// Filters side by side, each with a gain, added up; 24 bytes each.
template <const auto& filters>
class Equaliser {
 public:
  static constexpr int size = count_of(filters);
  static_assert(size <= 256, "an equaliser has at most 256 bands");

  /// What the next run goes to, band by band, in units of 2^-15: 32768 is 1. At first 0.
  void set_gains(Span<const uint16_t, size> gains) {
    for (int k = 0; k < size; ++k)
      wanted_[k] =
          static_cast<int32_t>(uint32_t{gains[static_cast<size_t>(k)]} << (gain_bits - 15));
  }

  /// In place or not. Gains go from where they are to what was set in equal steps, a step a sample.
  void run(const int16_t* in, int16_t* out, size_t samples) {
    if (samples == 0) return;
    const auto steps = static_cast<int32_t>(samples);
    int32_t step[size];
    for (int k = 0; k < size; ++k) step[k] = wanted_[k] / steps - gain_[k] / steps;
    while (samples > 0) {
      const int count = samples < most ? static_cast<int>(samples) : most;
      run_block(in, out, count, step);
      in += count;
      out += count;
      samples -= static_cast<size_t>(count);
    }
    for (int k = 0; k < size; ++k) gain_[k] = wanted_[k];
  }
  /// As at first: silence before, all gains 0.
  void reset() { *this = {}; }

 private:
  static constexpr int most = 32;  ///< samples of a block, so that its sums fit a small stack
  /// A gain of 1 is 2^gain_bits, small enough that the sum of all bands can't overflow: one is at
  /// most 2^29 times a gain of 2.
  static constexpr int gain_bits = [] {
    int bits = 30;
    while (size > 1 << (32 - bits)) --bits;
    return bits;
  }();
  static constexpr FixedFilters<filters> fixed = FixedFilters<filters>::make();

  /// Band by band, as a filter's coefficients and state then stay in registers.
  void run_block(const int16_t* in, int16_t* out, int count, const int32_t (&step)[size]) {
    int32_t sum[most]{};
    for (int k = 0; k < size; ++k) {
      BiquadState state = state_[k];
      const FixedBiquad f = fixed.filter[k];
      int32_t gain = gain_[k];
      const int32_t more = step[k];
      for (int i = 0; i < count; ++i) {
        gain += more;
        sum[i] += high(state.step(f, in[i] * (1 << BiquadState::bits)), gain);
      }
      state_[k] = state;
      gain_[k] = gain;
    }
    // A sum has BiquadState::bits + gain_bits - 32 bits below those of a sample.
    constexpr int bits = BiquadState::bits + gain_bits - 32;
    for (int i = 0; i < count; ++i) out[i] = to_sample<bits>(sum[i]);
  }

  BiquadState state_[size]{};
  int32_t wanted_[size]{}, gain_[size]{};  ///< in units of 2^-gain_bits
};

}  // namespace nnom::dsp
