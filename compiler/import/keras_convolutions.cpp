#include <algorithm>

#include "compiler/import/keras_views.hpp"
#include "compiler/import/sliding.hpp"

namespace nnomc::keras {
namespace {

constexpr int kMaxChannels = 1 << 24;

Sliding sliding(const LayerCall& call, int tensor, int axes) {
  const Config& config = call.config;
  Sliding s{config.size("kernel_size", axes, {0, 0}),
            config.size("strides", axes, {1, 1}),
            config.size("dilation_rate", axes, {1, 1}),
            {}};
  if (s.kernel.h == 0) config.site().fail("'kernel_size' is missing from its configuration");
  const std::string padding = config.text("padding", "valid");
  if (padding == "same")
    s.pad = nnom::same_border(nnom::image(call.shape(tensor)), s.kernel, s.stride, s.dilation);
  else if (padding == "causal" && axes == 1)
    s.pad.left = (s.kernel.w - 1) * s.dilation.w;
  else if (padding != "valid")
    config.site().fail("padding '{}' is not supported", padding);
  return s;
}

/// The shape of a kernel as Keras stores it: its sizes along the axes, then `rest`.
std::vector<int> kernel_shape(nnom::Size kernel, int axes, std::initializer_list<int> rest) {
  std::vector<int> dims;
  if (axes == 2) dims.push_back(kernel.h);
  dims.push_back(kernel.w);
  dims.insert(dims.end(), rest);
  return dims;
}

/// [rows][columns] to [columns][rows]: Keras has the output channel last.
std::vector<float> transposed(std::span<const float> from, size_t columns) {
  const size_t rows = from.size() / columns;
  std::vector<float> to(from.size());
  for (size_t r = 0; r < rows; ++r)
    for (size_t c = 0; c < columns; ++c) to[c * rows + r] = from[r * columns + c];
  return to;
}

/// [..][inputs], the inputs of each in the order in which they lie in memory.
std::vector<float> as_it_lies(std::vector<float> weights, const View& view) {
  const std::vector<size_t> places = onnx::places_in(view.dims, view.layout, view.dims);
  if (std::is_sorted(places.begin(), places.end())) return weights;
  std::vector<float> moved(weights.size());
  for (size_t i = 0; i < weights.size(); ++i)
    moved[i] = weights[i / places.size() * places.size() + places[i % places.size()]];
  return moved;
}

std::vector<float> bias_of(const LayerCall& call, int channels) {
  if (!call.config.flag("use_bias", true)) return {};
  const auto bias = call.weight("bias", {channels});
  return {bias.begin(), bias.end()};
}

/// Calls make(tensor, window). Of frames, one for each step of time, it makes one tall picture,
/// with so much between them that no window which counts reaches from one into the next.
int over_frames(LayerCall& call, int tensor, const Sliding& s,
                const std::function<int(int, const Sliding&)>& make) {
  const Shape from = call.shape(tensor);
  if (from.rank < 4) return make(tensor, s);
  const int reach = (s.kernel.h - 1) * s.dilation.h + 1, step = s.stride.h;
  const int rows = from[1] + s.pad.top + s.pad.bottom, tall = nnom::round_up(rows, step);
  if (rows < reach) call.config.site().fail("the kernel is larger than the input");
  if (int64_t{tall} * (from.size() / from[1]) > kMaxElements)
    call.config.site().fail("its input is too large with its border");
  nnom::Pad border;
  border.before[1] = s.pad.top;
  border.after[1] = tall - from[1] - s.pad.top;
  if (border.any()) tensor = call.add(border, {tensor}, "/border");
  tensor = call.reshape(tensor, {3, {from[0] * tall, from[2], from[3]}}, "/film");
  Sliding own = s;
  own.pad.top = 0;
  own.pad.bottom = std::max(reach - step, 0);
  const int made = make(tensor, own);
  const nnom::Image out = nnom::image(call.shape(made));
  nnom::Slice frames;
  frames.out = {4, {from[0], tall / step, out.w, out.c}};
  tensor = call.reshape(made, frames.out, "/shape");
  frames.out.d[1] = (rows - reach) / step + 1;
  return frames.out == call.shape(tensor) ? tensor : call.add(frames, {tensor}, "/rows");
}

/// A filter for each input channel, or `multiplier` of them.
int add_depthwise(LayerCall& call, int tensor, const Sliding& s, int multiplier,
                  std::span<const float> weights, std::vector<float> bias) {
  if (multiplier == 1)
    return call.add(with<nnom::DepthwiseConv2D>(s), {tensor}, "", {weights.begin(), weights.end()},
                    std::move(bias));
  auto op = with<nnom::Conv2D>(s);
  op.groups = call.shape(tensor).back();
  op.out.c = op.groups * multiplier;
  return call.add(op, {tensor}, "", transposed(weights, static_cast<size_t>(op.out.c)),
                  std::move(bias));
}

/// The depth multiplier: small enough that the output's channels are a sensible number.
int multiplier_of(const LayerCall& call, int channels) {
  return call.config.integer_or("depth_multiplier", 1, 1, kMaxElements / channels);
}

}  // namespace

template <int axes>
int conv(LayerCall& call) {
  const int tensor = call.input_of_rank(axes + 1);
  const Sliding s = sliding(call, tensor, axes);
  auto op = with<nnom::Conv2D>(s);
  op.groups = call.config.integer_or("groups", 1, 1, kMaxChannels);
  op.out.c = call.config.integer("filters", 1, kMaxChannels);
  const int channels = call.shape(tensor).back();
  if (channels % op.groups || op.out.c % op.groups)
    call.config.site().fail("{} channels and {} filters can't be split into {} groups", channels,
                            op.out.c, op.groups);
  const auto weights =
      call.weight("kernel", kernel_shape(s.kernel, axes, {channels / op.groups, op.out.c}));
  return over_frames(call, tensor, s, [&](int frames, const Sliding& own) {
    auto each = with<nnom::Conv2D>(own);
    each.groups = op.groups;
    each.out.c = op.out.c;
    return activate(call,
                    call.add(each, {frames}, "", transposed(weights, static_cast<size_t>(op.out.c)),
                             bias_of(call, op.out.c)));
  });
}
template int conv<1>(LayerCall&);
template int conv<2>(LayerCall&);

template <int axes>
int depthwise_conv(LayerCall& call) {
  const int tensor = call.input_of_rank(axes + 1);
  const Sliding s = sliding(call, tensor, axes);
  const int channels = call.shape(tensor).back();
  const int multiplier = multiplier_of(call, channels);
  const auto weights = call.weight("kernel", kernel_shape(s.kernel, axes, {channels, multiplier}));
  return over_frames(call, tensor, s, [&](int frames, const Sliding& own) {
    return activate(call, add_depthwise(call, frames, own, multiplier, weights,
                                        bias_of(call, channels * multiplier)));
  });
}
template int depthwise_conv<1>(LayerCall&);
template int depthwise_conv<2>(LayerCall&);

template <int axes>
int separable_conv(LayerCall& call) {
  const int tensor = call.input_of_rank(axes + 1);
  const Sliding s = sliding(call, tensor, axes);
  const int channels = call.shape(tensor).back();
  const int multiplier = multiplier_of(call, channels);
  const auto weights =
      call.weight("depthwise_kernel", kernel_shape(s.kernel, axes, {channels, multiplier}));
  auto op = with<nnom::Conv2D>({{1, 1}, {1, 1}, {1, 1}, {}});
  op.out.c = call.config.integer("filters", 1, kMaxChannels);
  const auto mix = call.weight("pointwise_kernel",
                               kernel_shape(op.kernel, axes, {channels * multiplier, op.out.c}));
  return over_frames(call, tensor, s, [&](int frames, const Sliding& own) {
    const int middle = add_depthwise(call, frames, own, multiplier, weights, {});
    return activate(
        call, call.add(op, {middle}, "/pointwise", transposed(mix, static_cast<size_t>(op.out.c)),
                       bias_of(call, op.out.c)));
  });
}
template int separable_conv<1>(LayerCall&);
template int separable_conv<2>(LayerCall&);

/// Over several rows it is a 1x1 convolution.
int dense(LayerCall& call) {
  int tensor = call.input();
  const View view = view_of(call.session(), tensor);
  const bool flat = view.dims.size() == 1;
  if (!flat) tensor = plain(call, tensor);
  const Shape from = flat ? Shape{1, {call.shape(tensor).size()}} : call.shape(tensor);
  tensor = flat ? call.reshape(tensor, from, "/flat") : tensor;
  const int units = call.config.integer("units", 1, kMaxChannels);
  const auto kernel = call.weight("kernel", {from.back(), units});
  std::vector<float> weights = transposed(kernel, static_cast<size_t>(units));
  if (flat) weights = as_it_lies(std::move(weights), view);
  std::vector<float> bias = bias_of(call, units);
  const int rows = from.size() / from.back();
  if (rows == 1) {
    nnom::Dense op;
    op.out = units;
    return activate(call, call.add(op, {tensor}, "", std::move(weights), std::move(bias)));
  }
  auto op = with<nnom::Conv2D>({{1, 1}, {1, 1}, {1, 1}, {}});
  op.out.c = units;
  if (from.rank <= 3)
    return activate(call, call.add(op, {tensor}, "", std::move(weights), std::move(bias)));
  Shape to = from;
  to.d[to.rank - 1] = units;
  const int table = call.reshape(tensor, {2, {rows, from.back()}}, "/rows");
  const int out = call.add(op, {table}, "", std::move(weights), std::move(bias));
  if (int64_t{rows} * units > kMaxElements) call.config.site().fail("its output is too large");
  return activate(call, call.reshape(out, to, "/shape"));
}

}  // namespace nnomc::keras
