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

Values clip(Call& call);
Values elu(Call& call);
Values gelu(Call& call);
Values hard_sigmoid(Call& call);
Values hard_swish(Call& call);
Values leaky_relu(Call& call);
Values softmax(Call& call);
Values log_softmax(Call& call);
template <nnom::Function function>
Values activation(Call& call) {
  nnom::Activation op;
  op.function = function;
  return {call.made(call.add(op, {call.in(0).tensor}), call.in(0))};
}

// onnx_arithmetic.cpp

/// value * factor + offset, where the constants (null: 1 and 0) broadcast to the shape of `value`
/// and are the same for all pixels of the graph's tensor. Nothing where they aren't.
std::optional<Value> affine(Call& call, const Value& value, const Constant* factor,
                            const Constant* offset, std::string_view suffix = "");
Values add(Call& call);
Values batch_normalization(Call& call);
Values divide(Call& call);
Values multiply(Call& call);
Values negate(Call& call);
Values subtract(Call& call);
Values sum(Call& call);

// onnx_constant_ops.cpp: those that are always computed before the model runs

Values constant(Call& call);
Values constant_of_shape(Call& call);
Values range(Call& call);
Values shape(Call& call);
Values size(Call& call);

// onnx_convolutions.cpp

Values conv(Call& call);

// onnx_matmul.cpp

Values gemm(Call& call);
Values matmul(Call& call);

// onnx_pooling.cpp

Values average_pool(Call& call);
Values max_pool(Call& call);
Values global_average_pool(Call& call);
Values global_max_pool(Call& call);

// onnx_shapes.cpp: those that only change how a tensor is looked at

/// `value` under another shape of the same size.
Value reshape_to(Call& call, const Value& value, const Dims& to);
Values cast(Call& call);
Values dropout(Call& call);
Values flatten(Call& call);
Values identity(Call& call);
Values reshape(Call& call);
Values squeeze(Call& call);
Values transpose(Call& call);
Values unsqueeze(Call& call);

// onnx_pieces.cpp: those that put tensors together and take them apart

Values concat(Call& call);

}  // namespace nnomc::onnx
