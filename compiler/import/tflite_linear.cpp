// Operators that multiply by weights.
#include "compiler/import/tflite_operators.hpp"
#include "nnom/window.hpp"

namespace nnomc::tflite {
namespace {

/// [channels][taps] from [taps][channels].
std::vector<float> transposed(const std::vector<float>& from, size_t channels) {
  const size_t taps = from.size() / channels;
  std::vector<float> to(from.size());
  for (size_t t = 0; t < taps; ++t)
    for (size_t c = 0; c < channels; ++c) to[c * taps + t] = from[t * channels + c];
  return to;
}

/// Whether weights less their zero point take more than eight bits: those of uint8 may, as
/// TensorFlow 1 quantised.
bool is_wide(const Call& call, int weights) {
  const Value& w = call.in(weights);
  if (!call.quantised() || !w.scale) return false;
  return std::any_of(w.constant.begin(), w.constant.end(),
                     [&](double v) { return v - w.scale->zero < -128 || v - w.scale->zero > 127; });
}

/// Every channel of the input twice, each with a part of its weight: both parts fit eight bits.
void halve_weights(Call& call, Node& node, double scale) {
  std::vector<float> index, parts;
  const Shape in = call.shape(node.inputs[0]);
  for (int i = 0; i < 2 * in.back(); ++i) index.push_back(static_cast<float>(i / 2));
  node.inputs[0] = gathered(call, node.inputs[0], in.rank - 1, {1, {2 * in.back()}}, index);
  for (const float w : node.weights) {
    const double whole = std::round(static_cast<double>(w) / scale);
    const double part = std::clamp(whole, -128.0, 127.0);
    parts.push_back(static_cast<float>(part * scale));
    parts.push_back(static_cast<float>((whole - part) * scale));
  }
  node.weights = std::move(parts);
}

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

/// A linear node. The weights' `channels` are outermost in the file, or `innermost`.
Node linear(Call& call, const Op& op, int input, int weights, int bias, size_t channels,
            StoredWeights::Kernel kernel = StoredWeights::Kernel::convolution,
            bool innermost = false) {
  Node node;
  node.op = op;
  node.inputs = {input};
  node.weights = call.reals(weights);
  if (innermost) node.weights = transposed(node.weights, channels);
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
  const bool one = stored.scale.empty();
  if ((one && !w.scale) ||
      (w.type != format::ElementType_int8 && (!one || w.type != format::ElementType_uint8)))
    call.fail("its weights are neither int8 nor uint8: export the model as int8");
  if (one) {
    if (w.type == format::ElementType_int8) stored.zero = w.scale->zero;
    stored.scale = {static_cast<float>(w.scale->scale)};
  } else if (stored.scale.size() != channels) {
    call.fail("it has {} scales for {} channels", stored.scale.size(), channels);
  }
  if (call.has(bias)) {
    check_biases(call, bias, stored);
    for (const double b : call.in(bias).constant) stored.bias.push_back(whole(b));
  }
  node.stored = std::move(stored);
  if (is_wide(call, weights)) halve_weights(call, node, w.scale->scale);
  return node;
}

nnom::Border border(format::Padding padding, const nnom::Image& in, const auto& op) {
  if (padding == format::Padding_valid) return {};
  return nnom::same_border(in, op.kernel, op.stride, op.dilation);
}

/// Four sizes of a filter.
const std::vector<int>& filter(const Call& call, int i) {
  const Value& w = call.in(i);
  if (w.rank() != 4) call.fail("its weights have {} axes, not 4", w.rank());
  if (w.scale && w.scale->zero != 0 && w.type == format::ElementType_int8)
    call.fail("its weights are int8 with the zero point {}, which TFLite ignores", w.scale->zero);
  return w.dims;
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
  if (w[3] % in.c) call.fail("its input has {} channels, its filter {}", in.c, w[3]);
  Op op = depthwise;
  const bool grouped = w[3] != in.c || is_wide(call, 1);
  if (grouped) {
    nnom::Conv2D conv;
    conv.kernel = depthwise.kernel, conv.stride = depthwise.stride;
    conv.dilation = depthwise.dilation, conv.pad = depthwise.pad;
    conv.groups = in.c, conv.out.c = w[3];
    op = conv;
  }
  const bool is_uint8 = call.in(1).type == format::ElementType_uint8;
  Node node =
      linear(call, op, x, 1, 2, channels,
             is_uint8 ? StoredWeights::Kernel::twice : StoredWeights::Kernel::convolution, grouped);
  node.range = range_of(call, o.activation());
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

namespace {

/// Whether input i is a matrix of weights as FULLY_CONNECTED has them.
bool is_matrix(const Call& call, int i) {
  const Value& w = call.in(i);
  if (!call.is_constant(i) || w.rank() < 2 || call.out().type == format::ElementType_int16)
    return false;
  const bool one = w.size() == w.dims.back() * w.dims[w.dims.size() - 2];
  return one && (!call.quantised() || (w.scale && w.scale->zero == 0));
}

}  // namespace

void batch_matmul(Call& call) {
  const auto& o = call.options<format::BatchMatMulOptions>();
  const int x = call.whole(0);
  if (!is_matrix(call, 1) || o.transpose_x()) {
    nnom::MatMul op;
    op.transposed[0] = o.transpose_x(), op.transposed[1] = o.transpose_y();
    return call.set(call.add(op, {x, call.whole(1)}));
  }
  const std::vector<int>& w = call.in(1).dims;
  const auto rows = static_cast<size_t>(w[w.size() - 2]), columns = static_cast<size_t>(w.back());
  const size_t out = o.transpose_y() ? rows : columns;
  nnom::Conv2D op;  // rows are pixels
  op.kernel = op.stride = op.dilation = {1, 1};
  op.out.c = static_cast<int>(out);
  const int depth = call.shape(x).back();
  if (static_cast<size_t>(depth) * out != rows * columns)
    call.fail("its input has {} columns, its constant is {} x {}", depth, rows, columns);
  Node node = linear(call, op, call.reshape(x, {2, {call.shape(x).size() / depth, depth}}), 1, 2,
                     out, StoredWeights::Kernel::convolution, !o.transpose_y());
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
