/// \file
/// The numbers in a buffer of a TensorFlow Lite file.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "tflite_generated.h"

namespace nnomc::tflite {

/// The numbers stored for a constant; nothing for types that can't be computed with.
std::optional<std::vector<double>> stored_numbers(format::ElementType type,
                                                  std::span<const unsigned char> bytes);

}  // namespace nnomc::tflite
