/// \file
/// The layers by the names that NNoM's users know. Each gives a Layer for Network::add, hook, merge
/// or active. `out` is the range of the layer's output, given as nnom::range(lo, hi), or its scale
/// and zero point; where it isn't given, it follows from the inputs', or (of layers with weights)
/// is only good for measuring it. Weights are channel of output by channel of output.
#pragma once

#include "nnom/network/layer.hpp"
#include "nnom/window.hpp"

namespace nnom::layers {

enum class Padding : int {
  valid,   ///< none
  same,    ///< the output has ceil(input / stride) pixels
  causal,  ///< before the first step of time, as much as the kernel looks back
};
inline constexpr Padding valid = Padding::valid, same = Padding::same, causal = Padding::causal;

/// How a window slides, in {height, width}; for 1-D layers the width is time.
struct Window2D {
  Size kernel{1, 1}, stride{1, 1}, dilation{1, 1};
  Padding padding = Padding::valid;
  int groups = 1;  ///< of convolutions: input channels and filters in so many groups
};
struct Window1D {
  int kernel = 1, stride = 1, dilation = 1;
  Padding padding = Padding::valid;
  int groups = 1;

  constexpr operator Window2D() const {
    return {{1, kernel}, {1, stride}, {1, dilation}, padding, groups};
  }
};

/// Settles the border of a sliding op.
struct Slides {
  Padding padding = Padding::valid;
  int rank = 3;  ///< that its input must have

  constexpr const char* operator()(auto& op, const Shape& in) const {
    if (in.rank != rank)
      return rank == 3 ? "its input must be {height, width, channels}"
                       : "its input must be {steps, channels}";
    if (min(min(op.stride.h, op.stride.w), min(op.dilation.h, op.dilation.w)) < 1)
      return "strides and dilation must be positive";
    if (padding == Padding::same)
      op.pad = same_border(image(in), op.kernel, op.stride, op.dilation);
    else if (padding == Padding::causal)
      op.pad = {0, span_w(op) - 1, 0, 0};
    return nullptr;
  }
};

template <class Op>
constexpr Layer<Op, Slides> sliding(const Window2D& w, int rank) {
  Layer<Op, Slides> l;
  l.op.kernel = w.kernel, l.op.stride = w.stride, l.op.dilation = w.dilation;
  l.prepare = {w.padding, rank};
  return l;
}
constexpr auto with(auto layer, Weights weights, Bias bias, Quantisation out) {
  layer.settings.weights = weights, layer.settings.bias = bias, layer.settings.out = out;
  return layer;
}

/// {h, w, c} -> {h', w', filters}; weights [filters][kernel h][kernel w][c / groups].
constexpr auto conv2d(int filters, const Window2D& window, Weights weights, Bias bias = {},
                      Quantisation out = unknown) {
  auto l = sliding<Conv2D>(window, 3);
  l.op.out.c = filters, l.op.groups = window.groups;
  return with(l, weights, bias, out);
}
/// {steps, c} -> {steps', filters}; weights [filters][kernel][c / groups].
constexpr auto conv1d(int filters, const Window1D& window, Weights weights, Bias bias = {},
                      Quantisation out = unknown) {
  auto l = sliding<Conv2D>(window, 2);
  l.op.out.c = filters, l.op.groups = window.groups;
  return with(l, weights, bias, out);
}
/// {h, w, c} -> {h', w', c}: a filter for each channel; weights [kernel h][kernel w][c].
constexpr auto dw_conv2d(const Window2D& window, Weights weights, Bias bias = {},
                         Quantisation out = unknown) {
  return with(sliding<DepthwiseConv2D>(window, 3), weights, bias, out);
}
/// {steps, c} -> {steps', c}; weights [kernel][c].
constexpr auto dw_conv1d(const Window1D& window, Weights weights, Bias bias = {},
                         Quantisation out = unknown) {
  return with(sliding<DepthwiseConv2D>(window, 2), weights, bias, out);
}

/// Settles what a transposed convolution cuts off, or adds: `same` gives stride times the pixels.
struct Grows {
  Padding padding = Padding::valid;

  constexpr const char* operator()(TransposeConv2D& op, const Shape& in) const {
    if (in.rank != 3) return "its input must be {height, width, channels}";
    if (padding == Padding::causal) return "it can't be causal";
    if (padding != Padding::same) return nullptr;
    const int h = max(op.kernel.h - op.stride.h, 0), w = max(op.kernel.w - op.stride.w, 0);
    op.pad = {h / 2, w / 2, h - h / 2, w - w / 2};
    op.extra = {max(op.stride.h - op.kernel.h, 0), max(op.stride.w - op.kernel.w, 0)};
    return nullptr;
  }
};
/// {h, w, c} -> {h', w', filters}; weights [filters][kernel h][kernel w][c]. No dilation, no
/// groups.
constexpr auto conv2d_trans(int filters, const Window2D& window, Weights weights, Bias bias = {},
                            Quantisation out = unknown) {
  Layer<TransposeConv2D, Grows> l;
  l.op.kernel = window.kernel, l.op.stride = window.stride, l.op.out.c = filters;
  l.prepare = {window.padding};
  return with(l, weights, bias, out);
}
/// {inputs} -> {units}; weights [units][inputs].
constexpr auto dense(int units, Weights weights, Bias bias = {}, Quantisation out = unknown) {
  Layer<Dense> l;
  l.op.out = units;
  return with(l, weights, bias, out);
}

/// Rows and columns at each side.
constexpr Layer<Pad> zero_padding(Border border) {
  Layer<Pad> l;
  l.op.before[0] = border.top, l.op.after[0] = border.bottom;
  l.op.before[1] = border.left, l.op.after[1] = border.right;
  return l;
}

struct Crops {
  Border border{};

