/// \file
/// What Keras layers are made of that combine elements of tensors, broadcast as numpy does.
#pragma once

#include "compiler/import/keras_layers.hpp"

namespace nnomc::keras {

/// An operand: a tensor of the graph, or numbers (then `tensor` is -1).
struct Value {
  int tensor = -1;
  Shape shape{};
  std::vector<float> data{};

  Value(int of_graph) : tensor(of_graph) {}  // NOLINT: a tensor is an operand
  Value(double number) : shape{1, {1}}, data{static_cast<float>(number)} {}  // NOLINT: so is this
  Value(Shape s, std::vector<float> d) : shape(s), data(std::move(d)) {}
};

/// Numbers of Keras's shape `dims`, for operands that lie as those of `call`.
Value numbers(const LayerCall& call, const std::vector<int>& dims, std::span<const float> data);

/// The operands that stand for numbers: tensors and constants, in order.
std::vector<Value> values_of(const LayerCall& call);
/// The same of an operator that takes two.
std::pair<Value, Value> pair_of(const LayerCall& call);

/// Adds an op of the runtime's Elementwise kind. At least one operand must be a tensor.
template <class O>
int elementwise(LayerCall& call, O op, const std::vector<Value>& operands,
                std::string_view suffix = "") {
  std::vector<int> tensors;
  std::vector<float> weights;
  for (size_t i = 0; i < operands.size(); ++i) {
    if (operands[i].tensor >= 0) {
      tensors.push_back(operands[i].tensor);
      continue;
    }
    op.constant = static_cast<int>(i);
    op.constant_shape = operands[i].shape;
    weights = operands[i].data;
  }
  if (tensors.empty() || tensors.size() + 1 < operands.size())
    call.config.site().fail("not supported yet: two constants");
  return call.add(op, std::move(tensors), suffix, std::move(weights));
}

/// The function of each element; what else it is about is in `op`.
int apply(LayerCall& call, int tensor, const nnom::Activation& op, std::string_view suffix = "");
int apply(LayerCall& call, int tensor, nnom::Function function, std::string_view suffix = "");

int plus(LayerCall& call, const Value& a, const Value& b, std::string_view suffix = "");
int minus(LayerCall& call, const Value& a, const Value& b, std::string_view suffix = "");
int times(LayerCall& call, const Value& a, const Value& b, std::string_view suffix = "");

/// A tensor reduced over `axes` of its own, which stay with size 1.
template <class O>
int reduced(LayerCall& call, int tensor, const std::vector<int>& axes,
            std::string_view suffix = "") {
  O op;
  op.keep = true;
  for (const int axis : axes) op.axes[axis] = true;
  return call.add(op, {tensor}, suffix);
}

}  // namespace nnomc::keras
