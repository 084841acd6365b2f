/// \file
/// Scales and zero points.
#pragma once

#include <vector>

namespace nnomc {

/// real = scale * (stored - zero), stored in [-128, 127], or what 16 bits hold.
struct Quantisation {
  double scale = 1;
  int zero = 0;
  int bits = 8;

  int lowest() const { return -(1 << (bits - 1)); }
  int highest() const { return -lowest() - 1; }
  bool operator==(const Quantisation&) const = default;
};

/// How int8 stands for real numbers: by any scale and zero point, or by scales that are powers of
/// two and zero points of 0, so that rescaling is a shift.
enum class Scheme { affine, power_of_two };

/// Whose results a quantised model is to give. ONNX says what is meant as real numbers, and that
/// halves are rounded to even; TensorFlow Lite has an arithmetic of its own.
enum class Reference { tflite, onnx };

/// Those of a node's tensors, and how its weights are to be quantised.
struct NodeScales {
  std::vector<Quantisation> in;
  Quantisation out{};
  bool per_channel = true;
  Reference reference = Reference::tflite;
  Scheme scheme = Scheme::affine;
};

}  // namespace nnomc
