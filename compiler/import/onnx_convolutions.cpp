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
  if (groups < 1 || groups > channels || ins * groups != channels || outs % groups != 0)
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

}  // namespace nnomc::onnx
