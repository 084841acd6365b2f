/// \file
/// The functions in the table of operators, by file.
#pragma once

#include "compiler/import/tflite_call.hpp"

namespace nnomc::tflite {

/// The stored numbers of a constant.
const std::vector<double>& stored_of(const Value& value);

// tflite_linear.cpp
void conv_2d(Call& call);
void depthwise_conv_2d(Call& call);
void fully_connected(Call& call);

// tflite_arithmetic.cpp
void add(Call& call);
void average_pool_2d(Call& call);
void max_pool_2d(Call& call);
void mean(Call& call);
void softmax(Call& call);
template <nnom::Function function>
void unary(Call& call);
void leaky_relu(Call& call);
void relu_6(Call& call);

// tflite_shapes.cpp
void concatenation(Call& call);
void dequantize(Call& call);
void pad(Call& call);
void quantize(Call& call);
void reshape(Call& call);
void shape(Call& call);
void transpose(Call& call);

}  // namespace nnomc::tflite
