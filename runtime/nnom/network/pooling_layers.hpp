/// \file
/// Pooling by the names that NNoM's users know.
#pragma once

#include "nnom/network/layers.hpp"

namespace nnom::layers {

template <class Op>
constexpr auto pooling(Window2D w, int rank) {
  return sliding<Op>(w, rank);
}
/// {h, w, c} -> {h', w', c}. The stride is the kernel unless one is given.
constexpr auto max_pool(Size kernel, Size stride = {0, 0}, Padding padding = valid) {
  return pooling<MaxPool2D>({kernel, stride.h ? stride : kernel, {1, 1}, padding}, 3);
}
constexpr auto avg_pool(Size kernel, Size stride = {0, 0}, Padding padding = valid) {
  return pooling<AveragePool2D>({kernel, stride.h ? stride : kernel, {1, 1}, padding}, 3);
}
/// The range of sums follows from the input's unless it is given.
constexpr auto sum_pool(Size kernel, Size stride = {0, 0}, Padding padding = valid,
                        Quantisation out = unknown) {
  auto l = pooling<SumPool2D>({kernel, stride.h ? stride : kernel, {1, 1}, padding}, 3);
  l.settings.out = out;
  return l;
}
/// The border is that of the sums.
struct SlidesSums : Slides {
  constexpr const char* operator()(DynamicSumPool2D& op, const Shape& in) const {
    return Slides::operator()(op.pool, in);
  }
};
/// Sums whose scale is chosen when they are made: {h, w, c} -> {h' * w' * c + 1}, the last of which
/// is a shift: the scale is that of the input times 2^shift. Only the application can read it.
constexpr auto dynamic_sum_pool(Size kernel, Size stride = {0, 0}, Padding padding = valid) {
  Layer<DynamicSumPool2D, SlidesSums> l;
  l.op.pool = sum_pool(kernel, stride).op;
  l.prepare.padding = padding;
  return l;
}
/// {steps, c} -> {steps', c}.
constexpr auto max_pool1d(int kernel, int stride = 0, Padding padding = valid) {
  return pooling<MaxPool2D>({{1, kernel}, {1, stride ? stride : kernel}, {1, 1}, padding}, 2);
}
constexpr auto sum_pool1d(int kernel, int stride = 0, Padding padding = valid,
                          Quantisation out = unknown) {
  auto l = pooling<SumPool2D>({{1, kernel}, {1, stride ? stride : kernel}, {1, 1}, padding}, 2);
  l.settings.out = out;
  return l;
}
constexpr auto avg_pool1d(int kernel, int stride = 0, Padding padding = valid) {
  return pooling<AveragePool2D>({{1, kernel}, {1, stride ? stride : kernel}, {1, 1}, padding}, 2);
}

/// Settles which axes a global pooling takes: all but the channels.
struct AllButChannels {
  constexpr const char* operator()(auto& op, const Shape& in) const {
    if (in.rank < 2) return "its input must have an axis besides the channels";
    for (int i = 0; i + 1 < in.rank; ++i) op.axes[i] = true;
    return nullptr;
  }
};
/// {..., c} -> {c}.
constexpr Layer<ReduceMax, AllButChannels> global_max_pool() { return {}; }
constexpr Layer<Mean, AllButChannels> global_avg_pool(Quantisation out = unknown) {
  Layer<Mean, AllButChannels> l;
  l.settings.out = out;
  return l;
}
constexpr Layer<Sum, AllButChannels> global_sum_pool(Quantisation out = unknown) {
  Layer<Sum, AllButChannels> l;
  l.settings.out = out;
  return l;
}

}  // namespace nnom::layers
