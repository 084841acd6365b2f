#include <algorithm>
#include <cmath>

#include "compiler/import/moments.hpp"
#include "compiler/import/onnx_elementwise.hpp"

namespace nnomc::onnx {
namespace {

/// Axes from `first` to the last.
std::vector<int> axes_from(int first, int rank) {
  std::vector<int> axes;
  for (int i = first; i < rank; ++i) axes.push_back(i);
  return axes;
}

/// A list of one number for each channel, so that it broadcasts to a tensor of `rank` axes.
Value channels(Call& call, size_t input, const Value& like) {
  Constant c = call.constant(input);
  if (c.dims != Dims{like[1]}) call.fail("its input {} should have {} values", input, like[1]);
  c.dims.insert(c.dims.end(), static_cast<size_t>(like.rank() - 2), 1);
  return call.made(std::move(c));
}

}  // namespace

Values batch_normalization(Call& call) {
  const Value& in = call.in(0);
  const bool training =
      call.opset() < 7 ? !call.flag("is_test", false) : call.flag("training_mode", false);
  if (training || !call.flag("spatial", true))
    call.fail("not supported: training mode, or statistics of each pixel");
  call.real("momentum", 0);  // of training
  if (in.rank() < 2) call.fail("its input {} has no channels", show(in.dims));
  Constant factor = *channels(call, 1, in).constant, offset = *channels(call, 2, in).constant;
  const Value mean = channels(call, 3, in), variance = channels(call, 4, in);
  const double epsilon = double{call.real("epsilon", 1e-5F)};
  for (size_t c = 0; c < factor.data.size(); ++c) {
    factor.data[c] /= std::sqrt(variance.constant->data[c] + epsilon);
    offset.data[c] -= mean.constant->data[c] * factor.data[c];
  }
  if (auto out = affine(call, in, &factor, &offset)) return {*out};
  const Value scaled = times(call, in, call.made(std::move(factor)), "/scaled");
  return {plus(call, scaled, call.made(std::move(offset)))};
}

Values instance_normalization(Call& call) {
  const Value& in = call.in(0);
  if (in.rank() < 3) call.fail("its input {} has no pixels", show(in.dims));
  const double epsilon = double{call.real("epsilon", 1e-5F)};
  const Moments m = moments(call, in, axes_from(2, in.rank()), number(epsilon));
  const Value scaled = times(call, m.centred, m.inverse, "/scaled");
  return {plus(call, times(call, scaled, channels(call, 1, in), "/gamma"), channels(call, 2, in))};
}

Values layer_normalization(Call& call) {
  const Value& in = call.in(0);
  const std::vector<int> axes =
      axes_from(call.axis(call.integer("axis", -1), in.rank()), in.rank());
  call.integer("stash_type", 1);
  const Moments m = moments(call, in, axes, number(double{call.real("epsilon", 1e-5F)}));
  Value out = times(call, m.centred, m.inverse, "/scaled");
  out = times(call, out, call.in(1), call.has(2) ? "/gamma" : "");
  if (call.has(2)) out = plus(call, out, call.in(2));
  return {out, m.mean, m.inverse};
}

Values mean_variance_normalization(Call& call) {
  const Value& in = call.in(0);
  const auto axes = call.axes("axes", SIZE_MAX, in.rank()).value_or(std::vector<int>{0, 2, 3});
  for (const int axis : axes) call.axis(axis, in.rank());
  const Moments m = moments(call, in, axes, number(1e-9), true);
  return {times(call, m.centred, m.inverse)};
}

/// x / (bias + alpha / size * the sum of squares of neighbouring channels)^beta: the sum is a
/// convolution along the channels.
Values local_response(Call& call) {
  const Value& in = call.in(0);
  const int64_t size = call.integer("size", 1);
  if (in.rank() < 2 || size < 1 || size > in[1] * 2)
    call.fail("'size' is {} for an input of {}", size, show(in.dims));
  std::vector<int> order = call.order_of(in, {1});
  order.erase(std::find(order.begin(), order.end(), 1));
  order.push_back(1);
  const Value moved = call.made(call.arrange(in, order), in.dims, order);
  const Shape from = call.shape(moved.tensor);
  const int squares = call.add(
      [] {
        nnom::Activation op;
        op.function = nnom::Function::square;
        return op;
      }(),
      {moved.tensor}, "/square");
  nnom::DepthwiseConv2D window;
  window.kernel = {1, static_cast<int>(size)};
  window.stride = window.dilation = {1, 1};
  window.pad = {0, static_cast<int>((size - 1) / 2), 0, static_cast<int>(size / 2)};
  const int rows = call.reshape(squares, {3, {from.size() / from.back(), from.back(), 1}});
  const float alpha = call.real("alpha", 1e-4F) / static_cast<float>(size);
  const int sums =
      call.add(window, {rows}, "/sum", std::vector<float>(static_cast<size_t>(size), alpha),
               {call.real("bias", 1)});
  nnom::Activation power;
  power.function = nnom::Function::power;
  power.slope = -call.real("beta", 0.75F);
  const Value factor = apply(call, call.made(call.reshape(sums, from), moved), power, "/power");
  return {times(call, moved, factor)};
}

}  // namespace nnomc::onnx
