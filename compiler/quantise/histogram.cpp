#include "compiler/quantise/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "compiler/quantise/fixed_point.hpp"

namespace nnomc {
namespace {

constexpr size_t kCuts = 64;  // thresholds tried

}  // namespace

Quantisation quantisation_of(const Limits& limits, Scheme scheme) {
  const double lo = std::min(static_cast<double>(limits.lo), 0.0);
  const double hi = std::max(static_cast<double>(limits.hi), 0.0);
  constexpr auto kLeast = static_cast<double>(std::numeric_limits<float>::min());
  if (scheme == Scheme::power_of_two) {
    const double most = std::max(-lo, hi) / 128;
    return {most < kLeast ? 1 : power_of_two_above(most), 0};
  }
  // A scale is kept as a float in the model, so it is one from here on.
  const auto scale = static_cast<double>(static_cast<float>((hi - lo) / 255));
  if (scale < kLeast) return {1, 0};
  return {scale, static_cast<int>(std::clamp(std::round(-128 - lo / scale), -128.0, 127.0))};
}

void Histogram::add(std::span<const float> values) {
  const double lo = static_cast<double>(limits_.lo);
  const double scale = limits_.width() > 0 ? static_cast<double>(bins) / limits_.width() : 0;
  for (const float v : values) {
    const auto bin = static_cast<int>((static_cast<double>(v) - lo) * scale);
    ++counts_[static_cast<size_t>(std::clamp(bin, 0, static_cast<int>(bins) - 1))];
  }
}

void Histogram::add(const Histogram& other) {
  for (size_t i = 0; i < bins; ++i) counts_[i] += other.counts_[i];
}

double Histogram::middle(size_t bin) const {
  return static_cast<double>(limits_.lo) +
         limits_.width() * (static_cast<double>(bin) + 0.5) / static_cast<double>(bins);
}

Limits Histogram::percentile() const {
  const uint64_t total = std::accumulate(counts_.begin(), counts_.end(), uint64_t{0});
  const uint64_t beyond = total / 10000;
  size_t first = 0, last = bins - 1;
  for (uint64_t sum = 0; first < last && (sum += counts_[first]) <= beyond;) ++first;
  for (uint64_t sum = 0; last > first && (sum += counts_[last]) <= beyond;) --last;
  const double lo = static_cast<double>(limits_.lo), step = limits_.width() / bins;
  return {static_cast<float>(lo + step * static_cast<double>(first)),
          static_cast<float>(lo + step * static_cast<double>(last + 1))};
}

Limits Histogram::cut(size_t i, size_t n) const {
  const float side = std::max(std::abs(limits_.lo), std::abs(limits_.hi)) * static_cast<float>(i) /
                     static_cast<float>(n);
  return {std::max(limits_.lo, -side), std::min(limits_.hi, side)};
}

Limits Histogram::held(const Limits& limits) const {
  if (scheme_ == Scheme::affine) return limits;
  const auto most = static_cast<float>(128 * quantisation_of(limits, scheme_).scale);
  return {std::max(limits_.lo, -most), std::min(limits_.hi, most)};
}

double Histogram::error(const Limits& chosen) const {
  const double step = quantisation_of(chosen, scheme_).scale;
  const Limits limits = held(chosen);
  double sum = 0, total = 0;
  for (size_t i = 0; i < bins; ++i) {
    const auto n = static_cast<double>(counts_[i]);
    if (n == 0) continue;
    const double x = middle(i);
    const double off =
        std::max({0.0, static_cast<double>(limits.lo) - x, x - static_cast<double>(limits.hi)});
    // Zeros, which a ReLU makes many of, are exact.
    const bool zero = std::abs(x) <= limits_.width() / bins / 2;
    sum += n * (off * off + (zero ? 0 : step * step / 12));
    total += n;
  }
  return total > 0 ? sum / total : 0;
}

Limits Histogram::least_error() const {
  Limits best = limits_;
  double least = error(best);
  for (size_t i = kCuts / 4; i < kCuts; ++i) {
    const Limits limits = cut(i, kCuts);
    if (!(limits.width() > 0)) continue;
    if (const double e = error(limits); e < least) least = e, best = limits;
  }
  return best;
}

double Histogram::divergence(const Limits& chosen) const {
  const Limits limits = held(chosen);
  const double step = quantisation_of(chosen, scheme_).scale;
  const auto levels = scheme_ == Scheme::affine
                          ? size_t{256}
                          : static_cast<size_t>(std::clamp(limits.width() / step, 1.0, 256.0));
  // Both distributions over the bins; what lies outside is counted at the ends.
  const double width = limits_.width() / bins, lo = static_cast<double>(limits_.lo);
  const auto first =
      static_cast<size_t>(std::max(0.0, (static_cast<double>(limits.lo) - lo) / width));
  const auto last =
      std::min(bins, static_cast<size_t>(std::ceil((static_cast<double>(limits.hi) - lo) / width)));
  if (last <= first + 1) return INFINITY;
  std::vector<double> p(counts_.begin() + static_cast<std::ptrdiff_t>(first),
                        counts_.begin() + static_cast<std::ptrdiff_t>(last));
  // What a ReLU cut off is a spike at 0, which every choice represents exactly: it has no say.
  if (const auto zero = static_cast<size_t>(std::max(0.0, -lo / width));
      zero >= first && zero < last)
    p[zero - first] = 0;
  std::vector<double> q(p.size());
  for (size_t level = 0; level < levels; ++level) {
    const size_t a = level * p.size() / levels;
    const size_t b = std::max(a + 1, (level + 1) * p.size() / levels);
    double sum = 0, filled = 0;
    for (size_t i = a; i < b && i < p.size(); ++i) sum += p[i], filled += p[i] > 0;
    for (size_t i = a; i < b && i < p.size(); ++i) q[i] = p[i] > 0 ? sum / filled : 0;
  }
  for (size_t i = 0; i < first; ++i) p.front() += static_cast<double>(counts_[i]);
  for (size_t i = last; i < bins; ++i) p.back() += static_cast<double>(counts_[i]);
  const double ps = std::accumulate(p.begin(), p.end(), 0.0);
  const double qs = std::accumulate(q.begin(), q.end(), 0.0);
  if (!(qs > 0)) return INFINITY;
  double sum = 0;
  for (size_t i = 0; i < p.size(); ++i)
    if (p[i] > 0) sum += p[i] / ps * std::log(p[i] / ps / (std::max(q[i], 1e-3) / qs));
  return sum;
}

Limits Histogram::least_divergence() const {
  if (!(limits_.width() > 0)) return limits_;
  Limits best = limits_;
  double least = divergence(best);
  for (size_t i = kCuts / 4; i < kCuts; ++i) {
    const Limits limits = cut(i, kCuts);
    if (!(limits.width() > 0)) continue;
    if (const double d = divergence(limits); d < least) least = d, best = limits;
  }
  return best;
}

}  // namespace nnomc
