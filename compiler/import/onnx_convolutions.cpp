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

/// A node whose biases are input 2; `scale` is that of its weights, if they were integers.
int linear(Call& call, const Op& op, int in, std::vector<float> weights,
           const std::vector<float>& scale) {
  const Constant* bias = call.has(2) ? &call.constant(2) : nullptr;
  const int out = call.add(op, {in}, "", std::move(weights),
                           bias ? reals_of(bias->data) : std::vector<float>{});
  call.keep_integers(scale, bias);
  return out;
}

/// The window of a kernel [.., .., taps].
Sliding window_of(const Call& call, const Picture& in, const Constant& kernel) {
  const Dims sizes(kernel.dims.begin() + 2, kernel.dims.end());
  if (const auto given = call.integers("kernel_shape"); given && *given != sizes)
    call.fail("its 'kernel_shape' is {}, its weights have the shape {}", show(*given),
              show(kernel.dims));
  return sliding(call, in, sizes);
}

}  // namespace

Values conv(Call& call) {
  const Picture in = picture_of(call);
  const Constant& kernel = call.constant(1);
  if (kernel.dims.size() != static_cast<size_t>(in.axes + 2))
    call.fail("its weights have the shape {}, its input {}", show(kernel.dims),
              show(call.in(0).dims));
  const Sliding s = window_of(call, in, kernel);
  const int64_t outs = kernel.dims[0], ins = kernel.dims[1], groups = call.integer("group", 1);
  const int channels = call.shape(in.tensor).back();
  if (outs < 1 || groups < 1 || groups > channels || ins * groups != channels || outs % groups != 0)
    call.fail("weights of shape {} in {} groups don't fit {} channels", show(kernel.dims), groups,
              channels);
  check_output(call, in, s, outs);
  const auto out = static_cast<size_t>(outs);
  if (ins == 1 && outs == groups)
    return {in.like(call, linear(call, with<nnom::DepthwiseConv2D>(s), in.tensor,
                                 taps_first(kernel.data, 1, out), scales_along(kernel, 0)))};
  auto op = with<nnom::Conv2D>(s);
  op.groups = static_cast<int>(groups);
  op.out.c = static_cast<int>(outs);
  return {in.like(
      call, linear(call, op, in.tensor, taps_first(kernel.data, out, static_cast<size_t>(ins)),
                   scales_along(kernel, 0)))};
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

/// One axis of a transposed convolution.
struct Reach {
  int64_t size, kernel, stride;  ///< of its input, of the kernel with its gaps
  int before, after;             ///< as 'pads' says
};

/// What is cut off the result along an axis (before, after), and what is added at its end.
struct Cut {
  int before, after, extra;
};

/// `at` counts the axes of a picture from their end.
Cut cut(const Call& call, const Reach& r, size_t at) {
  const auto entry = [&](const char* name) -> std::optional<int64_t> {
    const auto list = call.integers(name);
    if (!list) return {};
    if (list->size() < at) call.fail("'{}' is {}", name, show(*list));
    return (*list)[list->size() - at];
  };
  const int64_t extra = entry("output_padding").value_or(0);
  if (extra < 0 || extra > r.stride + r.kernel) call.fail("'output_padding' is too large");
  const std::string automatic = call.text("auto_pad", "NOTSET");
  std::optional<int64_t> wanted = entry("output_shape");
  if (!wanted && automatic.starts_with("SAME")) wanted = r.size * r.stride;
  const int64_t full = (r.size - 1) * r.stride + r.kernel + extra;
  if (full > kMaxTensor || wanted.value_or(1) < 1 || wanted.value_or(1) > kMaxTensor)
    call.fail("its output is empty or too large");
  if (!wanted) return {r.before, r.after, static_cast<int>(extra)};
  const auto total = static_cast<int>(full - *wanted), more = static_cast<int>(extra);
  if (total < 0) return {0, 0, more - total};
  const int half = total / 2;  // an odd one is cut off the end, but for SAME_LOWER
  return automatic == "SAME_LOWER" ? Cut{total - half, half, more} : Cut{half, total - half, more};
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
  const Sliding s = window_of(call, in, kernel);
  nnom::TransposeConv2D op;
  op.stride = s.stride;
  op.kernel = {(s.kernel.h - 1) * s.dilation.h + 1, (s.kernel.w - 1) * s.dilation.w + 1};
  const nnom::Image from = nnom::image(call.shape(in.tensor));
  const Cut x = cut(call, {from.w, op.kernel.w, op.stride.w, s.pad.left, s.pad.right}, 1);
  Cut y{0, 0, 0};
  if (in.axes == 2) y = cut(call, {from.h, op.kernel.h, op.stride.h, s.pad.top, s.pad.bottom}, 2);
  op.pad = {y.before, x.before, y.after, x.after};
  op.extra = {y.extra, x.extra};
  const int64_t outs = kernel.dims[1] * groups;
  const int64_t h = (from.h - 1) * int64_t{op.stride.h} + op.kernel.h + y.extra;
  const int64_t w = (from.w - 1) * int64_t{op.stride.w} + op.kernel.w + x.extra;
  if (!is_small({outs, h, w})) call.fail("its output is too large");
  if (!is_small({outs, channels, op.kernel.h, op.kernel.w})) call.fail("its weights are too many");
  op.out.c = static_cast<int>(outs);
  std::vector<float> weights =
      transposed_kernel(kernel, static_cast<size_t>(groups), in.axes, s.dilation, op.kernel);
  return {in.like(call, linear(call, op, in.tensor, std::move(weights),
                               scales_along(kernel, groups == 1 ? 1 : SIZE_MAX)))};
}

}  // namespace nnomc::onnx
