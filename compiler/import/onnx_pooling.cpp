#include <algorithm>

#include "compiler/import/onnx_elementwise.hpp"
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
  call.integer("storage_order", 0);  // of the indices, which aren't supported
  if (!kernel) call.fail("'kernel_shape' is missing");
  Sliding s = sliding(call, in, *kernel);
  const nnom::Image size = nnom::image(call.shape(in.tensor));
  if (call.flag("ceil_mode", false) && call.text("auto_pad", "NOTSET") == "NOTSET") {
    const auto span = [](int k, int d) { return (k - 1) * d + 1; };
    s.pad.bottom =
        room(size.h, s.pad.top, s.pad.bottom, span(s.kernel.h, s.dilation.h), s.stride.h);
    s.pad.right = room(size.w, s.pad.left, s.pad.right, span(s.kernel.w, s.dilation.w), s.stride.w);
  }
  check_output(call, in, s, call.shape(in.tensor).back());
  return s;
}

/// Reduced over all axes but batch and channels.
template <class O>
Value global(Call& call) {
  const Value& in = call.in(0);
  if (in.rank() < 3) call.fail("its input {} has no pixels", show(in.dims));
  std::vector<int> axes;
  for (int i = 2; i < in.rank(); ++i) axes.push_back(i);
  return reduced<O>(call, in, axes);
}

}  // namespace

Values max_pool(Call& call) {
  const Picture in = picture_of(call);
  Value out = in.like(call, call.add(with<nnom::MaxPool2D>(window(call, in)), {in.tensor}));
  out.type = call.in(0).type;
  return {out};
}

Values average_pool(Call& call) {
  Picture in = picture_of(call);
  Sliding s = window(call, in);
  if (call.flag("count_include_pad", false) && s.pad.any()) {
    // Zeros are counted, but not what ceil_mode adds.
    const nnom::Border pad = sliding(call, in, *call.integers("kernel_shape")).pad;
    s.pad = {0, 0, s.pad.bottom - pad.bottom, s.pad.right - pad.right};
    nnom::Pad op;
    const int row = in.axes - 2, column = in.axes - 1;
    if (row >= 0) op.before[row] = pad.top, op.after[row] = pad.bottom;
    op.before[column] = pad.left, op.after[column] = pad.right;
    if (op.any()) in.tensor = call.add(op, {in.tensor}, "/pad");
  }
  const nnom::Image size = nnom::image(call.shape(in.tensor));
  const bool whole = s.kernel == nnom::Size{size.h, size.w} && s.dilation.size() == 1;
  if (call.session().quantised && whole && !s.pad.any()) {  // which may change the scale
    nnom::Mean op;
    for (int i = 0; i < in.axes; ++i) op.axes[i] = true;
    op.keep = true;
    return {in.like(call, call.add(op, {in.tensor}))};
  }
  return {in.like(call, call.add(with<nnom::AveragePool2D>(s), {in.tensor}))};
}

Values global_average_pool(Call& call) { return {global<nnom::Mean>(call)}; }

Values global_max_pool(Call& call) { return {global<nnom::ReduceMax>(call)}; }

}  // namespace nnomc::onnx
