/// \file
/// A program as run and evaluate have it, a step or a whole sample a run.
#pragma once

#include <cstddef>
#include <string>

#include "compiler/commands/options.hpp"
#include "compiler/measure/measure.hpp"

namespace nnomc {

/// A program, and what its inputs and outputs are for the user: of a model that takes a step a run
/// (--stream) whole sequences, as `graph` has them.
struct Runnable {
  Program program, whole;
  std::size_t steps = 1;  ///< runs a sample

  Runnable(Program made, const Graph& graph, const ModelOptions& options);
  /// Runs on the host, or on a core; with `costs`, measures all that can be, of one run. The
  /// outputs are those of `whole`.
  Measured measure_on(const std::string& on, const Inputs& inputs, const ModelOptions& options,
                      bool costs) const;
};

}  // namespace nnomc
