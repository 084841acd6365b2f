// Biquads and the equaliser of runtime/nnom/dsp against SciPy's filters, which
// tests/fixtures/dsp/make_fixtures.py designs another way: from analogue ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "compiler/io/array.hpp"
#include "nnom/dsp/equaliser.hpp"

namespace nnomc {
namespace {

using namespace nnom::dsp;

constexpr double kRate = 16000, kQ = 2.5;
constexpr Biquad kLow[] = {low_pass(kRate, 1000)}, kHigh[] = {high_pass(kRate, 80)},
                 kBand[] = {band_pass(kRate, 500, kQ)}, kNotch[] = {notch(kRate, 3000, kQ)},
                 kAll[] = {all_pass(kRate, 2000, kQ)}, kPeak[] = {peaking(kRate, 1200, kQ, 9)},
                 kLowShelf[] = {low_shelf(kRate, 300, -12)},
                 kHighShelf[] = {high_shelf(kRate, 4000, 9)};

template <const auto& filters>
std::vector<int16_t> filtered(const std::vector<int16_t>& samples) {
  Cascade<filters> cascade;
  std::vector<int16_t> out(samples.size());
  cascade.run(samples.data(), out.data(), 100);
  cascade.run(samples.data() + 100, out.data() + 100, samples.size() - 100);
  return out;
}

struct Case {
  const char* name;  ///< in filters.npz
  const Biquad& filter;
  std::vector<int16_t> (*run)(const std::vector<int16_t>&);
};
const Case kCases[] = {{"low_pass", kLow[0], filtered<kLow>},
                       {"high_pass", kHigh[0], filtered<kHigh>},
                       {"band_pass", kBand[0], filtered<kBand>},
                       {"notch", kNotch[0], filtered<kNotch>},
                       {"all_pass", kAll[0], filtered<kAll>},
                       {"peaking", kPeak[0], filtered<kPeak>},
                       {"low_shelf", kLowShelf[0], filtered<kLowShelf>},
                       {"high_shelf", kHighShelf[0], filtered<kHighShelf>}};

std::vector<double> fixture(const std::string& file, const std::string& key) {
  const Array array = read_array(NNOM_SOURCE_DIR "/tests/fixtures/dsp/" + file + ".npz:" + key);
  std::vector<double> values;
  for (int64_t i = 0; i < array.size(); ++i) values.push_back(array.at(i));
  return values;
}

std::vector<int16_t> sound(const std::string& name, size_t count) {
  const std::vector<double> values = fixture("sounds", name);
  return {values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count)};
}

/// The largest difference to what isn't rounded: half a step is rounding itself.
double worst_error(const std::vector<int16_t>& got, const std::vector<double>& want) {
  double worst = 0;
  for (size_t i = 0; i < want.size(); ++i)
    worst = std::max(worst, std::abs(got[i] - std::clamp(want[i], -32768.0, 32767.0)));
  return worst;
}

TEST(Biquads, HaveTheCoefficientsOfSciPy) {
  for (const Case& c : kCases) {
    const std::vector<double> want = fixture("filters", c.name + std::string("/coefficients"));
    const double got[] = {c.filter.b0, c.filter.b1, c.filter.b2, c.filter.a1, c.filter.a2};
    for (size_t i = 0; i < 5; ++i) EXPECT_NEAR(got[i], want[i], 1e-12) << c.name << " " << i;
  }
}

TEST(Biquads, FilterAsSciPyDoes) {
  for (const Case& c : kCases)
    for (const char* name : {"vowel", "quiet", "clipped"}) {
      const std::vector<double> want = fixture("filters", c.name + ("/" + std::string(name)));
      EXPECT_LE(worst_error(c.run(sound(name, want.size())), want), 0.65)
          << c.name << " " << name;  // 0.633
    }
}

constexpr Biquad kLoud[] = {peaking(kRate, 1000, 1, 15), peaking(kRate, 1000, 1, 15),
                            peaking(kRate, 1000, 1, 15)};

/// 45 dB are more than the 24 dB of room: each filter's output is limited to 16 times full scale,
/// here by its definition.
TEST(Biquads, SaturateAndComeBack) {
  std::vector<int16_t> samples(3000, 0);
  for (size_t i = 0; i < 1000; ++i) samples[i] = i / 8 % 2 == 0 ? 32767 : -32768;
  std::vector<double> want(samples.begin(), samples.end());
  for (const Biquad& f : kLoud) {
    double x1 = 0, x2 = 0, y1 = 0, y2 = 0;
    for (double& v : want) {
      const double y = f.b0 * v + f.b1 * x1 + f.b2 * x2 - f.a1 * y1 - f.a2 * y2;
      x2 = x1;
      x1 = v;
      y2 = y1;
      v = y1 = std::clamp(y, -16 * 32768.0, 16 * 32768.0);
    }
  }
  const std::vector<int16_t> out = filtered<kLoud>(samples);
  EXPECT_LE(worst_error(out, want), 1);
  EXPECT_EQ(out[2999], 0);
}

TEST(Biquads, ResetIsSilenceBefore) {
  Cascade<kLoud> cascade;
  const std::vector<int16_t> samples = sound("vowel", 1000);
  std::vector<int16_t> out(1000), again(1000);
  cascade.run(samples.data(), out.data(), 1000);
  cascade.reset();
  cascade.run(samples.data(), again.data(), 1000);
  EXPECT_EQ(again, out);
}

constexpr auto kBank = mel_band_passes<20>(kRate, 60, 7800);

TEST(Equaliser, IsSciPysBankOfButterworths) {
  for (const char* name : {"vowel", "quiet", "noise"}) {
    const std::vector<double> want = fixture("filters", std::string("equaliser/") + name);
    std::vector<int16_t> samples = sound(name, want.size());
    Equaliser<kBank> equaliser;
    uint16_t gains[equaliser.size];
    for (size_t f = 0; f < samples.size() / 250; ++f) {
      for (size_t k = 0; k < 20; ++k)
        gains[k] = static_cast<uint16_t>(
            std::lround(static_cast<double>((k * 7 + f * 5) % 40) / 40 * 32768));
      equaliser.set_gains(gains);
      equaliser.run(samples.data() + 250 * f, samples.data() + 250 * f, 250);  // in place
    }
    EXPECT_LE(worst_error(samples, want), 1.5) << name;
  }
}

/// All gains 1: what comes out is what came in, but for 2 dB.
TEST(Equaliser, IsFlat) {
  Equaliser<kBank> equaliser;
  uint16_t gains[equaliser.size];
  std::fill_n(gains, 20, uint16_t{32768});
  equaliser.set_gains(gains);
  for (double f = 100; f < 7600; f *= 1.07) {
    std::vector<int16_t> in(4000), out(4000);
    for (size_t i = 0; i < in.size(); ++i)
      in[i] = static_cast<int16_t>(10000 * std::sin(2 * pi * f * static_cast<double>(i) / kRate));
    equaliser.run(in.data(), out.data(), in.size());
    double before = 0, after = 0;
    for (size_t i = 2000; i < in.size(); ++i) {
      before += in[i] * in[i];
      after += out[i] * out[i];
    }
    EXPECT_NEAR(10 * std::log10(after / before), 0, 2) << f;
  }
}

}  // namespace
}  // namespace nnomc
