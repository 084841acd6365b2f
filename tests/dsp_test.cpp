// runtime/nnom/dsp against python_speech_features, librosa and SciPy; tests/fixtures/dsp has what
// they gave. The largest errors found are written beside the bounds; docs/dsp.md names them.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <numbers>
#include <string>
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
  c.bands = 20;
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
constexpr MfccConfig kTensorflow{.frame = 640,
                                 .hop = 320,
                                 .fft = 1024,
                                 .low = 20,
                                 .high = 4000,
                                 .triangles = Triangles::in_mel};

struct Case {
  const char* name;  ///< in features.npz
  std::vector<double> (*run)(const std::vector<int16_t>&, const std::vector<size_t>&);
  double bound;       ///< of the error
  double down = 1e9;  ///< only of features at most this much below the frame's largest
};

const Case kCases[] = {
    {"psf_default", features_of<Mfcc<kPsf>>, 0.01},
    {"psf_hamming", features_of<Mfcc<kPsfHamming>>, 0.01},
    {"psf_8000", features_of<Mfcc<kPsf8000>>, 0.01},
    {"usual", features_of<Mfcc<kUsual>>, 0.01},
    {"usual_bands", features_of<LogMel<kUsual>>, 0.01},
    {"librosa_bands", features_of<LogMel<kLibrosa>>, 0.05, 80},
    {"librosa_mfcc", features_of<Mfcc<kLibrosa>>, 0.5},
    {"short_frames", features_of<LogMel<kShort>>, 0.01},
    {"tensorflow", features_of<LogMel<kTensorflow>>, 0.01},
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
      std::printf("%s %s %g\n", c.name, name, worst);
    }
}

}  // namespace
}  // namespace nnomc
