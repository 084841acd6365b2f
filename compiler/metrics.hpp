/// \file
/// How good a model's outputs are.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "nnom/evaluate.hpp"

namespace nnomc {

enum class Metric { accuracy, mse, mae, auc };

/// "accuracy", "mse", ...
const char* name_of(Metric metric);

/// Counts for a number of classes that is known at run time.
class HeapCounts {
 public:
  HeapCounts(std::size_t classes, std::size_t depth)
      : classes_(classes), cells_(classes * classes), places_(depth) {}
  std::size_t classes() const { return classes_; }
  std::size_t depth() const { return places_.size(); }

 protected:
  std::uint32_t* cells() { return cells_.data(); }
  std::uint32_t* places() { return places_.data(); }
  const std::uint32_t* cells() const { return cells_.data(); }
  const std::uint32_t* places() const { return places_.data(); }

 private:
  std::size_t classes_;
  std::vector<std::uint32_t> cells_, places_;
};

/// The board's own evaluation, for any number of classes.
using Classification = nnom::BasicEvaluation<HeapCounts>;

/// The number of classes that `outputs` scores tell apart: a single score is the probability of
/// class 1 of two.
inline std::size_t classes_of(std::size_t outputs) { return outputs == 1 ? 2 : outputs; }

/// Evaluates `labels.size()` samples' scores, laid out one after the other, up to top-k.
Classification classify(std::span<const float> scores, std::span<const std::uint32_t> labels,
                        std::size_t outputs, std::size_t k);

/// The mean of (a - b)^2, and of |a - b|, over all elements.
double mean_squared_error(std::span<const float> a, std::span<const float> b);
double mean_absolute_error(std::span<const float> a, std::span<const float> b);

/// The area under the ROC curve: how probably a sample of class 1 has a higher score than one of
/// class 0, where equal scores count one half (the Mann-Whitney statistic). NaN if either class has
/// no samples.
double area_under_curve(std::span<const double> scores, std::span<const std::uint32_t> labels);

}  // namespace nnomc
