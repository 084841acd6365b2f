#include <algorithm>
#include <utility>

#include "compiler/import/keras_elementwise.hpp"

namespace nnomc::keras {
namespace {

constexpr int kMaxChannels = 1 << 24;

/// One axis of a transposed convolution: what is cut off the result at its two ends, and what is
/// added at its end.
struct Cut {
  int before, after, extra;
};

/// `kernel` is that with its gaps. Formulas: Keras's deconv_output_length, and TensorFlow's border
/// of the convolution that would lead back.
Cut cut(int64_t in, int64_t kernel, int64_t stride, bool same, std::optional<int64_t> padding) {
  const int64_t full = (in - 1) * stride + kernel;
  int64_t out = same ? in * stride : in * stride + std::max(kernel - stride, int64_t{0});
  if (padding) out = (same ? full - kernel / 2 * 2 : full) + *padding;
  if (!same || out >= full) return {0, 0, static_cast<int>(out - full)};
  const auto total = static_cast<int>(full - out);
  return {total / 2, total - total / 2, 0};
}

/// [h][w][out][in] to [out][larger h][larger w][in], with zeros between the taps of a dilated one.
std::vector<float> spread(std::span<const float> kernel, nnom::Size size, nnom::Size dilation,
                          nnom::Size larger, int outs, int ins) {
  std::vector<float> to(static_cast<size_t>(larger.size()) * static_cast<size_t>(outs * ins), 0);
  size_t from = 0;
  for (int y = 0; y < size.h; ++y)
    for (int x = 0; x < size.w; ++x)
      for (int o = 0; o < outs; ++o, from += static_cast<size_t>(ins)) {
        const int tap = y * dilation.h * larger.w + x * dilation.w;
        const auto place = static_cast<std::ptrdiff_t>(o * larger.size() + tap) * ins;
        std::copy_n(kernel.begin() + static_cast<std::ptrdiff_t>(from), ins, to.begin() + place);
      }
  return to;
}

}  // namespace

template <int axes>
int conv_transpose(LayerCall& call) {
  const int tensor = call.input_of_rank(axes + 1);
  const Config& config = call.config;
  const nnom::Size size = config.size("kernel_size", axes, {0, 0});
  if (size.h == 0) config.site().fail("'kernel_size' is missing from its configuration");
  const nnom::Size dilation = config.size("dilation_rate", axes, {1, 1});
  const std::string padding = config.text("padding", "valid");
  if (padding != "valid" && padding != "same")
    config.site().fail("padding '{}' is not supported", padding);
  if (config.integer_or("groups", 1, 1, kMaxChannels) != 1)
    config.site().fail("not supported: 'groups'");
  nnom::TransposeConv2D op;
  op.stride = config.size("strides", axes, {1, 1});
  op.kernel = {(size.h - 1) * dilation.h + 1, (size.w - 1) * dilation.w + 1};
  op.out.c = config.integer("filters", 1, kMaxChannels);
  std::optional<int64_t> more[2];
  if (config.find("output_padding")) {
    const std::vector<int> list = config.integers("output_padding", 0, kMaxWindow);
    if (list.size() != 1 && list.size() != axes)
      config.site().fail("'output_padding' should have {} entries, not {}", axes, list.size());
    more[0] = list.front(), more[1] = list.back();
  }
  const nnom::Image in = nnom::image(call.shape(tensor));
  const Cut x = cut(in.w, op.kernel.w, op.stride.w, padding == "same", more[1]);
  Cut y{0, 0, 0};
  if (axes == 2) y = cut(in.h, op.kernel.h, op.stride.h, padding == "same", more[0]);
  op.pad = {y.before, x.before, y.after, x.after};
  op.extra = {y.extra, x.extra};

  std::vector<int> dims{op.out.c, in.c};
  dims.insert(dims.begin(), size.w);
  if (axes == 2) dims.insert(dims.begin(), size.h);
  const auto kernel = call.weight("kernel", dims);
  if (int64_t{op.kernel.h} * op.kernel.w > kMaxElements / in.c / op.out.c)
    config.site().fail("the model has more than {} weights", kMaxElements);
  std::vector<float> bias;
  if (config.flag("use_bias", true)) {
    const auto values = call.weight("bias", {op.out.c});
    bias.assign(values.begin(), values.end());
  }
  return activate(
      call, call.add(op, {tensor}, "", spread(kernel, size, dilation, op.kernel, op.out.c, in.c),
                     std::move(bias)));
}
template int conv_transpose<1>(LayerCall&);
template int conv_transpose<2>(LayerCall&);

template <int axes>
int up_sampling(LayerCall& call) {
  const int tensor = call.input_of_rank(axes + 1);
  const Config& config = call.config;
  const nnom::Size size = config.size("size", axes, {axes == 1 ? 1 : 2, 2});
  const std::string method = config.text("interpolation", "nearest");
  const nnom::Image in = nnom::image(call.shape(tensor));
  nnom::Resize op;
  if (method == "nearest")
    op.interpolation = nnom::Interpolation::round_prefer_floor;
  else if (method != "bilinear")
    config.site().fail(
        "not supported: 'interpolation' {}. Use nearest or bilinear, and train it again", method);
  if (int64_t{in.size()} * size.size() > kMaxElements)
    config.site().fail("its output is too large");
  op.out = {in.h * size.h, in.w * size.w, in.c};
  return call.add(op, {tensor});
}
template int up_sampling<1>(LayerCall&);
template int up_sampling<2>(LayerCall&);

template <int axes>
int cropping(LayerCall& call) {
  const int tensor = call.input_of_rank(axes + 1), leading = call.arrangement.leading;
  const Config& config = call.config;
  const auto ends = ends_of(config, "cropping", axes);
  nnom::Slice op;
  op.out = call.shape(tensor);
  for (int i = 0; i < axes; ++i) {
    const auto [before, after] = ends[static_cast<size_t>(i)];
    int& n = op.out.d[leading + i];
    if (before + after >= n)
      config.site().fail("it crops {} and {} of {}: nothing is left", before, after, n);
    op.begin[leading + i] = before;
    n -= before + after;
  }
  return op.out == call.shape(tensor) ? tensor : call.add(op, {tensor});
}
template int cropping<1>(LayerCall&);
template int cropping<2>(LayerCall&);

int repeat_vector(LayerCall& call) {
  const int tensor = call.input_of_rank(1);
  const int size = call.shape(tensor).size();
  nnom::Gather op;
  op.indices = {1, {call.config.integer("n", 1, kMaxElements / size)}};
  return call.add(op, {call.reshape(tensor, {2, {1, size}}, "/row")}, "",
                  std::vector<float>(static_cast<size_t>(op.indices.size()), 0));
}

}  // namespace nnomc::keras
