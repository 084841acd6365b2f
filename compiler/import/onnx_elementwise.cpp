#include "compiler/import/onnx_elementwise.hpp"

#include <algorithm>

namespace nnomc::onnx {
namespace {

/// `value` with axes of size 1 before its own.
Value with_rank(Value value, size_t rank) {
  const size_t more = rank - value.dims.size();
  value.dims.insert(value.dims.begin(), more, 1);
  value.layout.insert(value.layout.begin(), more, Axis{});
  return value;
}

/// Drops what is the same along an axis: `data` of shape `shape` needs only one entry there.
std::vector<float> shrunk(std::vector<float> data, Shape& shape) {
  size_t inner = 1;
  for (int axis = shape.rank; axis-- > 0;) {
    const auto n = static_cast<size_t>(shape[axis]), block = inner * n;
    bool same = n > 1;
    for (size_t i = 0; same && i < data.size(); ++i)
      same = data[i] == data[i / block * block + i % inner];
    if (same) {
      std::vector<float> kept;
      for (size_t i = 0; i < data.size(); ++i)
        if (i % block < inner) kept.push_back(data[i]);
      data = std::move(kept);
      shape.d[axis] = 1;
    } else {
      inner = block;
    }
  }
  return data;
}

std::vector<float> picked(const Constant& c, const std::vector<size_t>& places) {
  std::vector<float> values;
  values.reserve(places.size());
  for (const size_t i : places) values.push_back(static_cast<float>(c.data[i]));
  return values;
}

/// `c` for each entry of the last axis of the graph's tensor, or nothing if it varies along others.
std::optional<std::vector<float>> per_channel(const Call& call, const Value& value,
                                              const Constant& c) {
  Dims to;
  if (!broadcast(value.dims, c.dims, to) || to != value.dims) return {};
  const auto channels = static_cast<size_t>(call.shape(value.tensor).back());
  if (c.data.size() == 1) return std::vector<float>(channels, static_cast<float>(c.data[0]));
  const std::vector<float> values = picked(c, places_in(c.dims, value.layout, value.dims));
  for (size_t i = channels; i < values.size(); ++i)
    if (values[i] != values[i - channels]) return {};
  return std::vector<float>(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(channels));
}

Constant negated(Constant c) {
  for (double& v : c.data) v = -v;
  return c;
}

}  // namespace

Operands operands_of(Call& call, const Values& values) {
  Operands o;
  const Value* lead = nullptr;  // the largest that the model computes
  for (size_t i = 0; i < values.size(); ++i) {
    Dims to;
    if (!broadcast(o.out.dims, values[i].dims, to))
      call.fail("{} and {} can't be broadcast", show(o.out.dims), show(values[i].dims));
    o.out.dims = std::move(to);
    if (values[i].constant && o.constant >= 0) call.fail("not supported yet: two constants");
    if (values[i].constant)
      o.constant = static_cast<int>(i);
    else if (!lead || size_of(values[i].dims) > size_of(lead->dims))
      lead = &values[i];
  }
  if (!lead) call.fail("not supported yet: nothing but constants");
  if (!is_small(o.out.dims)) call.fail("its output is too large: {}", show(o.out.dims));
  const size_t rank = o.out.dims.size();
  bool alike = true;
  for (const Value& v : values)
    alike &= v.constant || (v.dims == o.out.dims && v.layout == lead->layout);
  if (alike) {
    o.out.layout = lead->layout;
    const Shape& declared = call.shape(lead->tensor);
    for (const Value& v : values)
      if (!v.constant) o.tensors.push_back(call.reshape(v.tensor, declared));
    if (o.constant < 0) return o;
    const Constant& c = *values[static_cast<size_t>(o.constant)].constant;
    o.constant_shape = declared;
    o.weights = shrunk(picked(c, places_in(c.dims, o.out.layout, o.out.dims)), o.constant_shape);
    return o;
  }
  std::vector<int> needed;
  for (size_t i = 0; i < rank; ++i)
    if (o.out.dims[i] > 1) needed.push_back(static_cast<int>(i));
  const std::vector<int> order = call.order_of(with_rank(*lead, rank), needed);
  o.out.layout = layout_in(order, o.out.dims);
  for (const Value& v : values) {
    Value wide = with_rank(v, rank);
    if (!v.constant) {
      o.tensors.push_back(call.arrange(wide, order));
      continue;
    }
    Dims sizes;
    for (const int axis : order) sizes.push_back(axis < 0 ? 1 : wide[axis]);
    o.constant_shape = call.shape_of(sizes);
    o.weights = picked(*v.constant, places_in(wide.dims, layout_in(order, wide.dims), wide.dims));
  }
  return o;
}

Value apply(Call& call, const Value& value, const nnom::Activation& op, std::string_view suffix) {
  return call.made(call.add(op, {value.tensor}, suffix), value);
}

Value apply(Call& call, const Value& value, nnom::Function function, std::string_view suffix) {
  nnom::Activation op;
  op.function = function;
  return apply(call, value, op, suffix);
}

Value number(double v) {
  return {Type::f32, {}, std::make_shared<const Constant>(Constant{Type::f32, {}, {v}}), -1, {}};
}

std::optional<Value> affine(Call& call, const Value& value, const Constant* factor,
                            const Constant* offset, std::string_view suffix) {
  const Constant one{Type::f32, {}, {1}};
  auto factors = per_channel(call, value, factor ? *factor : one);
  auto offsets = offset ? per_channel(call, value, *offset) : std::vector<float>{};
  if (!factors || !offsets) return {};
  int tensor = value.tensor;
  const Shape from = call.shape(tensor);
  if (from.rank == 0 || from.rank > 3)
    tensor = call.reshape(tensor, {2, {from.size() / from.back(), from.back()}}, "/rows");
  nnom::DepthwiseConv2D op;
  op.kernel = op.stride = op.dilation = {1, 1};
  tensor = call.add(op, {tensor}, suffix, std::move(*factors), std::move(*offsets));
  return call.made(call.reshape(tensor, from), value);
}

Value plus(Call& call, const Value& a, const Value& b, std::string_view suffix) {
  if (a.constant) return plus(call, b, a, suffix);
  if (b.constant)
    if (auto out = affine(call, a, nullptr, b.constant.get(), suffix)) return *out;
  return elementwise(call, nnom::Add{}, {a, b}, suffix);
}

Value minus(Call& call, const Value& a, const Value& b, std::string_view suffix) {
  const Constant minus_one{Type::f32, {}, {-1}};
  if (b.constant) {
    const Constant offset = negated(*b.constant);
    if (auto out = affine(call, a, nullptr, &offset, suffix)) return *out;
  }
  if (a.constant)
    if (auto out = affine(call, b, &minus_one, a.constant.get(), suffix)) return *out;
  nnom::Add op;
  op.rule.minus = true;
  return elementwise(call, op, {a, b}, suffix);
}

Value times(Call& call, const Value& a, const Value& b, std::string_view suffix) {
  if (a.constant) return times(call, b, a, suffix);
  if (b.constant)
    if (auto out = affine(call, a, b.constant.get(), nullptr, suffix)) return *out;
  return elementwise(call, nnom::Mul{}, {a, b}, suffix);
}

}  // namespace nnomc::onnx
