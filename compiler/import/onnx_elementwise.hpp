/// \file
/// Operators that combine elements of several tensors, broadcast as numpy does.
#pragma once

#include "compiler/import/onnx_ops.hpp"

namespace nnomc::onnx {

/// Operands brought to one order of axes.
struct Operands {
  std::vector<int> tensors;  ///< those of the graph
  int constant = -1;         ///< which operand is a constant, if one is
  Shape constant_shape{};
  std::vector<float> weights{};  ///< its values
  Value out{};                   ///< how the result will lie
};

/// At least one operand must be computed by the model, at most one known. Tensors are moved only
/// where they lie in different orders.
Operands operands_of(Call& call, const Values& values);

/// Adds an op of the runtime's Elementwise kind.
template <class O>
Value elementwise(Call& call, O op, const Values& values, std::string_view suffix = "",
                  Type type = Type::f32) {
  Operands o = operands_of(call, values);
  op.constant = o.constant;
  op.constant_shape = o.constant_shape;
  const int tensor = call.add(op, std::move(o.tensors), suffix, std::move(o.weights));
  return call.made(tensor, o.out, type);
}

/// The function of each element; what else it is about is in `op`.
Value apply(Call& call, const Value& value, const nnom::Activation& op,
            std::string_view suffix = "");
Value apply(Call& call, const Value& value, nnom::Function function, std::string_view suffix = "");

/// `value` limited to a range, one of whose ends may be infinite.
Value limited(Call& call, const Value& value, float low, float high);

/// One number, as an operand.
Value number(double v);

/// value * factor + offset, where the constants (null: 1 and 0) broadcast to the shape of `value`
/// and are the same for all pixels of the graph's tensor. Nothing where they aren't.
std::optional<Value> affine(Call& call, const Value& value, const Constant* factor,
                            const Constant* offset, std::string_view suffix = "");

// Of tensors and constants, not two constants.

Value plus(Call& call, const Value& a, const Value& b, std::string_view suffix = "");
Value minus(Call& call, const Value& a, const Value& b, std::string_view suffix = "");
Value times(Call& call, const Value& a, const Value& b, std::string_view suffix = "");

/// A tensor reduced over `axes`, which stay with size 1.
template <class O>
Value reduced(Call& call, const Value& value, const std::vector<int>& axes,
              std::string_view suffix = "") {
  O op;
  op.keep = true;
  const std::vector<int> order = call.order_of(value);
  Dims to = value.dims;
  bool any = false;
  for (const int axis : axes) to[static_cast<size_t>(axis)] = 1;
  for (size_t i = 0; i < order.size() && i < 6; ++i)
    any |= op.axes[i] = order[i] >= 0 && value[order[i]] != to[static_cast<size_t>(order[i])];
  if (!any) return value;
  return call.made(call.add(op, {call.arrange(value, order)}, suffix), std::move(to), order);
}

}  // namespace nnomc::onnx
