/// \file
/// The functions in the table of operators, by file.
#pragma once

#include "compiler/import/tflite_call.hpp"

namespace nnomc::tflite {

// tflite_linear.cpp
void conv_2d(Call& call);
void depthwise_conv_2d(Call& call);
void batch_matmul(Call& call);
void fully_connected(Call& call);
void transpose_conv(Call& call);

// tflite_arithmetic.cpp
template <class Op>
void arithmetic(Call& call);
template <bool smallest>
void arg_max(Call& call);
void average_pool_2d(Call& call);
template <class Op>
void binary(Call& call);
template <class Op>
void choice(Call& call);
template <nnom::Relation relation>
void compare(Call& call);
void log_softmax(Call& call);
void max_pool_2d(Call& call);
template <class Op>
void reduce(Call& call);
void resize_bilinear(Call& call);
void resize_nearest_neighbor(Call& call);
void softmax(Call& call);
void sub(Call& call);

// tflite_functions.cpp
void cast(Call& call);
void elu(Call& call);
void gelu(Call& call);
void hard_swish(Call& call);
void leaky_relu(Call& call);
void relu_0_to_1(Call& call);
void relu_6(Call& call);
void relu_n1_to_1(Call& call);
template <nnom::Function function>
void unary(Call& call);

// tflite_recurrent.cpp
void svdf(Call& call);
void unidirectional_sequence_lstm(Call& call);

// tflite_shapes.cpp
void batch_to_space_nd(Call& call);
void depth_to_space(Call& call);
void dequantize(Call& call);
void mirror_pad(Call& call);
void pad(Call& call);
void pad_v2(Call& call);
void quantize(Call& call);
void reshape(Call& call);
void shape(Call& call);
void space_to_batch_nd(Call& call);
void space_to_depth(Call& call);
void transpose(Call& call);

// tflite_slices.cpp
void concatenation(Call& call);
void gather(Call& call);
/// Element i of an axis is element index[i] of that of tensor `x`.
int gathered(Call& call, int x, int axis, const Shape& indices, std::vector<float> index);
void pack(Call& call);
void reverse_v2(Call& call);
void slice(Call& call);
void split(Call& call);
void split_v(Call& call);
void strided_slice(Call& call);
void tile(Call& call);
void unpack(Call& call);

// tflite_variables.cpp
void assign_variable(Call& call);
void call_once(Call& call);
void read_variable(Call& call);
void var_handle(Call& call);
/// What tells a variable from others.
std::string variable_name(const format::VarHandleOptions& options);

}  // namespace nnomc::tflite
