/// \file
/// Mel filter banks: triangles on the spectrum of powers.
#pragma once

#include "nnom/dsp/fft.hpp"

namespace nnom::dsp {

enum class MelScale {
  htk,     ///< 2595 log10(1 + f / 700)
  slaney,  ///< f / (200 / 3) below 1000 Hz, a logarithm above: librosa's default
};

constexpr double hertz_to_mel(MelScale scale, double f) {
  if (scale == MelScale::htk) return 2595 / log(10) * log(1 + f / 700);
  return f < 1000 ? f * 3 / 200 : 15 + 27 * log(f / 1000) / log(6.4);
}
constexpr double mel_to_hertz(MelScale scale, double mel) {
  if (scale == MelScale::htk) return 700 * (exp(mel * log(10) / 2595) - 1);
  return mel < 15 ? mel * 200 / 3 : 1000 * exp((mel - 15) * log(6.4) / 27);
}

/// Along what the sides of a triangle are straight.
enum class Triangles {
  in_hertz,  ///< librosa
  in_bins,   ///< corners at whole bins, floor((fft + 1) f / rate): python_speech_features
  in_mel,    ///< HTK, and tf.signal.linear_to_mel_weight_matrix
};

struct MelConfig {
  int sample_rate, fft, bands;
  double low, high;  ///< Hz
  MelScale scale;
  Triangles triangles;
};

/// Hz. There are bands + 2 corners, as far from each other on the mel scale.
constexpr double corner_of(const MelConfig& c, int m) {
  const double bottom = hertz_to_mel(c.scale, c.low), top = hertz_to_mel(c.scale, c.high);
  return mel_to_hertz(c.scale, bottom + (top - bottom) * m / (c.bands + 1));
}
constexpr double band_width(const MelConfig& c, int m) {
  return corner_of(c, m + 2) - corner_of(c, m);
}

/// Band m rises from corner m to corner m + 1 and falls to corner m + 2, where its neighbours have
/// theirs: between two corners what one gains the other loses, so a bin needs one weight.
template <int fft, int bands>
struct MelTable {
  uint16_t first[bands + 2];     ///< the first bin at or above each corner
  uint16_t rising[fft / 2 + 1];  ///< in units of 2^-16, of bin first[0] + i

  /// Whether all weights of a band are 0.
  constexpr bool has_empty_band() const {
    for (int m = 0; m < bands; ++m) {
      bool empty = first[m + 1] == first[m + 2];
      for (int k = first[m]; k < first[m + 1]; ++k) empty = empty && rising[k - first[0]] == 0;
      if (empty) return true;
    }
    return false;
  }
};

template <int fft, int bands>
constexpr MelTable<fft, bands> make_mel(const MelConfig& c) {
  const double bin = static_cast<double>(c.sample_rate) / fft;
  double corner[bands + 2]{};  // in the unit the triangles are straight in
  const auto place = [&](int k) {
    return c.triangles == Triangles::in_mel    ? hertz_to_mel(c.scale, k * bin)
           : c.triangles == Triangles::in_bins ? k
                                               : k * bin;
  };
  MelTable<fft, bands> table{};
  for (int m = 0; m < bands + 2; ++m) {
    const double f = corner_of(c, m);
    corner[m] = c.triangles == Triangles::in_mel    ? hertz_to_mel(c.scale, f)
                : c.triangles == Triangles::in_bins ? floor_of((fft + 1) * f / c.sample_rate)
                                                    : f;
  }
  int k = 0;
  for (int m = 0; m < bands + 2; ++m) {
    for (; k <= fft / 2 && place(k) < corner[m]; ++k)
      if (m > 0) {
        const double share = (place(k) - corner[m - 1]) / (corner[m] - corner[m - 1]);
        const int32_t weight = whole(65536 * share);
        table.rising[k - table.first[0]] = static_cast<uint16_t>(weight > 65535 ? 65535 : weight);
      }
    table.first[m] = static_cast<uint16_t>(k);
  }
  return table;
}

/// What lies between two corners.
struct Energies {
  uint64_t all, rising;
};

/// Powers are up to 2^59 and weights have 16 bits: the halves of each power are summed apart. A
/// spectrum divided by its length has powers whose sum is that of one, so nothing overflows.
inline Energies energies(const Complex* bins, const uint16_t* weights, int count) {
  uint64_t all = 0, low = 0, high = 0;
  for (int i = 0; i < count; ++i) {
    const uint64_t p = power(bins[i]);
    const uint32_t w = weights[i];
    all += p;
    low += uint64_t{static_cast<uint32_t>(p)} * w;
    high += uint64_t{static_cast<uint32_t>(p >> 32)} * w;
  }
  return {all, (high << 16) + (low >> 16)};
}

/// The energy of each band, as RealFft scales powers.
template <int fft, int bands>
void apply(const MelTable<fft, bands>& mel, const Complex* bins, uint64_t (&out)[bands]) {
  uint64_t risen = 0;
  for (int m = 0; m <= bands; ++m) {
    const int from = mel.first[m];
    const Energies e =
        energies(bins + from, mel.rising + (from - mel.first[0]), mel.first[m + 1] - from);
    if (m > 0) out[m - 1] = risen + (e.all - e.rising);
    risen = e.rising;
  }
}

}  // namespace nnom::dsp
