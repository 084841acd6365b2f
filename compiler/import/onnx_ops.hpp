/// \file
/// The operators of ONNX that can be imported: a table, and its functions.
#pragma once

#include <string_view>

#include "compiler/import/onnx_call.hpp"

namespace nnomc::onnx {

/// What else is to be known of an operator; any of these together.
enum Trait : unsigned {
  kFolds = 1,     ///< its function takes constants only too; for others, the kernels compute them
  kIntegers = 2,  ///< it may be given integers that the model computes
  kElementwise = 4,  ///< each element of its output belongs to one element of its input
  kPicture = 8,      ///< it wants its first input channels last
  kStored = 16,      ///< it may be given quantised tensors: it moves them, or minds their scales
};

/// One row of the table.
struct OpRow {
  std::string_view op_type;
  /// Adds the node's nodes to the graph; returns its outputs.
  Values (*add)(Call&);
  unsigned traits = 0;
};

/// The row of an operator, or nullptr.
const OpRow* find_op(std::string_view op_type);

// onnx_activations.cpp

Values celu(Call& call);
Values clip(Call& call);
Values elu(Call& call);
Values gelu(Call& call);
Values hard_sigmoid(Call& call);
Values hard_swish(Call& call);
Values leaky_relu(Call& call);
Values log_softmax(Call& call);
Values selu(Call& call);
Values softmax(Call& call);
Values thresholded_relu(Call& call);
template <nnom::Function function>
Values activation(Call& call) {
  nnom::Activation op;
  op.function = function;
  return {call.made(call.add(op, {call.in(0).tensor}), call.in(0))};
}

// onnx_arithmetic.cpp

Values add(Call& call);
template <nnom::Relation relation>
Values compare(Call& call);
Values divide(Call& call);
Values is_nan(Call& call);
Values logical_and(Call& call);
Values logical_or(Call& call);
Values logical_xor(Call& call);
Values maximum(Call& call);
Values mean(Call& call);
Values minimum(Call& call);
Values modulo(Call& call);
Values multiply(Call& call);
Values power(Call& call);
Values prelu(Call& call);
Values subtract(Call& call);
Values sum(Call& call);
Values where(Call& call);

// onnx_constant_ops.cpp: those that are always computed before the model runs

Values constant(Call& call);
Values constant_of_shape(Call& call);
Values eye_like(Call& call);
Values range(Call& call);
Values shape(Call& call);
Values size(Call& call);

// onnx_convolutions.cpp

Values conv(Call& call);
Values conv_transpose(Call& call);

// onnx_matmul.cpp

/// A matrix of weights, [outs][ins].
struct Weights {
  size_t outs, ins;
  std::vector<double> data;
  std::vector<float> scale{};  ///< of the integers they were, if they were
};
/// Replaces axis `axis` of `value` by products with a matrix: a Dense layer, whose weights take the
/// order in which the axis lies in memory, or a 1x1 convolution. `bias`: one number or one for each
/// output, or null.
Value contract(Call& call, const Value& value, int axis, const Weights& w, const Constant* bias);
Values gemm(Call& call);
Values matmul(Call& call);

// onnx_normalise.cpp

Values batch_normalization(Call& call);
Values instance_normalization(Call& call);
Values layer_normalization(Call& call);
Values local_response(Call& call);
Values mean_variance_normalization(Call& call);

// onnx_pick.cpp: those that take or replace single elements, whose places are constants

Values compress(Call& call);
Values gather_elements(Call& call);
Values gather_nd(Call& call);
Values reverse_sequence(Call& call);
Values scatter_elements(Call& call);
Values scatter_nd(Call& call);

// onnx_concat.cpp

/// Tensors side by side along an axis; not all of them constants.
Value joined(Call& call, const Values& parts, int axis);
/// What `function` makes of each picture of the first input, side by side.
Values each_picture(Call& call, Values (*function)(Call&));
template <Values (*function)(Call&)>
Values pictures(Call& call) {
  return each_picture(call, function);
}
Values concat(Call& call);

// onnx_pieces.cpp: those that take tensors apart

/// Entries `indices` of an axis.
Value gathered(Call& call, const Value& value, int axis, const std::vector<int64_t>& indices);
Values expand(Call& call);
Values gather(Call& call);
Values pad(Call& call);
Values slice(Call& call);
Values split(Call& call);
Values tile(Call& call);
Values trilu(Call& call);

// onnx_pooling.cpp

Values average_pool(Call& call);
Values max_pool(Call& call);
Values global_average_pool(Call& call);
Values global_max_pool(Call& call);

// onnx_quantised.cpp

Values dequantize_linear(Call& call);
Values quantize_linear(Call& call);
/// `function` of the first `operands` inputs, each followed by its scale and zero point, quantised
/// as the next two inputs say.
template <Values (*function)(Call&), int operands>
Values qlinear(Call& call);
/// What integers mean that nothing says a scale of: themselves.
Value unscaled(Call& call, const Value& value);
/// A quantised tensor whose stored numbers are limited: QuantizeLinear of a limited tensor.
Value limited_stored(Call& call, const Value& value, double low, double high);
/// The real number that `v` is in the quantised tensor `value`.
double meant_by(Call& call, const Value& value, double v);
Values qlinear_concat(Call& call);
Values qlinear_conv(Call& call);
Values qgemm(Call& call);

// onnx_recurrent.cpp

template <class Cell>
Values recurrent(Call& call);

// onnx_reductions.cpp

template <bool smallest>
Values arg_max(Call& call);
Values cumulative_sum(Call& call);
Values reduce_log_sum_exp(Call& call);
template <class O>
Values reduce_with(Call& call);
/// The function `after` of the sum of the function `before` of each element.
template <nnom::Function before, nnom::Function after>
Values reduce_sum_of(Call& call);

// onnx_resize.cpp

Values resize(Call& call);
Values upsample(Call& call);

// onnx_shapes.cpp: those that only change how a tensor is looked at

/// `value` under another shape of the same size.
Value reshape_to(Call& call, const Value& value, const Dims& to);
/// Axis i of the result is axis order[i] of `value`.
Value transposed(Call& call, const Value& value, const std::vector<int>& order);
Values cast(Call& call);
Values cast_like(Call& call);
Values depth_to_space(Call& call);
Values dropout(Call& call);
Values flatten(Call& call);
Values identity(Call& call);
Values reshape(Call& call);
Values space_to_depth(Call& call);
Values squeeze(Call& call);
Values transpose(Call& call);
Values unsqueeze(Call& call);

}  // namespace nnomc::onnx