  constexpr const char* operator()(Slice& op, const Shape& in) const {
    if (in.rank != 3) return "its input must be {height, width, channels}";
    if (min(min(border.top, border.left), min(border.bottom, border.right)) < 0)
      return "what it crops must not be negative";
    op.begin[0] = border.top, op.begin[1] = border.left;
    op.out = {3, {in[0] - border.top - border.bottom, in[1] - border.left - border.right, in[2]}};
    return min(op.out[0], op.out[1]) < 1 ? "nothing is left of its input" : nullptr;
  }
};
/// {h, w, c} -> {h - top - bottom, w - left - right, c}.
constexpr Layer<Slice, Crops> cropping(Border border) { return {{}, {}, {border}}; }

struct Grid {
  Size size{2, 2};

  constexpr const char* operator()(Resize& op, const Shape& in) const {
    if (in.rank != 3) return "its input must be {height, width, channels}";
    if (min(size.h, size.w) < 1) return "its size must be positive";
    op.out.h = in[0] * size.h, op.out.w = in[1] * size.w;
    return nullptr;
  }
};
/// {h, w, c} -> {h * size.h, w * size.w, c}, by the nearest pixel or between pixels.
constexpr Layer<Resize, Grid> up_sample(Size size, bool bilinear = false) {
  Layer<Resize, Grid> l;
  l.op.interpolation = bilinear ? Interpolation::linear : Interpolation::round_prefer_floor;
  l.prepare = {size};
  return l;
}

struct Flattens {
  constexpr const char* operator()(Reshape& op, const Shape& in) const {
    op.out = {1, {in.size()}};
    return nullptr;
  }
};
/// All elements in one axis; nothing runs.
constexpr Layer<Reshape, Flattens> flatten() { return {}; }
/// The same elements in other axes; nothing runs.
constexpr Layer<Reshape> reshape(Sizes sizes) { return {{sizes}, {}, {}}; }
/// Axis i of the output is axis order[i] of the input; the first is 0.
constexpr Layer<Transpose> permute(Sizes order) {
  Layer<Transpose> l;
  for (int i = 0; i < order.rank; ++i) l.op.order[i] = order[i];
  return l;
}
/// Over the last axis; in int8 its scale is 1/256, its zero point -128.
constexpr Layer<Softmax> softmax() { return {}; }

/// A function of each element.
constexpr Layer<Activation> activation(Function function, float slope = 0, float threshold = 0,
                                       float high = __builtin_huge_valf()) {
  Layer<Activation> l;
  l.op.function = function, l.op.slope = slope, l.op.threshold = threshold, l.op.high = high;
  return l;
}
constexpr auto relu(float high = __builtin_huge_valf()) {
  return activation(Function::relu, 0, 0, high);
}
constexpr auto relu6() { return relu(6); }
constexpr auto leaky_relu(float slope) { return activation(Function::relu, slope); }
/// x >= high: high; x >= threshold: x; else slope * (x - threshold).
constexpr auto adv_relu(float slope, float high, float threshold) {
  return activation(Function::relu, slope, threshold, high);
}
constexpr auto elu(float slope = 1) { return activation(Function::elu, slope); }
constexpr auto sigmoid() { return activation(Function::sigmoid); }
/// x / 6 + 1/2 within [0, 1].
constexpr auto hard_sigmoid() { return activation(Function::hard_sigmoid, 1.0f / 6, 0.5f); }
constexpr auto tanh() { return activation(Function::tanh); }
/// x within [-1, 1].
constexpr auto hard_tanh() { return activation(Function::clip, 0, -1, 1); }
constexpr auto swish() { return activation(Function::silu); }
constexpr auto hard_swish() { return activation(Function::hard_silu, 1.0f / 6, 0.5f); }
constexpr auto gelu() { return activation(Function::gelu); }
/// x < 0: x * slope of its place; slopes have the input's shape, or one that is broadcast to it.
constexpr Layer<PRelu> prelu(Sizes sizes, Weights slopes, Quantisation out = unknown) {
  Layer<PRelu> l;
  l.op.constant = 1, l.op.constant_shape = sizes;
  l.settings.weights = slopes, l.settings.out = out;
  return l;
}

template <class Op>
constexpr Layer<Op> merging(Quantisation out) {
  Layer<Op> l;
  l.settings.out = out;
  return l;
}
/// Of two tensors, or with Network::merge of any number, broadcast as numpy does.
constexpr auto add(Quantisation out = unknown) { return merging<Add>(out); }
constexpr auto mult(Quantisation out = unknown) { return merging<Mul>(out); }
constexpr auto maximum(Quantisation out = unknown) { return merging<Maximum>(out); }
constexpr auto minimum(Quantisation out = unknown) { return merging<Minimum>(out); }
/// Only for Network::merge.
constexpr Average average(Quantisation out = unknown) { return {out}; }
/// The first less the second.
constexpr auto sub(Quantisation out = unknown) {
  auto l = merging<Add>(out);
  l.op.rule.minus = true;
  return l;
}
/// Up to eight tensors side by side along an axis; -1 is the last.
constexpr Layer<Concat> concat(int axis = -1, Quantisation out = unknown) {
  auto l = merging<Concat>(out);
  l.op.axis = axis;
  return l;
}

}  // namespace nnom::layers
