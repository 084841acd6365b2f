/// \file
/// Functions of one stored value to TensorFlow Lite's bits.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/quantise/quantisation.hpp"
#include "nnom/ops/activation.hpp"

namespace nnomc {

/// The 256 outputs of a function as TFLite computes them in the dialect of `Rescale`; empty where
/// it has no arithmetic of its own for the function.
template <class Rescale>
std::vector<int8_t> tflite_table(const nnom::Activation& op, const NodeScales& scales);

}  // namespace nnomc
