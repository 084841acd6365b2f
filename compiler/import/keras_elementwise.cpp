#include "compiler/import/keras_elementwise.hpp"

#include <algorithm>

namespace nnomc::keras {
namespace {

/// `value` for each entry of the last axis of `tensor`; nothing if it varies along others, or
/// makes the result larger than the tensor.
std::optional<std::vector<float>> per_channel(const LayerCall& call, int tensor,
                                              const Value& value) {
  const Shape &of = call.shape(tensor), &s = value.shape;
  const auto channels = static_cast<size_t>(of.back());
  if (s.rank > std::max(of.rank, 1) || value.data.size() > channels ||
      (s.back() != 1 && s.back() != of.back()) ||
      value.data.size() != static_cast<size_t>(s.back()))
    return {};
  if (value.data.size() == 1) return std::vector<float>(channels, value.data[0]);
  return value.data;
}

std::vector<float> ones(const LayerCall& call, int tensor, float value = 1) {
  return std::vector<float>(static_cast<size_t>(call.shape(tensor).back()), value);
}

}  // namespace

Value numbers(const LayerCall& call, const std::vector<int>& dims, std::span<const float> data) {
  const std::vector<int>& order = call.arrangement.order;
  Shape shape;
  size_t batch = 0;  // axes of size 1 before those of the operands
  while (dims.size() - batch > std::max(order.size(), size_t{1}) && dims[batch] == 1) ++batch;
  if (dims.size() - batch > 6)
    call.config.site().fail("a constant has the shape {}", show_shape(dims));
  for (size_t i = batch; i < dims.size(); ++i) shape.d[shape.rank++] = dims[i];
  std::vector<float> values(data.begin(), data.end());
  if (order.empty() || data.size() == 1) return {shape, std::move(values)};
  Dims sizes(order.size() - std::min(order.size(), static_cast<size_t>(shape.rank)), 1);
  for (int i = 0; i < shape.rank; ++i) sizes.push_back(shape[i]);
  if (sizes.size() != order.size())
    call.config.site().fail("a constant has the shape {}", show_shape(dims));
  const std::vector<size_t> places = onnx::places_in(sizes, onnx::layout_in(order, sizes), sizes);
  for (size_t i = 0; i < values.size(); ++i) values[i] = data[places[i]];
  shape.rank = 0;
  for (const int axis : order)
    shape.d[shape.rank++] = static_cast<int>(sizes[static_cast<size_t>(axis)]);
  return {shape, std::move(values)};
}

std::vector<Value> values_of(const LayerCall& call) {
  std::vector<Value> found;
  for (const auto& o : call.operands) {
    constexpr std::string_view kOperands[] = {"", "x", "y", "x1", "x2", "bias", "a", "b"};
    if (o.tensor >= 0) {
      found.emplace_back(o.tensor);
    } else if (std::find(std::begin(kOperands), std::end(kOperands), o.keyword) !=
               std::end(kOperands)) {
      const Constant c = call.config.as_constant(*o.constant, "a constant");
      found.push_back(numbers(call, c.shape, c.data));
    }
  }
  return found;
}

std::pair<Value, Value> pair_of(const LayerCall& call) {
  const std::vector<Value> found = values_of(call);
  if (found.size() != 2 || (found[0].tensor < 0 && found[1].tensor < 0))
    call.config.site().fail("it should have two inputs, not {}", found.size());
  return {found[0], found[1]};
}

int apply(LayerCall& call, int tensor, const nnom::Activation& op, std::string_view suffix) {
  return call.add(op, {tensor}, suffix);
}

int apply(LayerCall& call, int tensor, nnom::Function function, std::string_view suffix) {
  nnom::Activation op;
  op.function = function;
  return apply(call, tensor, op, suffix);
}

int plus(LayerCall& call, const Value& a, const Value& b, std::string_view suffix) {
  if (a.tensor < 0) return plus(call, b, a, suffix);
  if (b.tensor < 0)
    if (auto offsets = per_channel(call, a.tensor, b))
      return call.scale(a.tensor, ones(call, a.tensor), std::move(*offsets), suffix);
  return elementwise(call, nnom::Add{}, {a, b}, suffix);
}

int minus(LayerCall& call, const Value& a, const Value& b, std::string_view suffix) {
  if (b.tensor < 0) {
    if (auto offsets = per_channel(call, a.tensor, b)) {
      for (float& v : *offsets) v = -v;
      return call.scale(a.tensor, ones(call, a.tensor), std::move(*offsets), suffix);
    }
  }
  if (a.tensor < 0)
    if (auto offsets = per_channel(call, b.tensor, a))
      return call.scale(b.tensor, ones(call, b.tensor, -1), std::move(*offsets), suffix);
  nnom::Add op;
  op.rule.minus = true;
  return elementwise(call, op, {a, b}, suffix);
}

int times(LayerCall& call, const Value& a, const Value& b, std::string_view suffix) {
  if (a.tensor < 0) return times(call, b, a, suffix);
  if (b.tensor < 0)
    if (auto factors = per_channel(call, a.tensor, b))
      return call.scale(a.tensor, std::move(*factors), {}, suffix);
  return elementwise(call, nnom::Mul{}, {a, b}, suffix);
}

}  // namespace nnomc::keras
