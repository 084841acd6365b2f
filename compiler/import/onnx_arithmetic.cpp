#include <algorithm>
#include <cmath>

#include "compiler/import/onnx_ops.hpp"

namespace nnomc::onnx {
namespace {

/// `c` for each entry of the last axis of the graph's tensor, or nothing if it varies along others.
std::optional<std::vector<float>> per_channel(const Call& call, const Value& value,
                                              const Constant& c) {
  Dims to;
  if (!broadcast(value.dims, c.dims, to) || to != value.dims) return {};
  const auto channels = static_cast<size_t>(call.shape(value.tensor).back());
  const std::vector<size_t> places = places_in(c.dims, value.layout, value.dims);
  for (size_t i = channels; i < places.size(); ++i)
    if (c.data[places[i]] != c.data[places[i - channels]]) return {};
  std::vector<float> values;
  for (size_t i = 0; i < channels; ++i) values.push_back(static_cast<float>(c.data[places[i]]));
  return values;
}

Constant negated(Constant c) {
  for (double& v : c.data) v = -v;
  return c;
}

Constant inverse(Constant c) {
  for (double& v : c.data) v = 1 / v;
  return c;
}

}  // namespace

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

namespace {

Value require(Call& call, std::optional<Value> value) {
  if (!value) call.fail("not supported yet: this broadcast");
  return *value;
}

}  // namespace

Values add(Call& call) {
  const Value &a = call.in(0), &b = call.in(1);
  if (b.constant) return {require(call, affine(call, a, nullptr, b.constant.get()))};
  if (a.constant) return {require(call, affine(call, b, nullptr, a.constant.get()))};
  if (a.dims != b.dims) call.fail("not supported yet: this broadcast");
  if (a.layout == b.layout)
    return {call.made(
        call.add(nnom::Add{}, {a.tensor, call.reshape(b.tensor, call.shape(a.tensor))}), a)};
  const std::vector<int> order = call.order_of(a);
  const int left = call.arrange(a, order), right = call.arrange(b, order);
  return {call.made(call.add(nnom::Add{}, {left, right}), a.dims, order)};
}

Values subtract(Call& call) {
  const Value &a = call.in(0), &b = call.in(1);
  const Constant minus{Type::f32, {}, {-1}};
  if (b.constant) {
    const Constant offset = negated(*b.constant);
    return {require(call, affine(call, a, nullptr, &offset))};
  }
  if (a.constant) return {require(call, affine(call, b, &minus, a.constant.get()))};
  call.fail("not supported yet: two tensors");
}

Values multiply(Call& call) {
  const Value &a = call.in(0), &b = call.in(1);
  if (b.constant) return {require(call, affine(call, a, b.constant.get(), nullptr))};
  if (a.constant) return {require(call, affine(call, b, a.constant.get(), nullptr))};
  call.fail("not supported yet: two tensors");
}

Values divide(Call& call) {
  const Value &a = call.in(0), &b = call.in(1);
  if (b.constant) {
    const Constant factor = inverse(*b.constant);
    return {require(call, affine(call, a, &factor, nullptr))};
  }
  call.fail("not supported yet: two tensors");
}

Values negate(Call& call) {
  const Constant minus{Type::f32, {}, {-1}};
  return {require(call, affine(call, call.in(0), &minus, nullptr))};
}

Values sum(Call& call) { return add(call); }

Values batch_normalization(Call& call) {
  const Value& in = call.in(0);
  if (call.flag("training_mode", false) || !call.flag("spatial", true))
    call.fail("not supported: training mode, or statistics of each pixel");
  if (in.rank() < 2) call.fail("its input {} has no channels", show(in.dims));
  const Dims channels{in[1]};
  for (size_t i = 1; i < 5; ++i)
    if (call.constant(i).dims != channels)
      call.fail("its input {} should have the shape {}", i, show(channels));
  const auto &scale = call.constant(1), &bias = call.constant(2), &mean = call.constant(3),
             &variance = call.constant(4);
  const double epsilon = double{call.real("epsilon", 1e-5F)};
  // As constants that broadcast: the channels, then an axis of 1 for each axis of the picture.
  Constant factor{Type::f32, Dims(in.dims.size() - 1, 1), {}};
  factor.dims[0] = in[1];
  Constant offset = factor;
  for (size_t c = 0; c < scale.data.size(); ++c) {
    factor.data.push_back(scale.data[c] / std::sqrt(variance.data[c] + epsilon));
    offset.data.push_back(bias.data[c] - mean.data[c] * factor.data[c]);
  }
  if (auto out = affine(call, in, &factor, &offset)) return {*out};
  std::vector<int> order = call.order_of(in, {1});
  order.erase(std::find(order.begin(), order.end(), 1));
  order.push_back(1);
  const Value moved = call.made(call.arrange(in, order), in.dims, order);
  return {require(call, affine(call, moved, &factor, &offset))};
}

}  // namespace nnomc::onnx
