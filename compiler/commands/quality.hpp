/// \file
/// The outputs of a run against the right answers.
#pragma once

#include <string>
#include <vector>

#include "compiler/data/samples.hpp"
#include "compiler/report/evaluation.hpp"

namespace nnomc {

/// Measures what a model's first output is worth, by one metric. The labels are read at once, so
/// that a mistake shows before the model has run.
class Judge {
 public:
  /// `labels` may be empty. Throws an Error where the metric needs labels that are missing, or
  /// labels or output don't fit the metric.
  Judge(const Graph& graph, Metric metric, std::size_t top_k, const Source& labels,
        std::size_t samples);

  /// `measured` ran on `samples`, which may be fewer than there are labels.
  Quality judge(const Program& program, const Measured& measured, const Samples& samples) const;

 private:
  Metric metric_;
  std::size_t top_k_, output_size_;
  bool reconstructs_ = false;  // the output is to equal the input
  std::vector<std::uint32_t> classes_;
  std::vector<float> targets_;
};

}  // namespace nnomc
