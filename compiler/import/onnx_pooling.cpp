#include "compiler/import/onnx_window.hpp"

namespace nnomc::onnx {
namespace {

/// Border after an axis of `size` that makes room for a last window that is only partly inside:
/// it must begin before the border does.
int room(int size, int before, int after, int kernel, int stride) {
  const int span = size + before + after - kernel;
  int windows = span < 0 ? 1 : (span + stride - 1) / stride + 1;
  if ((windows - 1) * stride >= size + before) --windows;
  return std::max((windows - 1) * stride + kernel - size - before, after);
}

Sliding window(const Call& call, const Picture& in) {
  const auto kernel = call.integers("kernel_shape");
  if (!kernel) call.fail("'kernel_shape' is missing");
  Sliding s = sliding(call, in, *kernel);
  const nnom::Image size = nnom::image(call.shape(in.tensor));
  if (call.flag("ceil_mode", false) && call.text("auto_pad", "NOTSET") == "NOTSET") {
    const auto span = [](int k, int d) { return (k - 1) * d + 1; };
    s.pad.bottom =
        room(size.h, s.pad.top, s.pad.bottom, span(s.kernel.h, s.dilation.h), s.stride.h);
    s.pad.right = room(size.w, s.pad.left, s.pad.right, span(s.kernel.w, s.dilation.w), s.stride.w);
  }
  return s;
}

}  // namespace

Values max_pool(Call& call) {
  const Picture in = picture_of(call);
  return {in.like(call, call.add(with<nnom::MaxPool2D>(window(call, in)), {in.tensor}))};
}

Values average_pool(Call& call) {
  Picture in = picture_of(call);
  Sliding s = window(call, in);
  if (call.flag("count_include_pad", false) && s.pad.any()) {
    // Zeros are counted, but not what ceil_mode adds.
    nnom::Pad op;
    op.pad = call.text("auto_pad", "NOTSET") == "NOTSET"
                 ? sliding(call, in, *call.integers("kernel_shape")).pad
                 : s.pad;
    s.pad = {0, 0, s.pad.bottom - op.pad.bottom, s.pad.right - op.pad.right};
    if (op.pad.any()) in.tensor = call.add(op, {in.tensor}, "/pad");
  }
  return {in.like(call, call.add(with<nnom::AveragePool2D>(s), {in.tensor}))};
}

Values global_average_pool(Call& call) {
  const Picture in = picture_of(call);
  nnom::Mean op;
  op.rank = in.axes + 1;
  return {in.like(call, call.add(op, {in.tensor}))};
}

Values global_max_pool(Call& call) {
  const Picture in = picture_of(call);
  const nnom::Image size = nnom::image(call.shape(in.tensor));
  return {in.like(call,
                  call.add(with<nnom::MaxPool2D>({{size.h, size.w}, {size.h, size.w}, {1, 1}, {}}),
                           {in.tensor}))};
}

}  // namespace nnomc::onnx
