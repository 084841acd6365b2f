#include <algorithm>
#include <cmath>

#include "compiler/import/onnx_ops.hpp"

namespace nnomc::onnx {

Values constant(Call& call) {
  using Kind = Attribute::Kind;
  for (const Attribute& a : call.node().attributes) {
    call.find(a.name, a.kind);
    if (a.name == "value" && a.kind == Kind::tensor) return {call.made(a.tensor)};
    if (a.name == "value_float" && a.kind == Kind::real)
      return {call.made({Type::f32, {}, {double{a.real}}})};
    if (a.name == "value_int" && a.kind == Kind::integer)
      return {call.made({Type::i64, {}, {static_cast<double>(a.integer)}})};
    if (a.name == "value_ints" && a.kind == Kind::integers) return {call.made(list_of(a.integers))};
    if (a.name == "value_floats" && a.kind == Kind::reals)
      return {call.made(
          {Type::f32, {static_cast<int64_t>(a.reals.size())}, {a.reals.begin(), a.reals.end()}})};
  }
  call.fail("not supported: its value is not a number or a dense tensor of numbers");
}

Values constant_of_shape(Call& call) {
  Constant c{Type::f32, integers_of(call.constant(0)), {}};
  double value = 0;
  if (const Attribute* a = call.find("value", Attribute::Kind::tensor)) {
    if (a->tensor.data.size() != 1) call.fail("its value is not one number");
    c.type = a->tensor.type;
    value = a->tensor.data[0];
  }
  int64_t size = 1;
  for (const int64_t n : c.dims) {
    if (n < 0 || n > kMaxElements || (size *= n) > kMaxElements)
      call.fail("its shape {} is impossible", show(c.dims));
  }
  if (c.dims.size() > kMaxRank) call.fail("its shape has too many axes");
  call.count_folded(size);
  c.data.assign(static_cast<size_t>(size), value);
  return {call.made(std::move(c))};
}

Values eye_like(Call& call) {
  const Value& in = call.in(0);
  if (in.rank() != 2) call.fail("its input {} is not a matrix", show(in.dims));
  call.count_folded(size_of(in.dims));
  Constant c{static_cast<Type>(call.integer("dtype", static_cast<int>(in.type))), in.dims, {}};
  const int64_t k = call.integer("k", 0);
  for (int64_t y = 0; y < in[0]; ++y)
    for (int64_t x = 0; x < in[1]; ++x) c.data.push_back(x == y + std::clamp(k, -in[0], in[1]));
  return {call.made(std::move(c))};
}

Values range(Call& call) {
  for (size_t i = 0; i < 3; ++i)
    if (call.constant(i).data.size() != 1) call.fail("its input {} is not one number", i);
  const double start = call.constant(0).data[0], step = call.constant(2).data[0];
  const double count = std::ceil((call.constant(1).data[0] - start) / step);
  if (!(count <= static_cast<double>(kMaxElements))) call.fail("it has no end");
  Constant c{call.in(0).type, {std::max(static_cast<int64_t>(count), int64_t{0})}, {}};
  call.count_folded(c.dims[0]);
  for (int64_t i = 0; i < c.dims[0]; ++i) c.data.push_back(start + static_cast<double>(i) * step);
  return {call.made(std::move(c))};
}

Values shape(Call& call) {
  const Dims& dims = call.in(0).dims;
  const auto rank = static_cast<int64_t>(dims.size());
  const auto place = [&](int64_t axis) {
    return std::clamp(axis < 0 ? axis + rank : axis, int64_t{0}, rank);
  };
  const int64_t start = place(call.integer("start", 0)), end = place(call.integer("end", rank));
  std::vector<int64_t> sizes;
  for (int64_t i = start; i < end; ++i) sizes.push_back(dims[static_cast<size_t>(i)]);
  return {call.made(list_of(sizes))};
}

Values size(Call& call) {
  return {call.made({Type::i64, {}, {static_cast<double>(size_of(call.in(0).dims))}})};
}

}  // namespace nnomc::onnx
