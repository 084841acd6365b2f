/// \file
/// The weights of a quantised program, before they are packed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/program.hpp"

namespace nnomc {

/// Of a layer with weights: real = scale[channel] * values, and `bias` is in units of the input's
/// scale times the weights'. `values` hold channel after channel.
struct StoredLayer {
  std::string name;
  std::vector<std::int8_t> values;
  std::vector<double> scale, bias;  ///< of each channel
};

/// All layers that are convolutions or matrices, in the order they run. `per_channel`: as the
/// program was quantised.
std::vector<StoredLayer> stored_weights(const Program& program, bool per_channel);

}  // namespace nnomc
