/// \file
/// Everything in runtime/nnom/dsp, run on sounds made here: the same bytes are wanted from the host
/// and from every core.
#pragma once

#include "nnom/dsp/equaliser.hpp"
#include "nnom/dsp/mfcc.hpp"

namespace dsp_bytes {

using namespace nnom::dsp;

/// The example of docs/dsp.md, whose cost is reported.
inline constexpr MfccConfig keyword{.sample_rate = 16000, .frame = 512, .hop = 256};
inline constexpr MfccConfig speech = python_speech_features(16000);
inline constexpr MfccConfig music = librosa(22050, 1000, 300);
inline constexpr Biquad filters[] = {high_pass(16000, 80), peaking(16000, 1000, 2, 6),
                                     low_shelf(16000, 200, 6), notch(16000, 50, 5)};
inline constexpr auto bands = mel_band_passes<20>(16000, 60, 7800);

/// `count` samples: a chirp and noise, loud, quiet, clipped and silent by turns.
inline void make_sound(int16_t* samples, int count) {
  uint32_t noise = 1, phase = 0;
  for (int i = 0; i < count; ++i) {
    noise = noise * 1664525 + 1013904223;
    phase += static_cast<uint32_t>(i % 3000) * 500000;
    const int32_t saw = static_cast<int32_t>(phase) >> 16, hiss = static_cast<int32_t>(noise) >> 18;
    const int loudness = i / 700 % 4;
    const int32_t v = loudness == 0   ? (saw + hiss) / 2
                      : loudness == 1 ? (saw + hiss) / 2048
                      : loudness == 2 ? 3 * saw
                                      : 0;
    samples[i] = static_cast<int16_t>(v > 32767 ? 32767 : v < -32768 ? -32768 : v);
  }
}

/// Calls `write(data, bytes)` with all that comes out.
template <class Write>
void run(Write write) {
  constexpr int count = 6000;
  static int16_t sound[count], filtered[count];
  make_sound(sound, count);
  const auto each = [&](const auto& features) { write(features, sizeof features); };
  static Mfcc<keyword> a;
  static Mfcc<speech> b;
  static LogMel<music> c;
  for (int i = 0; i < count; i += 750) {  // pieces
    a.feed(sound + i, 750, each);
    b.feed(sound + i, 750, each);
    c.feed(sound + i, 750, each);
  }
  a.reset();
  a.push(sound, 512);
  int8_t stored[a.size];
  constexpr Quantiser input(0.6f, -5);
  a.next(stored, input);
  write(stored, sizeof stored);

  const auto spectrum = [&](auto& fft) {
    fft.run(sound);
    write(fft.bins(), static_cast<size_t>(fft.bin_count) * sizeof(Complex));
  };
  static RealFft<64> small;
  static RealFft<2048> large;
  spectrum(small);
  spectrum(large);

  static Cascade<filters> cascade;
  cascade.run(sound, filtered, count);
  write(filtered, sizeof filtered);
  static Equaliser<bands> equaliser;
  uint16_t gains[equaliser.size];
  for (int f = 0; f < count / 250; ++f) {
    for (int k = 0; k < equaliser.size; ++k)
      gains[k] = static_cast<uint16_t>((k * 7 + f * 5) % 40 * 1000);
    equaliser.set_gains(gains);
    equaliser.run(sound + 250 * f, filtered + 250 * f, 250);
  }
  write(filtered, sizeof filtered);
}

}  // namespace dsp_bytes
