#include <algorithm>

#include "compiler/import/onnx_window.hpp"

namespace nnomc::onnx {
namespace {

/// [out][in][taps] to [out][taps][in]; ONNX has the taps last.
std::vector<float> taps_first(const std::vector<double>& from, size_t outs, size_t ins) {
  const size_t taps = from.size() / (outs * ins);
  std::vector<float> to(from.size());
  for (size_t o = 0; o < outs; ++o)
    for (size_t i = 0; i < ins; ++i)
      for (size_t k = 0; k < taps; ++k)
        to[(o * taps + k) * ins + i] = static_cast<float>(from[(o * ins + i) * taps + k]);
  return to;
}

}  // namespace

Values conv(Call& call) {
  const Picture in = picture_of(call);
  const Constant& kernel = call.constant(1);
  if (kernel.dims.size() != static_cast<size_t>(in.axes + 2))
    call.fail("its weights have the shape {}, its input {}", show(kernel.dims),
              show(call.in(0).dims));
  const Dims sizes(kernel.dims.begin() + 2, kernel.dims.end());
  if (const auto given = call.integers("kernel_shape"); given && *given != sizes)
    call.fail("its 'kernel_shape' is {}, its weights have the shape {}", show(*given),
              show(kernel.dims));
  const Sliding s = sliding(call, in, sizes);
  const int64_t outs = kernel.dims[0], ins = kernel.dims[1], groups = call.integer("group", 1);
  const int channels = call.shape(in.tensor).back();
  if (outs < 1 || groups < 1 || groups > channels || ins * groups != channels || outs % groups != 0)
    call.fail("weights of shape {} in {} groups don't fit {} channels", show(kernel.dims), groups,
              channels);
  std::vector<float> bias;
  if (call.has(2)) bias = reals_of(call.constant(2).data);
  const auto out = static_cast<size_t>(outs);
  if (ins == 1 && outs == groups) {
    const std::vector<float> by_tap = taps_first(kernel.data, 1, out);
    return {in.like(call, call.add(with<nnom::DepthwiseConv2D>(s), {in.tensor}, "", by_tap, bias))};
  }
  auto op = with<nnom::Conv2D>(s);
  op.groups = static_cast<int>(groups);
  op.out.c = static_cast<int>(outs);
  return {in.like(call, call.add(op, {in.tensor}, "",
                                 taps_first(kernel.data, out, static_cast<size_t>(ins)), bias))};
}

namespace {

/// The kernel of a transposed convolution, [ins][outs / groups][taps], as [outs][taps][ins] with
/// zeros between groups and between the taps of a dilated one, which it makes larger.
std::vector<float> transposed_kernel(const Constant& kernel, size_t groups, int axes,
                                     nnom::Size dilation, nnom::Size larger) {
  const auto ins = static_cast<size_t>(kernel.dims[0]), each = static_cast<size_t>(kernel.dims[1]);
  const auto h = static_cast<size_t>(axes == 2 ? kernel.dims[2] : 1);
  const auto w = static_cast<size_t>(kernel.dims.back());
  const auto taps = static_cast<size_t>(larger.size()), row = static_cast<size_t>(larger.w);
  const auto dh = static_cast<size_t>(dilation.h), dw = static_cast<size_t>(dilation.w);
  std::vector<float> to(groups * each * taps * ins, 0);
  for (size_t i = 0; i < ins; ++i)
    for (size_t o = 0; o < each; ++o)
      for (size_t y = 0; y < h; ++y)
        for (size_t x = 0; x < w; ++x) {
          const size_t out = i / (ins / groups) * each + o, tap = y * dh * row + x * dw;
          to[(out * taps + tap) * ins + i] =
              static_cast<float>(kernel.data[((i * each + o) * h + y) * w + x]);
        }
  return to;
}

/// What is cut off along an axis (before, after), and what is added (extra).
struct Cut {
  int before, after, extra;
};

/// The cut that leaves `wanted` of `full` elements; the odd one goes to the end, or not.
Cut cut_to(int full, int64_t wanted, bool odd_first) {
  const auto total = static_cast<int>(std::clamp<int64_t>(full - wanted, -kMaxElements, full));
  if (total < 0) return {0, 0, -total};
  const int less = total / 2, more = total - less;
  return odd_first ? Cut{more, less, 0} : Cut{less, more, 0};
}

}  // namespace

Values conv_transpose(Call& call) {
  const Picture in = picture_of(call);
  const Constant& kernel = call.constant(1);
  const int channels = call.shape(in.tensor).back();
  const int64_t groups = call.integer("group", 1);
  if (kernel.dims.size() != static_cast<size_t>(in.axes + 2) || kernel.dims[0] != channels ||
      groups < 1 || groups > channels || channels % groups != 0)
    call.fail("weights of shape {} in {} groups don't fit its input {}", show(kernel.dims), groups,
              show(in.dims));
  const Dims sizes(kernel.dims.begin() + 2, kernel.dims.end());
  if (const auto given = call.integers("kernel_shape"); given && *given != sizes)
    call.fail("its 'kernel_shape' is {}, its weights have the shape {}", show(*given),
              show(kernel.dims));
  const Sliding s = sliding(call, in, sizes);
  const std::string automatic = call.text("auto_pad", "NOTSET");
  nnom::TransposeConv2D op;
  op.stride = s.stride;
  op.kernel = {(s.kernel.h - 1) * s.dilation.h + 1, (s.kernel.w - 1) * s.dilation.w + 1};
  const auto added = call.integers("output_padding").value_or(std::vector<int64_t>{0, 0});
  const auto wanted = call.integers("output_shape");
  const nnom::Image from = nnom::image(call.shape(in.tensor));
  if (added.size() < static_cast<size_t>(in.axes) || (wanted && wanted->size() < added.size() - 1))
    call.fail("its 'output_padding' or 'output_shape' doesn't fit");
  const auto cut = [&](int axis_from_end, int size, int kernel_size, int stride, int before,
                       int after) -> Cut {
    const auto at = added.size() - static_cast<size_t>(axis_from_end);
    const int64_t extra = added[at];
    if (extra < 0 || extra > stride + kernel_size) call.fail("its 'output_padding' is too large");
    if (int64_t{size} * stride > kMaxTensor) call.fail("its output is too large");
    const int full = (size - 1) * stride + kernel_size + static_cast<int>(extra);
    Cut c{before, after, 0};
    if (wanted)
      c = cut_to(full, (*wanted)[wanted->size() - static_cast<size_t>(axis_from_end)],
                 automatic == "SAME_LOWER");
    else if (automatic.starts_with("SAME"))
      c = cut_to(full, int64_t{size} * stride, automatic == "SAME_LOWER");
    c.extra += static_cast<int>(extra);
    return c;
  };
  const Cut x = cut(1, from.w, op.kernel.w, op.stride.w, s.pad.left, s.pad.right);
  const Cut y = in.axes == 2 ? cut(2, from.h, op.kernel.h, op.stride.h, s.pad.top, s.pad.bottom)
                             : Cut{0, 0, 0};
  op.pad = {y.before, x.before, y.after, x.after};
  op.extra = {y.extra, x.extra};
  op.out.c = static_cast<int>(kernel.dims[1] * groups);
  if (int64_t{op.out.c} * channels * op.kernel.size() > kMaxElements)
    call.fail("its weights are too many");
  std::vector<float> bias;
  if (call.has(2)) bias = reals_of(call.constant(2).data);
  return {in.like(call, call.add(op, {in.tensor}, "",
                                 transposed_kernel(kernel, static_cast<size_t>(groups), in.axes,
                                                   s.dilation, op.kernel),
                                 std::move(bias)))};
}

}  // namespace nnomc::onnx
