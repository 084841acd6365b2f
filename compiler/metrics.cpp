#include "compiler/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace nnomc {

const char* name_of(Metric metric) {
  const char* const names[] = {"accuracy", "mse", "mae", "auc"};
  return names[static_cast<std::size_t>(metric)];
}

Classification classify(std::span<const float> scores, std::span<const std::uint32_t> labels,
                        std::size_t outputs, std::size_t k) {
  const std::size_t classes = classes_of(outputs);
  Classification counts(HeapCounts(classes, std::clamp<std::size_t>(k, 1, classes)));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (outputs == 1) {
      const float pair[] = {1 - scores[i], scores[i]};
      counts.add(pair, labels[i]);
    } else {
      counts.add(scores.data() + i * outputs, labels[i]);
    }
  }
  return counts;
}

double mean_squared_error(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += d * d;
  }
  return sum / static_cast<double>(a.size());
}

double mean_absolute_error(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    sum += std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
  return sum / static_cast<double>(a.size());
}

double area_under_curve(std::span<const double> scores, std::span<const std::uint32_t> labels) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // What is no number ranks lowest.
  const auto key = [&](std::size_t i) {
    return std::isnan(scores[i]) ? -std::numeric_limits<double>::infinity() : scores[i];
  };
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  double ranks = 0, positive = 0;
  for (std::size_t first = 0, end = 0; first < order.size(); first = end) {
    while (end < order.size() && key(order[end]) == key(order[first])) ++end;
    const double rank = (static_cast<double>(first + end) + 1) / 2;  // the mean of equal ones
    for (std::size_t i = first; i < end; ++i)
      if (labels[order[i]] != 0) ranks += rank, positive += 1;
  }
  const double negative = static_cast<double>(scores.size()) - positive;
  if (positive == 0 || negative == 0) return std::numeric_limits<double>::quiet_NaN();
  return (ranks - positive * (positive + 1) / 2) / (positive * negative);
}

}  // namespace nnomc
