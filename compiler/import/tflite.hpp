/// \file
/// Models of TensorFlow Lite: a verified file, and the graph in it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "compiler/graph.hpp"

namespace nnomc {

/// Whether a file begins as one of TensorFlow Lite's does.
bool is_tflite(std::span<const std::byte> start);

/// Reads a model. One whose activations are all int8 (or uint8, which becomes int8) keeps its
/// scales and integers, so that it can give TFLite's own bytes; others become a graph of real
/// numbers, quantised weights included. Inputs and outputs that are real numbers beside QUANTIZE
/// and DEQUANTIZE take the integers themselves. A dynamic batch is 1. Throws an Error that names
/// the file, and the operators that are not supported with how often each occurs.
Graph import_tflite(const std::string& path);
Graph import_tflite(const std::string& path, std::vector<std::byte> bytes);

}  // namespace nnomc
