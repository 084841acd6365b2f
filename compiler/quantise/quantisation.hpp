/// \file
/// Scales and zero points.
#pragma once

#include <vector>

namespace nnomc {

/// real = scale * (stored - zero), stored in [-128, 127].
struct Quantisation {
  double scale = 1;
  int zero = 0;

  bool operator==(const Quantisation&) const = default;
};

/// Those of a node's tensors, and how its weights are to be quantised.
struct NodeScales {
  std::vector<Quantisation> in;
  Quantisation out{};
  bool per_channel = true;
};

}  // namespace nnomc
