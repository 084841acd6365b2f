#include <algorithm>

#include "compiler/import/onnx_elementwise.hpp"

namespace nnomc::onnx {
namespace {

/// The matrix in `c`, turned if the inputs are its rows.
Weights weights_of(const Constant& c, bool turn) {
  Weights w{static_cast<size_t>(c.dims[0]), static_cast<size_t>(c.dims[1]), c.data,
            scales_along(c, turn ? 1 : 0)};
  if (turn) {
    std::swap(w.outs, w.ins);
    w.data = permuted(c, {1, 0}).data;
  }
  return w;
}

/// `value` with its last two axes exchanged.
Value turned(Call& call, const Value& value) {
  std::vector<int> order;
  for (int i = 0; i < value.rank(); ++i) order.push_back(i);
  std::swap(order[order.size() - 2], order[order.size() - 1]);
  return transposed(call, value, order);
}

/// Products of the matrices in the last two axes of two tensors.
Value product(Call& call, Value a, Value b, std::string_view suffix = "") {
  const size_t rank = std::max(a.dims.size(), b.dims.size());
  nnom::MatMul op;
  Dims to;
  Dims outer[2];
  std::vector<int> tensors;
  Value* values[] = {&a, &b};
  for (int k = 0; k < 2; ++k) {
    Value& v = *values[k];
    v = call.as_tensor(v);
    outer[k].assign(v.dims.begin(), v.dims.end() - 2);
  }
  if (!broadcast(outer[0], outer[1], to))
    call.fail("{} and {} don't fit", show(a.dims), show(b.dims));
  Dims whole = to;
  whole.insert(whole.end(), {a[a.rank() - 2], b[b.rank() - 1]});
  if (!is_small(whole)) call.fail("its output is too large: {}", show(whole));
  std::vector<int> kept;  // axes before the matrices, of more than one entry
  for (size_t i = 0; i < to.size(); ++i)
    if (to[i] > 1) kept.push_back(static_cast<int>(i));
  const int last = static_cast<int>(rank) - 1;
  for (int k = 0; k < 2; ++k) {
    Value v = *values[k];
    const size_t more = rank - v.dims.size();
    v.dims.insert(v.dims.begin(), more, 1);
    v.layout.insert(v.layout.begin(), more, Axis{});
    std::vector<int> order = kept;
    const Axis &row = v.layout[rank - 2], &column = v.layout[rank - 1];
    op.transposed[k] = !row.empty() && !column.empty() && row.back().step < column.back().step;
    order.push_back(op.transposed[k] ? last : last - 1);
    order.push_back(op.transposed[k] ? last - 1 : last);
    tensors.push_back(call.arrange(v, order));
  }
  kept.push_back(last - 1);
  kept.push_back(last);
  return call.made(call.add(op, tensors, suffix), std::move(whole), kept);
}

}  // namespace

Value contract(Call& call, const Value& value, int axis, const Weights& w, const Constant* bias) {
  const auto at = static_cast<size_t>(axis);
  if (value.dims[at] != static_cast<int64_t>(w.ins))
    call.fail("its weights take {} values, its input {} gives {}", w.ins, show(value.dims),
              value.dims[at]);
  Dims to = value.dims;
  to[at] = static_cast<int64_t>(w.outs);
  if (!is_small(to)) call.fail("its output is too large: {}", show(to));
  const int ins = static_cast<int>(w.ins), outs = static_cast<int>(w.outs);
  std::vector<float> biases;
  if (bias)
    biases = reals_of(expanded({Type::f32, {size_of(bias->dims)}, bias->data}, {outs}).data);
  if (size_of(value.dims) == value.dims[at]) {
    const std::vector<size_t> places = places_in({ins}, {value.layout[at]}, {ins});
    std::vector<float> weights;
    weights.reserve(w.data.size());
    for (size_t o = 0; o < w.outs; ++o)
      for (const size_t i : places) weights.push_back(static_cast<float>(w.data[o * w.ins + i]));
    nnom::Dense op;
    op.out = outs;
    const int flat = call.reshape(value.tensor, {1, {ins}}, "/flatten");
    const int tensor = call.add(op, {flat}, "", std::move(weights), std::move(biases));
    call.keep_integers(w.scale, bias);
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
  tensor = call.add(op, {tensor}, "", reals_of(w.data), std::move(biases));
  call.keep_integers(w.scale, bias);
  return call.made(tensor, std::move(to), order);
}

Values gemm(Call& call) {
  const Value &a = call.in(0), &b = call.in(1);
  const bool turn_a = call.flag("transA", false), turn_b = call.flag("transB", false);
  const auto alpha = double{call.real("alpha", 1)}, beta = double{call.real("beta", 1)};
  call.flag("broadcast", false);  // what is always done since operator set 7
  if (a.rank() != 2 || b.rank() != 2)
    call.fail("its inputs are {} and {}, not matrices", show(a.dims), show(b.dims));
  const Dims wanted{a[turn_a ? 1 : 0], b[turn_b ? 0 : 1]};
  Value addend = call.has(2) ? call.in(2) : number(0);
  Dims out;
  if (!broadcast(wanted, addend.dims, out) || out != wanted)
    call.fail("its addend {} doesn't fit its output {}", show(addend.dims), show(wanted));
  if (addend.constant) {
    Constant c = *addend.constant;
    for (double& v : c.data) v *= beta;
    if (beta != 1) c.scale.clear();
    addend = call.made(std::move(c));
  } else if (beta != 1) {
    addend = times(call, addend, number(beta), "/beta");
  }
  if (!b.constant || a.constant) {
    Value value =
        product(call, turn_a ? turned(call, a) : a, turn_b ? turned(call, b) : b, "/product");
    if (alpha != 1) value = times(call, value, number(alpha), "/alpha");
    return {call.has(2) ? plus(call, value, addend) : value};
  }
  Weights w = weights_of(*b.constant, !turn_b);
  for (double& v : w.data) v *= alpha;
  for (float& v : w.scale) v *= static_cast<float>(alpha);
  if (alpha <= 0) w.scale.clear();
  const bool is_bias = addend.constant && (addend.rank() < 2 || addend[0] == 1);
  Value value = contract(call, a, turn_a ? 0 : 1, w,
                         is_bias && call.has(2) ? addend.constant.get() : nullptr);
  if (turn_a) value = transposed(call, value, {1, 0});
  return {is_bias ? value : plus(call, value, addend, "/addend")};
}

Values matmul(Call& call) {
  Value a = call.in(0), b = call.in(1);
  if (a.rank() == 0 || b.rank() == 0) call.fail("an input is a single number");
  const bool row = a.rank() == 1, column = b.rank() == 1;
  if (row) a = reshape_to(call, a, {1, a[0]});
  if (column) b = reshape_to(call, b, {b[0], 1});
  const Value& matrix = b.constant ? b : a;
  const bool one = size_of(matrix.dims) == matrix[matrix.rank() - 1] * matrix[matrix.rank() - 2];
  Value out;
  if (matrix.constant && one) {
    const Value& given = b.constant ? a : b;
    if (given.constant) call.fail("not supported yet: two constants");
    const int axis = given.rank() - (b.constant ? 1 : 2);
    const Dims dims(matrix.dims.end() - 2, matrix.dims.end());
    Constant weights = *matrix.constant;
    weights.axis -= weights.dims.size() - 2;
    weights.dims = dims;
    out = contract(call, given, axis, weights_of(weights, b.constant != nullptr), nullptr);
  } else {
    out = product(call, a, b);
  }
  Dims to = out.dims;
  to.insert(to.begin(), static_cast<size_t>(std::max(0, matrix.rank() - out.rank())), 1);
  if (column) to.erase(to.end() - 1);
  if (row) to.erase(to.end() - (column ? 1 : 2));
  return {reshape_to(call, out, to)};
}

}  // namespace nnomc::onnx
