/// \file
/// Features of sound for a network: log-mel bands and MFCC, from 16-bit samples in pieces of any
/// size. The same bits on the host and on every core.
///
///     constexpr nnom::dsp::MfccConfig config{.sample_rate = 16000, .frame = 512, .hop = 256};
///     nnom::dsp::Mfcc<config> mfcc;                // static: its RAM is known when it is linked
///     mfcc.push(samples, count);
///     int32_t features[mfcc.size];                 // in units of 2^-16
///     while (mfcc.next(features)) use(features);
#pragma once

#include "nnom/dsp/front.hpp"
#include "nnom/model.hpp"

namespace nnom::dsp {

/// Features of the frames of a stream; `Map` makes `Map::size` of them from the bands.
template <const MfccConfig& c, class Map>
class Features : public Bands<c> {
 public:
  static constexpr int size = Map::size;

  /// Writes the features of the oldest frame, in units of 2^-16; false where there is none.
  bool next(Span<int32_t, size> out) {
    typename Bands<c>::Logs logs;
    if (!this->next_logs(logs)) return false;
    Map::apply(logs, out.data());
    return true;
  }
  /// The same, as the input of a model stores them.
  bool next(Span<int8_t, size> out, const Quantiser& input) { return next_stored(out, input); }
  bool next(Span<int16_t, size> out, const Quantiser& input) { return next_stored(out, input); }

  /// Takes any number of samples and calls `use` with the features of every frame that is whole,
  /// as `int32_t (&)[size]`.
  template <class Use>
  void feed(const int16_t* samples, size_t count, Use use) {
    int32_t features[size];
    do {
      const size_t taken = this->push(samples, count);
      samples += taken;
      count -= taken;
      while (next(features)) use(features);
    } while (count > 0);
  }

 private:
  template <class T>
  bool next_stored(Span<T, size> out, const Quantiser& input) {
    int32_t features[size];
    if (!next(features)) return false;
    for (size_t i = 0; i < out.size(); ++i) out[i] = input.stored<T>(features[i]);
    return true;
  }
};

/// What a logarithm to base 2 is times for one of the kind asked for.
constexpr double log_factor(Log kind) {
  return kind == Log::natural ? log(2) : kind == Log::decibel ? 10 * log(2) / log(10) : 1;
}

/// The logarithms of the bands as they are.
template <const MfccConfig& c>
struct ToLogMel {
  static constexpr int size = c.bands;
  static constexpr int32_t factor = whole(log_factor(c.log) * (1 << 28));

  static void apply(const auto& logs, int32_t* out) {
    for (int m = 0; m < size; ++m)
      out[m] = static_cast<int32_t>((int64_t{logs.band[m]} * factor + (1 << 27)) >> 28);
  }
};

/// Their discrete cosine transform, of type II and orthonormal.
template <const MfccConfig& c>
struct ToMfcc {
  static constexpr int size = c.coefficients, half = (c.bands + 1) / 2;

  static constexpr double weight(int k, int m) {
    const double norm = root((k == 0 ? 1.0 : 2.0) / c.bands) * log_factor(c.log);
    const double lift = c.lifter > 0 ? 1 + c.lifter / 2.0 * sine(pi * k / c.lifter) : 1;
    return norm * lift * cosine(pi * k * (m + 0.5) / c.bands);
  }
  struct Table {
    int32_t value[size][half];  ///< in units of 2^-bits
    int bits;
  };
  static constexpr Table table = [] {
    double most = 0;
    for (int k = 0; k < size; ++k)
      for (int m = 0; m < half; ++m)
        if (const double w = magnitude(weight(k, m)); w > most) most = w;
    Table t{};
    for (t.bits = 30; most * (1 << t.bits) > 2147483000.0; --t.bits) {
    }
    for (int k = 0; k < size; ++k)
      for (int m = 0; m < half; ++m) t.value[k][m] = whole(weight(k, m) * (1 << t.bits));
    return t;
  }();

  /// Rows are symmetric for even k, antisymmetric for odd k: half of them is stored.
  static void apply(const auto& logs, int32_t* out) {
    int32_t folded[2][half];
    for (int m = 0; m < half; ++m) {
      const int32_t a = logs.band[m], b = logs.band[c.bands - 1 - m];
      const bool middle = m == c.bands - 1 - m;
      folded[0][m] = middle ? a : a + b;
      folded[1][m] = a - b;
    }
    constexpr int bits = table.bits;
    for (int k = c.energy ? 1 : 0; k < size; ++k) {
      int64_t sum = int64_t{1} << (bits - 1);
      for (int m = 0; m < half; ++m) sum += int64_t{folded[k & 1][m]} * table.value[k][m];
      out[k] = static_cast<int32_t>(sum >> bits);
    }
    if constexpr (c.energy)
      out[0] = static_cast<int32_t>((int64_t{logs.energy} * ToLogMel<c>::factor) >> 28);
  }
};

/// config.bands logarithms of energies for each frame.
template <const MfccConfig& config>
using LogMel = Features<config, ToLogMel<config>>;

/// config.coefficients mel-frequency cepstral coefficients for each frame.
template <const MfccConfig& config>
using Mfcc = Features<config, ToMfcc<config>>;

}  // namespace nnom::dsp
