/// \file
/// What `nnom evaluate` does, without its output.
#pragma once

#include <string>
#include <vector>

#include "compiler/commands/options.hpp"
#include "compiler/report/evaluation.hpp"

namespace nnomc {

struct EvaluateOptions : ModelOptions {
  std::vector<Source> data;  ///< none: one inference on noise
  Source labels;
  std::string json, on = "host";
  bool as_float = false, with_float = false;
  std::size_t limit = 0, top_k = 3;
  Metric metric = Metric::accuracy;
};

/// MODEL and all options of `nnom evaluate`.
void add_evaluate_options(CLI::App& app, EvaluateOptions& options);

struct Evaluation {
  EvaluationReport report;
  Program program;  ///< that ran
  Measured measured;
};

/// Measures `graph` as it was compiled, or, without `compiled`, compiles it first.
Evaluation evaluate(const Graph& graph, const EvaluateOptions& options,
                    const Compiled* compiled = nullptr);

}  // namespace nnomc
