#include <algorithm>
#include <cmath>

#include "compiler/import/onnx_ops.hpp"

namespace nnomc::onnx {

Value reshape_to(Call& call, const Value& value, const Dims& to) {
  if (size_of(to) != size_of(value.dims))
    call.fail("{} can't be given the shape {}", show(value.dims), show(to));
  if (to.size() > kMaxRank) call.fail("not supported: {} axes", to.size());
  if (value.constant) return call.made(Constant{value.type, to, value.constant->data});
  constexpr size_t kMostRuns = 6;  // that a Transpose can move
  if (auto layout = reshaped(value.layout, to); layout && memory_runs(*layout).size() <= kMostRuns)
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
  call.real("ratio", 0);
  call.integer("seed", 0);
  if (call.opset() < 7 && !call.flag("is_test", false)) call.fail("it is in training mode");
  if (call.has(2) && call.constant(2).data.at(0) != 0 &&
      !(call.has(1) && call.constant(1).data.at(0) == 0))
    call.fail("it is in training mode. Export the model for inference");
  const size_t mask = static_cast<size_t>(size_of(in.dims));
  if (call.node().outputs.size() < 2) return {in};
  return {in, call.made(Constant{Type::boolean, in.dims, std::vector<double>(mask, 1)})};
}

namespace {

Value cast_to(Call& call, Value value, Type to) {
  if (to == Type::string || (!is_real(to) && !is_integer(to) && to != Type::boolean))
    call.fail("not supported: elements of type {}", static_cast<int>(to));
  if (value.constant) {
    Constant c = *value.constant;
    c.type = to;
    c.scale.clear();
    for (double& v : c.data) {
      if (is_integer(to)) v = std::trunc(v);
      if (to == Type::boolean) v = v != 0;
      if (is_real(to) && to != Type::f64) v = static_cast<double>(static_cast<float>(v));
    }
    return call.made(std::move(c));
  }
  if (call.session().quantised && is_integer(value.type) && is_real(to))
    return unscaled(call, value);
  const bool widens = to == Type::i32 || to == Type::i64;
  if (!is_real(to) && to != value.type && !(widens && !is_real(value.type)))
    call.fail("not supported: real numbers made integers while the model runs");
  value.type = to;
  return value;
}

}  // namespace

Values cast(Call& call) {
  call.flag("saturate", true);
  return {cast_to(call, call.in(0), static_cast<Type>(call.integer("to", 0)))};
}

Values cast_like(Call& call) { return {cast_to(call, call.in(0), call.in(1).type)}; }

Values reshape(Call& call) {
  const Value& in = call.in(0);
  if (call.constant(1).data.size() > kMaxRank) call.fail("its shape has too many axes");
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
  if (!given || given->size() > kMaxRank) call.fail("its axes are missing");
  const int rank = in.rank() + static_cast<int>(given->size());
  const std::vector<int> axes = *call.axes("axes", 1, rank);
  Dims to;
  for (int i = 0, next = 0; i < rank; ++i)
    to.push_back(std::count(axes.begin(), axes.end(), i) ? 1 : in[next++]);
  return {reshape_to(call, in, to)};
}

Value transposed(Call& call, const Value& value, const std::vector<int>& order) {
  if (value.constant) return call.made(permuted(*value.constant, order));
  Value out{value.type, {}, nullptr, value.tensor, {}};
  for (const int axis : order) {
    out.dims.push_back(value[axis]);
    out.layout.push_back(value.layout[static_cast<size_t>(axis)]);
  }
  return out;
}

Values transpose(Call& call) {
  const Value& in = call.in(0);
  std::vector<int> order;
  if (const auto given = call.axes("perm", SIZE_MAX, in.rank()))
    order = *given;
  else
    for (int i = in.rank(); i-- > 0;) order.push_back(i);
  if (order.size() != in.dims.size()) call.fail("'perm' is not an order of its input's axes");
  return {transposed(call, in, order)};
}

Values depth_to_space(Call& call) {
  const Value& in = call.in(0);
  const int64_t b = call.integer("blocksize", 0);
  const bool columns = call.text("mode", "DCR") == "CRD";
  if (in.rank() != 4 || b < 1 || b > in[1] || in[1] % (b * b))
    call.fail("blocks of {} don't fit {}", b, show(in.dims));
  const int64_t n = in[0], c = in[1] / (b * b), h = in[2], w = in[3];
  const Value split =
      reshape_to(call, in, columns ? Dims{n, c, b, b, h, w} : Dims{n, b, b, c, h, w});
  const std::vector<int> order =
      columns ? std::vector<int>{0, 1, 4, 2, 5, 3} : std::vector<int>{0, 3, 4, 1, 5, 2};
  return {reshape_to(call, transposed(call, split, order), {n, c, h * b, w * b})};
}

Values space_to_depth(Call& call) {
  const Value& in = call.in(0);
  const int64_t b = call.integer("blocksize", 0);
  if (in.rank() != 4 || b < 1 || b > in[2] || in[2] % b || in[3] % b)
    call.fail("blocks of {} don't fit {}", b, show(in.dims));
  const int64_t n = in[0], c = in[1], h = in[2] / b, w = in[3] / b;
  const Value split = reshape_to(call, in, {n, c, h, b, w, b});
  return {reshape_to(call, transposed(call, split, {0, 3, 5, 1, 2, 4}), {n, c * b * b, h, w})};
}

}  // namespace nnomc::onnx
