/// \file
/// What a front end for sound computes, and the conventions of two libraries that models are
/// trained with.
#pragma once

#include "nnom/dsp/mel.hpp"
#include "nnom/dsp/window.hpp"

namespace nnom::dsp {

enum class Log {
  natural,
  decibel,  ///< 10 log10(x)
  base2,
};

enum class Norm {
  none,  ///< every triangle is 1 high
  area,  ///< divided by half its width in Hz: librosa's norm="slaney"
};

/// A constant of this type is the argument of LogMel and Mfcc. What it leaves out is as in
/// `librosa.feature.melspectrogram(htk=True, norm=None, center=False)` of sound in [-1, 1).
struct MfccConfig {
  int sample_rate = 16000;       ///< Hz
  int frame = 512;               ///< samples
  int hop = 256;                 ///< samples from one frame to the next
  int piece = 0;                 ///< samples one push takes for sure; 0: a hop
  int fft = 0;                   ///< 0: the next power of two from a frame on
  Window window = Window::hann;  ///
  bool periodic = true;          ///< the window; false: symmetric
  double pre_emphasis = 0;       ///< x[i] - pre_emphasis x[i - 1]
  int bands = 40;                ///< of the mel filter bank
  double low = 0;                ///< Hz, where the first band begins
  double high = 0;               ///< Hz, where the last one ends; 0: half the sample rate
  MelScale scale = MelScale::htk;
  Triangles triangles = Triangles::in_hertz;
  Norm norm = Norm::none;
  double full_scale = 1;    ///< what a sample of 32768 is
  bool per_sample = false;  ///< divide powers by the length of the FFT
  Log log = Log::natural;
  double floor = 1e-6;    ///< an energy below it is taken for it
  int coefficients = 13;  ///< of the MFCC
  int lifter = 0;         ///< coefficient k times 1 + lifter / 2 sin(pi k / lifter)
  bool energy = false;    ///< coefficient 0 is the log of the frame's energy

  constexpr int fft_size() const {
    int size = fft > 0 ? fft : 64;
    while (fft <= 0 && size < frame) size *= 2;
    return size;
  }
  constexpr int piece_size() const { return piece > 0 ? piece : hop; }
  constexpr MelConfig mel() const {
    return {sample_rate, fft_size(), bands, low, high > 0 ? high : sample_rate / 2.0,
            scale,       triangles};
  }
};

/// As `python_speech_features.mfcc(signal, rate)`, whose defaults these are: `signal` of whole
/// numbers as in a wav file, frames of 25 ms, 10 ms apart, FFTs of 512 (`nfft`).
///
///     constexpr auto config = nnom::dsp::python_speech_features(16000);
constexpr MfccConfig python_speech_features(int rate) {
  return {.sample_rate = rate,
          .frame = whole(0.025 * rate),
          .hop = whole(0.01 * rate),
          .fft = 512,
          .window = Window::rectangular,
          .pre_emphasis = 0.97,
          .bands = 26,
          .triangles = Triangles::in_bins,
          .full_scale = 32768,
          .per_sample = true,
          .floor = 2.220446049250313e-16,
          .lifter = 22,
          .energy = true};
}

/// As `librosa.feature.mfcc(S=librosa.power_to_db(mel, top_db=None), n_mfcc=20)` of
/// `mel = librosa.feature.melspectrogram(y=y, sr=rate, n_fft=frame, hop_length=hop, center=False)`,
/// y in [-1, 1); `frame` a power of two.
constexpr MfccConfig librosa(int rate, int frame = 2048, int hop = 512) {
  return {.sample_rate = rate,
          .frame = frame,
          .hop = hop,
          .bands = 128,
          .scale = MelScale::slaney,
          .norm = Norm::area,
          .log = Log::decibel,
          .floor = 1e-10,
          .coefficients = 20};
}

}  // namespace nnom::dsp
