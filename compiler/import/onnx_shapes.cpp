#include <algorithm>

#include "compiler/import/onnx_ops.hpp"

namespace nnomc::onnx {

Value reshape_to(Call& call, const Value& value, const Dims& to) {
  if (size_of(to) != size_of(value.dims))
    call.fail("{} can't be given the shape {}", show(value.dims), show(to));
  if (value.constant) return call.made(Constant{value.type, to, value.constant->data});
  if (auto layout = reshaped(value.layout, to))
    return {value.type, to, nullptr, value.tensor, std::move(*layout)};
  std::vector<int> order;
  for (int i = 0; i < value.rank(); ++i)
    if (value[i] != 1) order.push_back(i);
  const int tensor = call.arrange(value, order);
  return {value.type, to, nullptr, tensor, plain_layout(to)};
}

Values identity(Call& call) { return {call.in(0)}; }

Values dropout(Call& call) {
  const Value& in = call.in(0);
  if (call.has(2) && call.constant(2).data.at(0) != 0 &&
      !(call.has(1) && call.constant(1).data.at(0) == 0))
    call.fail("it is in training mode. Export the model for inference");
  const size_t mask = static_cast<size_t>(size_of(in.dims));
  if (call.node().outputs.size() < 2) return {in};
  return {in, call.made(Constant{Type::boolean, in.dims, std::vector<double>(mask, 1)})};
}

Values cast(Call& call) {
  Value value = call.in(0);
  const auto to = static_cast<Type>(call.integer("to", 0));
  if (to == Type::string || (!is_real(to) && !is_integer(to) && to != Type::boolean))
    call.fail("not supported: elements of type {}", static_cast<int>(to));
  if (value.constant) {
    Constant c = *value.constant;
    c.type = to;
    for (double& v : c.data) {
      if (is_integer(to)) v = std::trunc(v);
      if (to == Type::boolean) v = v != 0;
      if (is_real(to) && to != Type::f64) v = static_cast<double>(static_cast<float>(v));
    }
    return {call.made(std::move(c))};
  }
  const bool widens = to == Type::i32 || to == Type::i64;
  if (!is_real(to) && to != value.type && !(widens && !is_real(value.type)))
    call.fail("not supported: real numbers made integers while the model runs");
  value.type = to;
  return {value};
}

Values reshape(Call& call) {
  const Value& in = call.in(0);
  Dims to = integers_of(call.constant(1));
  const bool keep_zero = call.flag("allowzero", false);
  int64_t known = 1, *open = nullptr;
  for (size_t i = 0; i < to.size(); ++i) {
    if (to[i] == 0 && !keep_zero) {
      if (i >= in.dims.size()) call.fail("its shape {} keeps an axis there is not", show(to));
      to[i] = in.dims[i];
    }
    if (to[i] < -1 || to[i] > kMaxElements) call.fail("its shape is {}", show(to));
    if (to[i] != -1) {
      known *= to[i];
    } else if (open) {
      call.fail("its shape {} leaves more than one size open", show(to));
    } else {
      open = &to[i];
    }
    if (known > kMaxElements) call.fail("its shape {} is too large", show(to));
  }
  if (open) *open = known ? size_of(in.dims) / known : 0;
  return {reshape_to(call, in, to)};
}

Values flatten(Call& call) {
  const Value& in = call.in(0);
  const int64_t given = call.integer("axis", 1);
  const auto axis = given == in.rank() ? in.rank() : call.axis(given, in.rank());
  const Dims outer(in.dims.begin(), in.dims.begin() + axis);
  const Dims inner(in.dims.begin() + axis, in.dims.end());
  return {reshape_to(call, in, {size_of(outer), size_of(inner)})};
}

Values squeeze(Call& call) {
  const Value& in = call.in(0);
  const auto axes = call.axes("axes", 1, in.rank());
  Dims to;
  for (int i = 0; i < in.rank(); ++i) {
    const bool gone = axes ? std::count(axes->begin(), axes->end(), i) > 0 : in[i] == 1;
    if (!gone) to.push_back(in[i]);
    if (gone && in[i] != 1) call.fail("axis {} of {} has not size 1", i, show(in.dims));
  }
  return {reshape_to(call, in, to)};
}

Values unsqueeze(Call& call) {
  const Value& in = call.in(0);
  const auto given = call.list("axes", 1);
  if (!given || given->size() > 16) call.fail("its axes are missing");
  const int rank = in.rank() + static_cast<int>(given->size());
  const std::vector<int> axes = *call.axes("axes", 1, rank);
  Dims to;
  for (int i = 0, next = 0; i < rank; ++i)
    to.push_back(std::count(axes.begin(), axes.end(), i) ? 1 : in[next++]);
  return {reshape_to(call, in, to)};
}

Values transpose(Call& call) {
  const Value& in = call.in(0);
  std::vector<int> order;
  if (const auto given = call.axes("perm", SIZE_MAX, in.rank()))
    order = *given;
  else
    for (int i = in.rank(); i-- > 0;) order.push_back(i);
  if (order.size() != in.dims.size()) call.fail("'perm' is not an order of its input's axes");
  if (in.constant) return {call.made(permuted(*in.constant, order))};
  Value out{in.type, {}, nullptr, in.tensor, {}};
  for (const int axis : order) {
    out.dims.push_back(in[axis]);
    out.layout.push_back(in.layout[static_cast<size_t>(axis)]);
  }
  return {out};
}

}  // namespace nnomc::onnx
