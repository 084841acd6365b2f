#include "compiler/import/onnx_window.hpp"

#include <algorithm>
#include <array>

namespace nnomc::onnx {
namespace {

/// Largest kernel, stride, dilation or border.
constexpr int64_t kMaxWindow = 1 << 15;

nnom::Size size_along(const Call& call, const char* name, int axes,
                      const std::vector<int64_t>& sizes) {
  if (sizes.size() != static_cast<size_t>(axes))
    call.fail("'{}' is {} for a picture of {} axes", name, show(sizes), axes);
  for (const int64_t n : sizes)
    if (n < 1 || n > kMaxWindow) call.fail("'{}' is {}", name, show(sizes));
  return {axes == 2 ? static_cast<int>(sizes[0]) : 1, static_cast<int>(sizes.back())};
}

nnom::Border border(const Call& call, int axes) {
  const std::vector<int64_t> pads =
      call.integers("pads").value_or(std::vector<int64_t>(static_cast<size_t>(axes) * 2, 0));
  if (pads.size() != static_cast<size_t>(axes) * 2)
    call.fail("'pads' is {} for a picture of {} axes", show(pads), axes);
  std::array<int, 4> p{};
  for (size_t i = 0; i < pads.size(); ++i) {
    if (pads[i] < 0 || pads[i] > kMaxWindow) call.fail("not supported: 'pads' {}", show(pads));
    p[i] = static_cast<int>(pads[i]);
  }
  return axes == 2 ? nnom::Border{p[0], p[1], p[2], p[3]} : nnom::Border{0, p[0], 0, p[1]};
}

}  // namespace

Value Picture::like(const Call& call, int made) const {
  const Shape& shape = call.shape(made);
  Dims to = dims;
  for (size_t i = 0; i < order.size(); ++i)
    to[static_cast<size_t>(order[i])] = shape[static_cast<int>(i)];
  return call.made(made, std::move(to), order);
}

Picture picture_of(Call& call) {
  const Value& in = call.in(0);
  if (in.rank() < 3 || in.rank() > 4)
    call.fail(
        "not supported: an input of shape {}; it should be [batch, channels, width] or "
        "[batch, channels, height, width]",
        show(in.dims));
  Picture picture{-1, in.rank() - 2, {2, 1}, in.dims};
  if (in.rank() == 4) picture.order = {2, 3, 1};
  if (in[0] != 1) picture.order = {0, 2, 1};  // each row of a picture is a sample
  picture.tensor = call.arrange(in, picture.order);
  return picture;
}

void check_output(const Call& call, const Picture& in, const Sliding& s, int64_t channels) {
  const nnom::Image from = nnom::image(call.shape(in.tensor));
  const int64_t h = int64_t{from.h} + s.pad.top + s.pad.bottom;
  const int64_t w = int64_t{from.w} + s.pad.left + s.pad.right;
  if (!is_small({channels, h / s.stride.h + 1, w / s.stride.w + 1}))
    call.fail("its output is too large");
}

std::optional<nnom::Size> sizes_of(const Call& call, const char* name, int axes) {
  const auto sizes = call.integers(name);
  return sizes ? std::optional(size_along(call, name, axes, *sizes)) : std::nullopt;
}

Sliding sliding(const Call& call, const Picture& in, const Dims& kernel) {
  Sliding s;
  s.kernel = size_along(call, "kernel_shape", in.axes, kernel);
  s.stride = sizes_of(call, "strides", in.axes).value_or(nnom::Size{1, 1});
  s.dilation = sizes_of(call, "dilations", in.axes).value_or(nnom::Size{1, 1});
  const std::string automatic = call.text("auto_pad", "NOTSET");
  call.integers("pads");  // of no meaning where they are automatic
  if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
    s.pad = nnom::same_border(nnom::image(call.shape(in.tensor)), s.kernel, s.stride, s.dilation);
    if (automatic == "SAME_LOWER") {
      std::swap(s.pad.top, s.pad.bottom);
      std::swap(s.pad.left, s.pad.right);
    }
  } else if (automatic == "NOTSET") {
    s.pad = border(call, in.axes);
  } else if (automatic != "VALID") {
    call.fail("'auto_pad' is '{}'", automatic);
  }
  return s;
}

}  // namespace nnomc::onnx
