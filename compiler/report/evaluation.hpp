/// \file
/// What `nnom evaluate` reports.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "compiler/measure/measure.hpp"
#include "compiler/metrics.hpp"
#include "compiler/program.hpp"

namespace nnomc {

/// How good the outputs were, as far as labels tell.
struct Quality {
  std::optional<Classification> counts;
  std::optional<double> value;  ///< of a metric that is not accuracy
};

struct EvaluationReport {
  std::string model;        ///< its name
  std::string on;           ///< "host", or a core
  std::size_t samples = 0;  ///< 0: one inference on noise
  std::vector<std::string> notes;
  Metric metric = Metric::accuracy;
  std::size_t top_k = 3;
  Quality quality;
  std::optional<Quality> reference;  ///< the float model's
  double seconds = 0;                ///< that all of it took
};

/// The report for a terminal of `width` columns.
std::string evaluation_text(const EvaluationReport& report, const Program& program,
                            const Measured& measured, std::size_t width);

/// The report as JSON: what was not measured is null.
std::string evaluation_json(const EvaluationReport& report, const Program& program,
                            const Measured& measured);

/// Confusion matrix, precision and recall. Of more than 20 classes, or more than fit, the worst.
std::string confusion_text(const Classification& counts, std::size_t width);

/// Operations, time, share and RAM of every layer.
std::string layers_text(const Program& program, const Measured& measured, std::size_t width);

}  // namespace nnomc
