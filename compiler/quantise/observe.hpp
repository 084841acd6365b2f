/// \file
/// The values that tensors take when a program runs on samples.
#pragma once

#include <vector>

#include "compiler/data/samples.hpp"
#include "compiler/program.hpp"
#include "compiler/quantise/histogram.hpp"
#include "compiler/report/progress.hpp"

namespace nnomc {

/// The smallest and largest value of every tensor of `program`, one of real numbers; infinity to
/// -infinity for one that is never seen. A step of progress a sample. Throws an Error where a value
/// is not finite.
std::vector<Limits> min_max(const Program& program, const Samples& samples, Progress& progress);

/// The histogram of every tensor between `limits`, which are of one each.
std::vector<Histogram> histograms(const Program& program, const Samples& samples,
                                  const std::vector<Limits>& limits, Scheme scheme,
                                  Progress& progress);

}  // namespace nnomc
