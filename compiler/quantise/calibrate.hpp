/// \file
/// Scales and zero points for every tensor, from samples.
#pragma once

#include <string>
#include <vector>

#include "compiler/data/samples.hpp"
#include "compiler/graph.hpp"
#include "compiler/program.hpp"

namespace nnomc {

/// How the range of a tensor is chosen from its values. `automatic` screens the others tensor by
/// tensor and decides the contested ones by the error at the output.
enum class Calibration { automatic, min_max, percentile, kl, mse };

/// What was chosen for one tensor.
struct TensorRange {
  float lo = 0, hi = 0;
  Calibration method = Calibration::min_max;
};

/// Ranges of every tensor of `graph`.
struct Ranges {
  std::vector<TensorRange> tensors;
  std::vector<Quantisation> scales;
};

/// Runs `graph` on `samples` and chooses the ranges. `lowering` is how the model will be quantised
/// afterwards. Throws an Error where a tensor's values are not finite.
Ranges calibrate(const Graph& graph, const Samples& samples, Calibration method,
                 const Lowering& lowering);

}  // namespace nnomc
