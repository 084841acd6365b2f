/// \file
/// From a model file to a program: the stages in order.
#pragma once

#include <string>

#include "compiler/emit/emit.hpp"
#include "compiler/hooks/options.hpp"
#include "compiler/quantise/calibrate.hpp"

namespace nnomc {

struct CompileOptions {
  std::string target = "any";  ///< a name in ports/boards.json, "any" or "host"
  bool per_channel = true;
  Rounding rounding = Rounding::single_rounding;
  Calibration calibration = Calibration::automatic;
  GivenRanges ranges{};  ///< that calibration leaves as they are
  Optimise optimise = Optimise::balanced;
  bool cmsis_nn = false;  ///< CMSIS-NN runs the layers that it can, on the board
  MemoryLimits limits{};
  bool stream = false;  ///< one step of a sequence a run (step_by_step), calibrated on whole ones
};

/// Reads a model file of any format, optimises its graph, and compiles the functions of the user's
/// own that it calls, if `hooks` has their header.
Graph load_model(const std::string& path, const HookOptions& hooks = {});

/// How weights are packed for a target. Throws an Error that lists the targets.
Layout layout_of(const std::string& target);

/// How `options` have weights quantised and packed. Throws an Error that says which of them don't
/// go together.
Lowering lowering_of(const CompileOptions& options);

/// Calibrates and quantises.
Program compile(const Graph& graph, const Samples& samples, const CompileOptions& options);

}  // namespace nnomc
