/// \file
/// Functions of one value in int16, to TensorFlow Lite's bits where it has them.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/quantise/quantisation.hpp"
#include "nnom/ops/activation.hpp"

namespace nnomc {

/// What an nnom::Function16 is made of.
struct Curve {
  nnom::Form form = nnom::Form::scaled;
  nnom::Double positive{}, negative{};
  bool minus = false;
  int lowest = INT16_MIN, highest = INT16_MAX;
  std::vector<int16_t> table{};
};

/// The function in a dialect; the output is of 16 bits, or that of `linear` of 8.
Curve curve_of(const nnom::Activation& op, const NodeScales& scales, bool single);

/// From each of the 256 numbers of int8 to int16.
std::vector<int16_t> widening_table(const NodeScales& scales);

/// The tables of nnom::Softmax in int16.
std::vector<int16_t> softmax_powers(bool single);
std::vector<int16_t> softmax_inverses(bool single);

}  // namespace nnomc
