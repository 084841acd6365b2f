#include <algorithm>

#include "compiler/import/onnx_ops.hpp"

namespace nnomc::onnx {
namespace {

/// A matrix of weights, [outs][ins].
struct Weights {
  size_t outs, ins;
  std::vector<double> data;
};

/// The matrix in `c`, turned if the inputs are its rows.
Weights weights_of(const Constant& c, bool turn) {
  Weights w{static_cast<size_t>(c.dims[0]), static_cast<size_t>(c.dims[1]), c.data};
  if (turn) {
    std::swap(w.outs, w.ins);
    w.data = permuted(c, {1, 0}).data;
  }
  return w;
}

/// Replaces axis `axis` of `value` by products with a matrix: a Dense layer, whose weights take the
/// order in which the axis lies in memory, or a 1x1 convolution.
Value contract(Call& call, const Value& value, int axis, const Weights& w,
               std::vector<float> bias) {
  const auto at = static_cast<size_t>(axis);
  if (value.dims[at] != static_cast<int64_t>(w.ins))
    call.fail("its weights take {} values, its input {} gives {}", w.ins, show(value.dims),
              value.dims[at]);
  Dims to = value.dims;
  to[at] = static_cast<int64_t>(w.outs);
  const int ins = static_cast<int>(w.ins), outs = static_cast<int>(w.outs);
  if (size_of(value.dims) == value.dims[at]) {
    const std::vector<size_t> places = places_in({ins}, {value.layout[at]}, {ins});
    std::vector<float> weights;
    weights.reserve(w.data.size());
    for (size_t o = 0; o < w.outs; ++o)
      for (const size_t i : places) weights.push_back(static_cast<float>(w.data[o * w.ins + i]));
    nnom::Dense op;
    op.out = outs;
    const int flat = call.reshape(value.tensor, {1, {ins}}, "/flatten");
    const int tensor = call.add(op, {flat}, "", std::move(weights), std::move(bias));
    return call.made(tensor, std::move(to), {axis});
  }
  std::vector<int> order = call.order_of(value, {axis});
  order.erase(std::find(order.begin(), order.end(), axis));
  order.push_back(axis);
  int tensor = call.arrange(value, order);
  const Shape from = call.shape(tensor);
  if (from.rank > 3) tensor = call.reshape(tensor, {2, {from.size() / ins, ins}}, "/rows");
  nnom::Conv2D op;
  op.kernel = op.stride = op.dilation = {1, 1};
  op.out.c = outs;
  tensor = call.add(op, {tensor}, "", reals_of(w.data), std::move(bias));
  return call.made(tensor, std::move(to), order);
}

}  // namespace

Values gemm(Call& call) {
  const Value &a = call.in(0), &b = call.in(1);
  const bool turn_a = call.flag("transA", false), turn_b = call.flag("transB", false);
  if (a.rank() != 2 || b.rank() != 2)
    call.fail("its inputs are {} and {}, not matrices", show(a.dims), show(b.dims));
  if (!b.constant) call.fail("not supported yet: two tensors");
  Weights w = weights_of(*b.constant, !turn_b);
  for (double& v : w.data) v *= static_cast<double>(call.real("alpha", 1));
  Constant c{Type::f32, {}, {0}};
  if (call.has(2)) c = call.constant(2);
  for (double& v : c.data) v *= static_cast<double>(call.real("beta", 1));
  Dims out;
  const Dims wanted{a[turn_a ? 1 : 0], static_cast<int64_t>(w.outs)};
  if (!broadcast(wanted, c.dims, out) || out != wanted)
    call.fail("its addend {} doesn't fit its output {}", show(c.dims), show(wanted));
  const bool per_row = c.dims.size() == 2 && c.dims[0] != 1;
  std::vector<float> bias;
  if (!per_row) {
    c.dims.insert(c.dims.begin(), 2 - c.dims.size(), 1);
    bias = reals_of(expanded(c, {1, wanted[1]}).data);
  }
  Value value = contract(call, a, turn_a ? 0 : 1, w, std::move(bias));
  if (turn_a) {
    std::swap(value.dims[0], value.dims[1]);
    std::swap(value.layout[0], value.layout[1]);
  }
  if (!per_row) return {value};
  if (auto sum = affine(call, value, nullptr, &c)) return {*sum};
  call.fail("not supported yet: an addend of shape {}", show(c.dims));
}

Values matmul(Call& call) {
  Value a = call.in(0), b = call.in(1);
  if (a.rank() == 0 || b.rank() == 0) call.fail("an input is a single number");
  if (a.constant && b.constant) call.fail("not supported yet: two constants");
  if (!b.constant && !a.constant) call.fail("not supported yet: two tensors");
  const Value &given = b.constant ? a : b, &matrix = b.constant ? b : a;
  Dims dims = matrix.dims;
  while (dims.size() > 2 && dims[0] == 1) dims.erase(dims.begin());
  if (dims.size() > 2) call.fail("not supported yet: several matrices of weights");
  const bool vector = dims.size() == 1;
  if (vector) dims.insert(b.constant ? dims.end() : dims.begin(), 1);
  const int axis = given.rank() - (b.constant || given.rank() == 1 ? 1 : 2);
  Value out =
      contract(call, given, axis,
               weights_of({Type::f32, dims, matrix.constant->data}, b.constant != nullptr), {});
  Dims to = out.dims;
  if (vector) to.erase(to.begin() + axis);
  // Matrices with more axes of 1 than the other operand.
  while (static_cast<int>(to.size()) < matrix.rank() - vector) to.insert(to.begin(), 1);
  return {reshape_to(call, out, to)};
}

}  // namespace nnomc::onnx
