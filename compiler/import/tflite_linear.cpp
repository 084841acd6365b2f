// Operators that multiply by weights.
#include "compiler/import/tflite_operators.hpp"
#include "nnom/window.hpp"

namespace nnomc::tflite {
namespace {

/// Biases are int32, with int16 activations int64; those of FULLY_CONNECTED may stay int32.
void check_biases(const Call& call, int bias, StoredWeights& stored) {
  const bool brief = call.in(bias).type == format::ElementType_int32;
  const bool wide = call.out().type == format::ElementType_int16;
  using Kernel = StoredWeights::Kernel;
  if (wide && brief && stored.kernel == Kernel::dense)
    stored.kernel = Kernel::dense_32;
  else if (wide ? call.in(bias).type != format::ElementType_int64 : !brief)
    call.fail("its biases are not {}", wide ? "int64" : "int32");
}

/// Weights and biases of a linear node. `channels` of the weights are outermost, but for
/// `innermost`.
Node linear(const Call& call, const Op& op, int input, int weights, int bias, size_t channels,
            StoredWeights::Kernel kernel = StoredWeights::Kernel::convolution) {
  Node node;
  node.op = op;
  node.inputs = {input};
  node.weights = call.reals(weights);
  if (call.has(bias)) {
    node.bias = call.reals(bias);
    if (node.bias.size() != channels)
      call.fail("it has {} biases for {} channels", node.bias.size(), channels);
  }
  if (!call.quantised()) return node;
  const Value& w = call.in(weights);
  StoredWeights stored;
  stored.kernel = kernel;
  stored.scale = w.channel_scales;
  if (stored.scale.empty()) {
    if (!w.scale || w.type != format::ElementType_int8 || w.scale->zero != 0)
      call.fail("its weights are neither int8 around zero nor real: export the model as int8");
    stored.scale = {static_cast<float>(w.scale->scale)};
  } else if (stored.scale.size() != channels) {
    call.fail("it has {} scales for {} channels", stored.scale.size(), channels);
  }
  if (call.has(bias)) {
    check_biases(call, bias, stored);
    for (const double b : call.in(bias).constant) stored.bias.push_back(static_cast<int64_t>(b));
  }
  node.stored = std::move(stored);
  return node;
}

nnom::Border border(format::Padding padding, const nnom::Image& in, const auto& op) {
  if (padding == format::Padding_valid) return {};
  return nnom::same_border(in, op.kernel, op.stride, op.dilation);
}

/// [taps][channels] from [channels][taps].
void transpose_weights(Node& node, size_t channels) {
  const size_t taps = node.weights.size() / channels;
  std::vector<float> to(node.weights.size());
  for (size_t t = 0; t < taps; ++t)
    for (size_t c = 0; c < channels; ++c) to[c * taps + t] = node.weights[t * channels + c];
  node.weights = std::move(to);
}

/// Four sizes of a filter.
const std::vector<int>& filter(const Call& call, int i) {
  if (call.in(i).rank() != 4) call.fail("its weights have {} axes, not 4", call.in(i).rank());
  return call.in(i).dims;
}

}  // namespace

void conv_2d(Call& call) {
  const auto& o = call.options<format::Conv2DOptions>();
  const std::vector<int>& w = filter(call, 1);
  const int x = call.picture(0);
  const nnom::Image in = nnom::image(call.shape(x));
  nnom::Conv2D op;
  op.kernel = {w[1], w[2]};
  op.stride = {o.stride_h(), o.stride_w()};
  op.dilation = {o.dilation_h(), o.dilation_w()};
  op.out.c = w[0];
  if (in.c % w[3]) call.fail("its input has {} channels, its filter {}", in.c, w[3]);
  op.groups = in.c / w[3];
  call.check_window(op);
  op.pad = border(o.padding(), in, op);
  Node node = linear(call, op, x, 1, 2, static_cast<size_t>(w[0]));
  node.range = range_of(call, o.activation());
  call.set(call.add(std::move(node), call.out().scale));
}

void depthwise_conv_2d(Call& call) {
  const auto& o = call.options<format::DepthwiseConv2DOptions>();
  const std::vector<int>& w = filter(call, 1);
  const int x = call.picture(0);
  const nnom::Image in = nnom::image(call.shape(x));
  const auto channels = static_cast<size_t>(w[3]);
  nnom::DepthwiseConv2D depthwise;
  depthwise.kernel = {w[1], w[2]};
  depthwise.stride = {o.stride_h(), o.stride_w()};
  depthwise.dilation = {o.dilation_h(), o.dilation_w()};
  call.check_window(depthwise);
  depthwise.pad = border(o.padding(), in, depthwise);
  Node node = linear(call, depthwise, x, 1, 2, channels);
  node.range = range_of(call, o.activation());
  if (w[3] % in.c) call.fail("its input has {} channels, its filter {}", in.c, w[3]);
  if (w[3] != in.c) {
    nnom::Conv2D op;
    op.kernel = depthwise.kernel, op.stride = depthwise.stride;
    op.dilation = depthwise.dilation, op.pad = depthwise.pad;
    op.groups = in.c, op.out.c = w[3];
    node.op = op;
    transpose_weights(node, channels);
  }
  call.set(call.add(std::move(node), call.out().scale));
}

void fully_connected(Call& call) {
  const auto& o = call.options<format::FullyConnectedOptions>();
  if (o.weights_format() != 0) call.fail("its weights are shuffled, which is not supported");
  if (call.in(1).rank() != 2) call.fail("its weights have {} axes, not 2", call.in(1).rank());
  const int out = call.in(1).dims[0], in = call.in(1).dims[1];
  const int x = call.tensor(0), size = call.shape(x).size();
  if (size % in) call.fail("its input has {} elements, its weights {} columns", size, in);
  Op op;
  if (size == in) {
    nnom::Dense dense;
    dense.out = out;
    op = dense;
  } else {  // rows are pixels
    nnom::Conv2D pixels;
    pixels.kernel = pixels.stride = pixels.dilation = {1, 1};
    pixels.out.c = out;
    op = pixels;
  }
  const int rows = call.reshape(x, size == in ? Shape{1, {in}} : Shape{2, {size / in, in}});
  Node node = linear(call, op, rows, 1, 2, static_cast<size_t>(out), StoredWeights::Kernel::dense);
  node.range = range_of(call, o.activation());
  call.set(call.add(std::move(node), call.out().scale));
}

/// Inputs: the output's shape, weights, the picture, biases.
void transpose_conv(Call& call) {
  const auto& o = call.options<format::TransposeConvOptions>();
  const std::vector<int>& w = filter(call, 1);
  const int x = call.picture(2);
  const nnom::Image in = nnom::image(call.shape(x));
  if (w[3] != in.c) call.fail("its input has {} channels, its filter {}", in.c, w[3]);
  nnom::TransposeConv2D op;
  op.kernel = {w[1], w[2]};
  op.stride = {o.stride_h(), o.stride_w()};
  op.out.c = w[0];
  const Value& out = call.out();
  if (out.rank() != 4) call.fail("its output has {} axes, not 4", out.rank());
  if (std::min({op.stride.h, op.stride.w, op.kernel.h, op.kernel.w}) < 1)
    call.fail("a kernel size or stride makes no sense");
  // What is more than the output asks for is cut off, half of it in front; what lacks is added.
  const auto cut = [&](int n, int kernel, int stride, int wanted, int& before, int& after,
                       int& extra) {
    const int64_t surplus = int64_t{n - 1} * stride + kernel - wanted;
    if (surplus > 1 << 24 || surplus < -(1 << 24)) call.fail("its output's size makes no sense");
    extra = static_cast<int>(std::max<int64_t>(-surplus, 0));
    const int all = static_cast<int>(std::max<int64_t>(surplus, 0));
    before = o.padding() == format::Padding_same ? all / 2 : 0;
    after = all - before;
  };
  cut(in.h, w[1], op.stride.h, out.dims[1], op.pad.top, op.pad.bottom, op.extra.h);
  cut(in.w, w[2], op.stride.w, out.dims[2], op.pad.left, op.pad.right, op.extra.w);
  Node node = linear(call, op, x, 1, 3, static_cast<size_t>(w[0]));
  node.range = range_of(call, o.activation());
  call.set(call.add(std::move(node), out.scale));
}

}  // namespace nnomc::tflite
