/// \file
/// From 16-bit samples to the logarithm of each mel band: what LogMel and Mfcc have in common.
#pragma once

#include "nnom/dsp/config.hpp"
#include "nnom/dsp/frames.hpp"

namespace nnom::dsp {

/// The tables of a configuration, and why it makes no sense.
template <const MfccConfig& c>
struct Tables {
  static constexpr int fft = c.fft_size();
  static_assert(c.sample_rate > 0 && c.frame > 1, "sample_rate and frame must be positive");
  static_assert(c.hop > 0 && c.hop <= c.frame, "hop must be from 1 to frame");
  static_assert(fft >= 64 && fft <= 2048 && (fft & (fft - 1)) == 0,
                "fft must be a power of two from 64 to 2048");
  static_assert(c.frame <= fft, "a frame must not be longer than fft");
  static_assert(c.pre_emphasis >= 0 && c.pre_emphasis < 1, "pre_emphasis must be in [0, 1)");
  static_assert(c.bands > 0 && c.bands <= fft / 2, "bands must be from 1 to fft / 2");
  static_assert(c.low >= 0 && c.low < c.mel().high, "low must be in [0, high)");
  static_assert(c.mel().high <= c.sample_rate / 2.0, "high must not be above half of sample_rate");
  static_assert(c.floor > 0 && c.full_scale > 0, "floor and full_scale must be positive");
  static_assert(c.coefficients > 0 && c.coefficients <= c.bands,
                "coefficients must be from 1 to bands");
  static_assert(c.lifter >= 0, "lifter must not be negative");

  static constexpr bool windowed = c.window != Window::rectangular;
  static constexpr WindowTable<windowed ? c.frame : 1> window = make_window < windowed
                                                                    ? c.frame
                                                                    : 1 > (c.window, c.periodic);
  static constexpr MelTable<fft, c.bands> mel = make_mel<fft, c.bands>(c.mel());
  static_assert(!mel.has_empty_band(),
                "a mel band lies between two bins of the spectrum: use fewer bands, a longer fft, "
                "or a higher `low`");
};

template <const MfccConfig& c>
class Bands {
  using T = Tables<c>;

 public:
  /// \return how many of the samples it took: at least config.piece_size() where no frame is left.
  size_t push(const int16_t* samples, size_t count) { return frames_.push(samples, count); }
  /// Whether `next` will give features.
  bool ready() const { return frames_.ready(); }
  /// As at first.
  void reset() { frames_.reset(); }

 protected:
  struct Logs {
    int32_t band[c.bands];  ///< log2 in units of 2^-16
    int32_t energy;         ///< of the whole spectrum, if config.energy
  };

  bool next_logs(Logs& logs) {
    if (!frames_.ready()) return false;
    load();
    frames_.drop();
    fft_.transform();
    uint64_t energy[c.bands];
    apply(T::mel, fft_.bins(), energy);
    const int32_t shift = 2 * 65536 * fft_.shift();
    for (int m = 0; m < c.bands; ++m) logs.band[m] = log_of(energy[m], offset_of(m) - shift);
    if constexpr (c.energy) {
      uint64_t sum = 0;
      for (int k = 0; k < fft_.bin_count; ++k) sum += power(fft_.bins()[k]);
      logs.energy = log_of(sum, offset - shift);
    }
    return true;
  }

 private:
  static constexpr bool emphasised = c.pre_emphasis > 0;
  /// What samples are multiplied by before the FFT.
  static constexpr int input_bits = emphasised ? 13 : 14;

  void load() {
    // The high word of a product with a window is a quarter of it; without one, shifts do the same.
    const int32_t* w = T::window.value;
    const auto windowed = [&](int32_t v)
                              NNOM_INLINE { return T::windowed ? high(v, *w++) : v >> 2; };
    auto from = frames_.reader();
    if constexpr (emphasised) {
      constexpr int32_t coefficient = whole(c.pre_emphasis * 32768);
      int32_t before = frames_.before();
      fft_.load(c.frame, [&]() NNOM_INLINE {
        const int32_t x = from();
        const int32_t rest = x * 32768 - coefficient * before;
        before = x;
        return windowed(rest);
      });
    } else {
      fft_.load(c.frame, [&]() NNOM_INLINE { return windowed(from() * 65536); });
    }
  }

  static constexpr double log_unit() {  ///< log2 of what a power of 1 is in the FFT
    const double sample = c.full_scale / 32768 / (1 << input_bits) * T::fft;
    return log2(sample * sample / (c.per_sample ? T::fft : 1));
  }
  static constexpr int32_t offset = whole(log_unit() * 65536);
  static constexpr int32_t floor = whole(log2(c.floor) * 65536);

  struct Offsets {
    int32_t value[c.norm == Norm::area ? c.bands : 1];
  };
  static constexpr Offsets offsets = [] {
    Offsets o{{offset}};
    if (c.norm == Norm::area)
      for (int m = 0; m < c.bands; ++m)
        o.value[m] = whole((log_unit() - log2(band_width(c.mel(), m) / 2)) * 65536);
    return o;
  }();
  static int32_t offset_of(int band) { return c.norm == Norm::area ? offsets.value[band] : offset; }

  static int32_t log_of(uint64_t energy, int32_t plus) {
    const int32_t log = energy == 0 ? floor : log2_q16(energy) + plus;
    return log > floor ? log : floor;
  }

  FrameBuffer<c.frame, c.hop, c.piece_size()> frames_;
  RealFft<T::fft> fft_;
};

}  // namespace nnom::dsp
