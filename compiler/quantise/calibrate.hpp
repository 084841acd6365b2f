/// \file
/// Scales and zero points for every tensor, from samples.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compiler/data/samples.hpp"
#include "compiler/graph.hpp"
#include "compiler/program.hpp"
#include "compiler/quantise/histogram.hpp"

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

/// Ranges given by hand, by the name of an input or a layer.
using GivenRanges = std::map<std::string, Limits>;

/// Runs `graph` on `samples` and chooses the ranges that are not given. `lowering` is how the model
/// will be quantised afterwards. Throws an Error where a tensor's values are not finite, and where
/// a range is given to what has none.
Ranges calibrate(const Graph& graph, const Samples& samples, Calibration method,
                 const Lowering& lowering, const GivenRanges& given = {});

}  // namespace nnomc
