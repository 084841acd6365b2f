// runtime/nnom/dsp against python_speech_features, librosa and SciPy; tests/fixtures/dsp has what
// they gave. The largest errors found are written beside the bounds; docs/dsp.md names them.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstdio>
#include <cstdlib>
#include <numbers>
#include <string>
#include <thread>
#include <vector>

#include "compiler/io/array.hpp"
#include "nnom/dsp/equaliser.hpp"
#include "nnom/dsp/mfcc.hpp"

namespace nnomc {
namespace {

using namespace nnom::dsp;

const std::string kFixtures = NNOM_SOURCE_DIR "/tests/fixtures/dsp/";

std::vector<double> fixture(const std::string& file, const std::string& key) {
  const Array array = read_array(kFixtures + file + ".npz:" + key);
  std::vector<double> values;
  for (int64_t i = 0; i < array.size(); ++i) values.push_back(array.at(i));
  return values;
}

std::vector<int16_t> sound(const std::string& name) {
  const std::vector<double> values = fixture("sounds", name);
  return {values.begin(), values.end()};
}

/// What `Front` gives for `samples`, pushed in pieces whose sizes go round.
template <class Front>
std::vector<double> features_of(const std::vector<int16_t>& samples,
                                const std::vector<size_t>& pieces) {
  Front front;
  std::vector<double> all;
  for (size_t i = 0, n = 0; i < samples.size(); ++n) {
    const size_t piece = std::min(pieces[n % pieces.size()], samples.size() - i);
    front.feed(samples.data() + i, piece, [&](const int32_t(&features)[Front::size]) {
      for (const int32_t f : features) all.push_back(f / 65536.0);
    });
    i += piece;
  }
  return all;
}

constexpr MfccConfig kPsf = python_speech_features(16000);
constexpr MfccConfig kPsfHamming{.frame = 640,
                                 .hop = 320,
                                 .fft = 1024,
                                 .window = Window::hamming,
                                 .periodic = false,
                                 .pre_emphasis = 0.95,
                                 .bands = 40,
                                 .low = 100,
                                 .high = 7000,
                                 .triangles = Triangles::in_bins,
                                 .full_scale = 32768,
                                 .per_sample = true,
                                 .floor = 2.220446049250313e-16,
                                 .coefficients = 20};
constexpr MfccConfig kPsf8000 = [] {
  MfccConfig c = python_speech_features(8000);
  c.fft = 256;
  c.bands = 21;
  c.pre_emphasis = 0;
  return c;
}();
constexpr MfccConfig kUsual{.sample_rate = 16000, .frame = 512, .hop = 256};
constexpr MfccConfig kLibrosa = librosa(22050);
constexpr MfccConfig kShort{.frame = 101,
                            .hop = 37,
                            .fft = 128,
                            .bands = 15,
                            .low = 300,
                            .high = 6000,
                            .norm = Norm::area,
                            .log = Log::base2};
constexpr MfccConfig kTensorflow{
    .frame = 640, .hop = 320, .fft = 1024, .low = 20, .high = 4000, .triangles = Triangles::in_mel};

struct Case {
  const char* name;  ///< in features.npz
  std::vector<double> (*run)(const std::vector<int16_t>&, const std::vector<size_t>&);
  double bound;       ///< of the error
  double down = 1e9;  ///< only of features at most this much below the frame's largest
};

const Case kCases[] = {
    {"psf_default", features_of<Mfcc<kPsf>>, 0.01},
    {"psf_hamming", features_of<Mfcc<kPsfHamming>>, 0.005},
    {"psf_8000", features_of<Mfcc<kPsf8000>>, 0.001},
    {"usual", features_of<Mfcc<kUsual>>, 0.01},
    {"usual_bands", features_of<LogMel<kUsual>>, 0.01},
    {"librosa_bands", features_of<LogMel<kLibrosa>>, 0.02, 80},
    {"librosa_mfcc", features_of<Mfcc<kLibrosa>>, 0.6},
    {"short_frames", features_of<LogMel<kShort>>, 0.01},
    {"tensorflow", features_of<LogMel<kTensorflow>>, 0.02},
};
const char* const kSounds[] = {"vowel", "loud",   "clipped", "quiet",  "faint", "silent",
                               "dc",    "lowest", "tone",    "clicks", "noise"};

TEST(Features, AreThoseOfTheLibraries) {
  for (const Case& c : kCases)
    for (const char* name : kSounds) {
      const std::vector<double> want = fixture("features", c.name + ("/" + std::string(name)));
      const std::vector<double> got = c.run(sound(name), {160});
      ASSERT_EQ(got.size(), want.size()) << c.name << " " << name;
      double worst = 0;
      const double top = *std::max_element(want.begin(), want.end());
      for (size_t i = 0; i < got.size(); ++i)
        if (want[i] > top - c.down) worst = std::max(worst, std::abs(got[i] - want[i]));
      EXPECT_LE(worst, c.bound) << c.name << " of " << name;
      if (std::getenv("NNOM_SHOW_ERRORS") != nullptr)
        std::printf("%s %s %g\n", c.name, name, worst);
    }
}

TEST(Features, PiecesOfAnySizeGiveTheSame) {
  const std::vector<int16_t> samples = sound("vowel");
  for (const Case& c : kCases) {
    const std::vector<double> want = c.run(samples, {samples.size()});
    for (const std::vector<size_t>& pieces :
         {std::vector<size_t>{1}, {37, 1, 500}, {160}, {255, 257}, {3999}})
      EXPECT_EQ(c.run(samples, pieces), want) << c.name << ", " << pieces[0];
  }
}

TEST(Features, PushTakesWhatFits) {
  static constexpr MfccConfig config{.frame = 512, .hop = 256, .piece = 100};
  static Mfcc<config> mfcc;
  const std::vector<int16_t> samples = sound("vowel");
  EXPECT_EQ(mfcc.push(samples.data(), 5), 5u);
  EXPECT_FALSE(mfcc.ready());
  EXPECT_EQ(mfcc.push(samples.data() + 5, 4000 - 5), 611u - 5);
  int32_t features[mfcc.size], first[mfcc.size];
  EXPECT_TRUE(mfcc.next(first));
  EXPECT_FALSE(mfcc.next(features));
  EXPECT_EQ(mfcc.push(samples.data() + 611, 4000 - 611), 256u);
  EXPECT_TRUE(mfcc.next(features));
  mfcc.reset();
  EXPECT_FALSE(mfcc.next(features));
  mfcc.push(samples.data(), 512);
  EXPECT_TRUE(mfcc.next(features));
  EXPECT_TRUE(std::equal(first, first + mfcc.size, features));
}

TEST(Features, AreQuantisedForAModel) {
  const std::vector<int16_t> samples = sound("vowel");
  static Mfcc<kUsual> real, small, wide;
  for (const auto& [scale, zero] : {std::pair(0.6f, -5), {0.01f, 100}, {37.0f, 0}, {1e-7f, 3}}) {
    const Quantiser input(scale, zero);
    int32_t features[real.size];
    int8_t stored[real.size];
    int16_t stored16[real.size];
    for (auto* mfcc : {&real, &small, &wide}) {
      mfcc->reset();
      mfcc->push(samples.data(), 512);
    }
    ASSERT_TRUE(real.next(features) && small.next(stored, input) && wide.next(stored16, input));
    for (int i = 0; i < real.size; ++i) {
      const double q = features[i] / 65536.0 / static_cast<double>(scale) + zero;
      EXPECT_NEAR(stored[i], std::clamp(q, -128.0, 127.0), 0.501) << scale;
      EXPECT_NEAR(stored16[i], std::clamp(q, -32768.0, 32767.0), 0.501) << scale;
    }
  }
}

TEST(Frames, AreCutFromTheStream) {
  nnom::dsp::FrameBuffer<7, 3, 5> buffer;
  int16_t next = 0, frame[7];
  int16_t wanted = 0;
  for (int round = 0; round < 1000; ++round) {
    int16_t piece[5];
    const size_t count = static_cast<size_t>(round) % 5 + 1;
    for (size_t i = 0; i < count; ++i) piece[i] = static_cast<int16_t>(next++ % 30000);
    ASSERT_EQ(buffer.push(piece, count), count);
    EXPECT_EQ(buffer.before(), wanted == 0 ? 0 : wanted - 1);
    while (buffer.next(frame)) {
      for (int i = 0; i < 7; ++i) ASSERT_EQ(frame[i], wanted + i);
      wanted = static_cast<int16_t>(wanted + 3);
    }
  }
  EXPECT_EQ(wanted, 3 * ((next - 7) / 3 + 1));
}

TEST(Frames, OneThreadMayPushWhileAnotherReads) {
  static nnom::dsp::FrameBuffer<64, 16, 50> buffer;
  constexpr int count = 200000;
  std::thread interrupt([] {
    for (int next = 0; next < count;) {
      int16_t piece[50];
      const int size = std::min(next % 50 + 1, count - next);
      for (int i = 0; i < size; ++i) piece[i] = static_cast<int16_t>((next + i) % 32749);
      next += static_cast<int>(buffer.push(piece, static_cast<size_t>(size)));
    }
  });
  int wrong = 0;
  for (int at = 0; at + 64 <= count; at += 16) {
    int16_t frame[64];
    while (!buffer.next(frame)) std::this_thread::yield();
    for (int i = 0; i < 64; ++i) wrong += frame[i] != (at + i) % 32749;
  }
  interrupt.join();
  EXPECT_EQ(wrong, 0);
}

/// How far the transform is off, as a signal-to-noise ratio in dB, against the sum that defines it.
template <int n>
double fft_snr(double amplitude, double dc) {
  std::vector<int16_t> samples;
  uint32_t noise = 1;
  for (int i = 0; i < n; ++i) {
    noise = noise * 1664525 + 1013904223;
    const double v = 0.7 * std::sin(0.37 * i) + 0.3 * (noise / 2147483648.0 - 1);
    samples.push_back(static_cast<int16_t>(std::clamp(amplitude * v + dc, -32768.0, 32767.0)));
  }
  static RealFft<n> fft;
  fft.run(samples.data());
  double signal = 0, error = 0;
  for (int k = 0; k < fft.bin_count; ++k) {
    std::complex<double> sum = 0;
    for (int i = 0; i < n; ++i)
      sum += static_cast<double>(samples[static_cast<size_t>(i)]) *
             std::polar(1.0, -2 * std::numbers::pi * (i * k % n) / n);
    sum *= std::ldexp(1.0, fft.input_bits + fft.shift()) / n;
    const std::complex<double> got(fft.bins()[k].re, fft.bins()[k].im);
    signal += std::norm(sum);
    error += std::norm(got - sum);
  }
  return 10 * std::log10(signal / error);
}

TEST(Fft, OfEverySize) {
  for (const auto& [amplitude, dc] : {std::pair(32767.0, 0.0),
                                      {1e6, 0.0},
                                      {3000.0, 0.0},
                                      {10.0, 0.0},
                                      {2.0, 0.0},
                                      {0.0, 32767.0},
                                      {0.0, -32768.0},
                                      {5000.0, -32768.0},
                                      {0.0, 1.0}}) {
    const double snr[] = {fft_snr<64>(amplitude, dc),   fft_snr<128>(amplitude, dc),
                          fft_snr<256>(amplitude, dc),  fft_snr<512>(amplitude, dc),
                          fft_snr<1024>(amplitude, dc), fft_snr<2048>(amplitude, dc)};
    for (const double s : snr) EXPECT_GE(s, 120) << amplitude << " " << dc;  // 127
  }
}

TEST(Fft, SilenceIsSilent) {
  static RealFft<256> fft;
  const int16_t silence[256] = {};
  fft.run(silence);
  for (int k = 0; k < fft.bin_count; ++k) EXPECT_EQ(power(fft.bins()[k]), 0u);
}

TEST(Fixed, Logarithm) {
  for (int i = 0; i < 64; ++i) EXPECT_EQ(log2_q16(uint64_t{1} << i), i * 65536);
  EXPECT_EQ(log2_q16(~uint64_t{0}), 64 * 65536);
  double worst = 0;
  uint64_t x = 1;
  for (int i = 0; i < 200000; ++i) {
    x = x * 6364136223846793005 + 1442695040888963407;
    const uint64_t v = (x >> (i % 60)) | 1;
    worst = std::max(worst, std::abs(log2_q16(v) / 65536.0 - std::log2(static_cast<double>(v))));
  }
  EXPECT_LE(worst, 5e-5);  // 4.6e-5
}

TEST(Maths, AgreesWithTheLibrary) {
  for (double x = -20; x < 20; x += 0.0137) {
    EXPECT_NEAR(sine(x), std::sin(x), 1e-14);
    EXPECT_NEAR(cosine(x), std::cos(x), 1e-14);
    EXPECT_NEAR(nnom::dsp::exp(x) / std::exp(x), 1, 1e-13);
    EXPECT_NEAR(nnom::dsp::log(std::exp(x)), x, 1e-13);
    EXPECT_NEAR(root(std::exp(x)) / std::exp(x / 2), 1, 1e-13);
    EXPECT_EQ(floor_of(x), std::floor(x));
  }
}

}  // namespace
}  // namespace nnomc
