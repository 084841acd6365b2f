/// \file
/// How far a quantised program is from the float model, layer by layer.
#pragma once

#include <vector>

#include "compiler/data/samples.hpp"
#include "compiler/program.hpp"

namespace nnomc {

/// Signal to noise of one layer's output in decibels: 20 dB is an error of a tenth. Infinite where
/// nothing differs.
struct LayerError {
  size_t node = 0;
  double sqnr = 0;         ///< of all channels together
  double worst = 0;        ///< of the worst channel whose values reach a quantisation step
  int worst_channel = -1;  ///< on the last axis; -1: none does
  double lo = 0, hi = 0;   ///< of the float model's values
  double clipped = 0;      ///< share of values more than a step outside of int8's
};

/// Runs `program` and its float original on `samples`. Nodes are in the program's order.
std::vector<LayerError> compare_with_float(const Program& program, const Samples& samples,
                                           bool per_channel);

}  // namespace nnomc
