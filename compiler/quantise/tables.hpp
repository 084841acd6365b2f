/// \file
/// Functions of one stored value as tables, with TensorFlow Lite's own values where it has any.
#pragma once

#include <vector>

#include "compiler/quantise/fixed_point.hpp"
#include "nnom/ops/activation.hpp"

namespace nnomc {

/// The 256 outputs of a function of one stored value.
template <class F>
std::vector<int8_t> table_of(const Quantisation& in, const Quantisation& out, F function) {
  std::vector<int8_t> table;
  for (int q = -128; q < 128; ++q)
    table.push_back(static_cast<int8_t>(quantise(function(dequantise(q, in)), out)));
  return table;
}

/// The same as ONNX has it: in float, halves rounded to even.
template <class F>
std::vector<int8_t> onnx_table(const Quantisation& in, const Quantisation& out, F function) {
  std::vector<int8_t> table;
  for (int q = -128; q < 128; ++q) {
    const float x = static_cast<float>(in.scale) * static_cast<float>(q - in.zero);
    const auto y = static_cast<float>(function(static_cast<double>(x)));
    table.push_back(quantise_to_even(y, out));
  }
  return table;
}

/// The 256 outputs of an activation in the dialect of `Rescale`; of the function itself, rounded,
/// where that is none of TFLite's.
template <class Rescale>
std::vector<int8_t> activation_table(const nnom::Activation& op, const NodeScales& scales);

/// e^(-d * scale), d = 0 .. 255, as softmax has it in the dialect of `Power`: floats (desktop
/// TFLite), or units of 2^-31 by gemmlowp's approximation, 0 where TFLite Micro leaves them out.
template <class Power>
std::vector<Power> powers(double scale);

}  // namespace nnomc
