// The ranges that the methods of calibration choose, against brute force on the values themselves.
#include "compiler/quantise/histogram.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "tests/oracle.hpp"
#include "tests/random_layers.hpp"

namespace nnomc {
namespace {

struct Distribution {
  std::string name;
  std::function<double(Random&)> draw;
  std::vector<float> outliers{};
  int count = 50'000;
};

std::vector<Distribution> distributions() {
  const auto normal = [](Random& r) { return r.normal(); };
  const auto laplace = [](Random& r) {
    const double u = r.real(-0.4999, 0.4999);
    return (u < 0 ? 1 : -1) * std::log(1 - 2 * std::abs(u));
  };
  return {
      {"even", [](Random& r) { return r.real(-1, 1); }},
      {"even above 0", [](Random& r) { return r.real(0, 6); }},
      {"normal", normal},
      {"normal with an outlier", normal, {60}},
      {"normal with outliers below", normal, {-40, -30}},
      {"normal with outliers", normal, {-30, 30, 25, -25}},
      {"exponential", [](Random& r) { return -std::log(1 - r.real(0, 0.99999)); }},
      {"exponential with an outlier",
       [](Random& r) { return -std::log(1 - r.real(0, 0.99999)); },
       {100}},
      {"laplace", laplace},
      {"rectified", [](Random& r) { return std::max(0.0, r.normal()); }, {20}},
      {"far from 0", [](Random& r) { return 50 + r.normal(); }},
      {"far below 0", [](Random& r) { return -50 + r.normal(); }, {-90}},
      {"two values", [](Random& r) { return r.one_in(2) ? 1 : -2; }},
      {"one value", [](Random&) { return 3; }},
      {"one value and an outlier", [](Random&) { return 0.5; }, {100}},
      {"few", normal, {}, 20},
  };
}

std::vector<float> values_of(const Distribution& d) {
  Random r(1);
  std::vector<float> values;
  for (int i = 0; i < d.count; ++i) values.push_back(static_cast<float>(d.draw(r)));
  values.insert(values.end(), d.outliers.begin(), d.outliers.end());
  return values;
}

Limits limits_of(const std::vector<float>& values) {
  const auto [lo, hi] = std::minmax_element(values.begin(), values.end());
  return {*lo, *hi};
}

Histogram histogram_of(const std::vector<float>& values) {
  Histogram h(limits_of(values));
  h.add(values);
  return h;
}

/// What int8 with these limits really does to the values.
double squared_error(const std::vector<float>& values, const Limits& limits) {
  const Quantisation q = quantisation_of(limits);
  double sum = 0;
  for (const float v : values) {
    const double off = oracle::real(oracle::stored(double{v}, q), q) - double{v};
    sum += off * off;
  }
  return sum / static_cast<double>(values.size());
}

/// Ranges cut on both sides at the same distance from 0, to a quarter at least.
std::vector<Limits> cuts(const Limits& all) {
  std::vector<Limits> list;
  const float side = std::max(std::abs(all.lo), std::abs(all.hi));
  for (int i = 64; i <= 256; i += 3) {
    const float cut = side * static_cast<float>(i) / 256;
    const Limits l{std::max(all.lo, -cut), std::min(all.hi, cut)};
    if (l.lo < l.hi) list.push_back(l);
  }
  return list;
}

/// Whether the values spread over many steps of int8; of others an estimate can't tell the error.
bool is_spread(const Distribution& d) {
  return d.name != "two values" && d.name != "few" && !d.name.starts_with("one value");
}

TEST(Histogram, LeastErrorIsThatOfBruteForce) {
  for (const Distribution& d : distributions()) {
    const std::vector<float> values = values_of(d);
    const Limits all = limits_of(values), chosen = histogram_of(values).least_error();
    EXPECT_TRUE(chosen.lo >= all.lo && chosen.hi <= all.hi && chosen.lo <= chosen.hi) << d.name;
    if (!is_spread(d)) continue;
    const double got = squared_error(values, chosen), uncut = squared_error(values, all);
    double least = uncut;
    for (const Limits& l : cuts(all)) least = std::min(least, squared_error(values, l));
    SCOPED_TRACE(fmt::format("{}: [{}, {}] of [{}, {}], error {} of {}, least {}", d.name,
                             chosen.lo, chosen.hi, all.lo, all.hi, got, uncut, least));
    EXPECT_LE(got, uncut * 1.001);
    EXPECT_LE(got, least * 1.1);
  }
}

TEST(Histogram, ErrorIsAboutTheRealOne) {
  for (const Distribution& d : distributions()) {
    if (!is_spread(d)) continue;
    const std::vector<float> values = values_of(d);
    const Histogram h = histogram_of(values);
    for (const Limits& l : cuts(limits_of(values))) {
      const double real = squared_error(values, l);
      EXPECT_LE(std::abs(h.error(l) - real), 0.3 * real)
          << d.name << " [" << l.lo << ", " << l.hi << "]";
    }
  }
}

TEST(Histogram, PercentileLeavesOutOneInTenThousandOnEachSide) {
  for (const Distribution& d : distributions()) {
    std::vector<float> values = values_of(d);
    const Limits all = limits_of(values), chosen = histogram_of(values).percentile();
    std::sort(values.begin(), values.end());
    const size_t beyond = values.size() / 10'000;
    const float bin = (all.hi - all.lo) / Histogram::bins * 1.01f;
    SCOPED_TRACE(fmt::format("{}: [{}, {}]", d.name, chosen.lo, chosen.hi));
    // No farther in than the percentile, and no farther out than a bin.
    EXPECT_LE(chosen.lo, values[beyond] + 1e-6f);
    EXPECT_GE(chosen.lo, values[beyond] - bin - 1e-6f);
    EXPECT_GE(chosen.hi, values[values.size() - 1 - beyond] - 1e-6f);
    EXPECT_LE(chosen.hi, values[values.size() - 1 - beyond] + bin + 1e-6f);
  }
}

/// Kullback and Leibler's divergence of what int8 makes of the values from the values themselves,
/// both as shares of 2048 bins: a step of int8 spreads what it holds evenly over those of its bins
/// that were not empty. Values cut off count where they end up. Zero, exact in every choice, has no
/// say.
double divergence(const std::vector<float>& values, const Limits& all, const Limits& limits) {
  constexpr int kBins = 2048;
  const Quantisation q = quantisation_of(limits);
  const double width = all.width() / kBins;
  const auto bin_of = [&](double v) {
    return std::clamp(static_cast<int>((v - double{all.lo}) / width), 0, kBins - 1);
  };
  std::map<int, double> inside, cut;   // by bin
  std::map<int, double> held, filled;  // by step of int8
  const int first = bin_of(double{limits.lo}), last = bin_of(double{limits.hi});
  for (const float v : values) {
    const int bin = bin_of(double{v});
    if (bin == bin_of(0) && all.lo <= 0 && all.hi >= 0) continue;
    (bin >= first && bin <= last ? inside : cut)[std::clamp(bin, first, last)] += 1;
  }
  const auto step_of = [&](int bin) {
    return oracle::stored(double{all.lo} + (bin + 0.5) * width, q);
  };
  double total = 0, kept = 0, sum = 0;
  for (const auto& [bin, n] : inside) held[step_of(bin)] += n, filled[step_of(bin)] += 1, kept += n;
  std::map<int, double> real = inside;
  for (const auto& [bin, n] : cut) real[bin] += n;
  for (const auto& [bin, n] : real) total += n;
  if (!(kept > 0)) return HUGE_VAL;
  for (const auto& [bin, n] : real) {
    const double estimate = inside.count(bin) ? held[step_of(bin)] / filled[step_of(bin)] : 1e-3;
    sum += n / total * std::log(n / total / (estimate / kept));
  }
  return sum;
}

TEST(Histogram, LeastDivergenceIsThatOfBruteForce) {
  for (const Distribution& d : distributions()) {
    const std::vector<float> values = values_of(d);
    const Limits all = limits_of(values), chosen = histogram_of(values).least_divergence();
    EXPECT_TRUE(chosen.lo >= all.lo && chosen.hi <= all.hi && chosen.lo <= chosen.hi) << d.name;
    if (!is_spread(d)) continue;
    const double got = divergence(values, all, chosen);
    double least = HUGE_VAL;
    for (const Limits& l : cuts(all)) least = std::min(least, divergence(values, all, l));
    SCOPED_TRACE(fmt::format("{}: [{}, {}] of [{}, {}], divergence {}, least {}", d.name, chosen.lo,
                             chosen.hi, all.lo, all.hi, got, least));
    EXPECT_LE(got, least * 1.5 + 5e-4);
    if (d.name.starts_with("even")) {
      EXPECT_EQ(chosen, all);
    } else if (!d.outliers.empty()) {
      EXPECT_LT(chosen.width(), all.width() * 0.7);
    }
  }
}

}  // namespace
}  // namespace nnomc
