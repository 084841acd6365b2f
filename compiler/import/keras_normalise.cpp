#include <algorithm>

#include "compiler/import/keras_elementwise.hpp"
#include "compiler/import/moments.hpp"

namespace nnomc::keras {
namespace {

/// `tensor` times "gamma" plus "beta", where the layer has them, one for each entry of `axes` (of
/// Keras, without the batch). The last node bears the layer's name.
int scaled_and_shifted(LayerCall& call, int tensor, int factor, const std::vector<int>& axes,
                       const char* gamma, bool center) {
  const bool scale = call.config.flag("scale", true);
  const int rank = call.shape(tensor).rank;
  std::vector<int> dims, wide(static_cast<size_t>(rank), 1);
  for (const int axis : axes) {
    const int n = call.shape(tensor)[call.place_of(axis)];
    dims.push_back(n);
    wide[static_cast<size_t>(axis)] = n;
  }
  const auto values = [&](const char* variable) {
    return numbers(call, wide, call.weight(variable, dims));
  };
  int out = times(call, tensor, factor, scale || center ? "/scaled" : "");
  if (scale) out = times(call, out, values(gamma), center ? "/gamma" : "");
  return center ? plus(call, out, values("beta")) : out;
}

/// The axes in field "axis" as Keras counts them, without the batch and in ascending order.
std::vector<int> axes_of(const LayerCall& call, int rank) {
  std::vector<int> axes = call.axes("axis", -1, rank);
  const std::vector<int>& order = call.arrangement.order;
  if (!order.empty())
    for (int& axis : axes) axis = order[static_cast<size_t>(axis)];
  std::sort(axes.begin(), axes.end());
  if (axes.empty() || std::adjacent_find(axes.begin(), axes.end()) != axes.end())
    call.config.site().fail("its 'axis' names no axis, or one twice");
  return axes;
}

std::vector<int> places_of(const LayerCall& call, std::vector<int> axes) {
  for (int& axis : axes) axis = call.place_of(axis);
  return axes;
}

/// 1 / sqrt(the sum or mean of squares + epsilon), or of no less than epsilon.
template <class O>
int inverse_length(LayerCall& call, int tensor, const std::vector<int>& axes, double epsilon,
                   bool at_least) {
  int sum = apply(call, tensor, nnom::Function::square, "/square");
  sum = reduced<O>(call, sum, axes, "/sum");
  sum = at_least ? elementwise(call, nnom::Maximum{}, {sum, epsilon}, "/epsilon")
                 : plus(call, sum, epsilon, "/epsilon");
  return apply(call, sum, nnom::Function::rsqrt, "/inverse");
}

}  // namespace

int layer_normalization(LayerCall& call) {
  const int tensor = call.input();
  const std::vector<int> axes = axes_of(call, call.shape(tensor).rank);
  const double epsilon = double{call.config.number("epsilon", 1e-3F)};
  if (call.config.flag("rms_scaling", false))
    call.config.site().fail("not supported: 'rms_scaling'. Use RMSNormalization");
  const auto m = moments(call, tensor, places_of(call, axes), Value(epsilon));
  return scaled_and_shifted(call, m.centred, m.inverse, axes, "gamma",
                            call.config.flag("center", true));
}

int rms_normalization(LayerCall& call) {
  const int tensor = call.input();
  const std::vector<int> axes = axes_of(call, call.shape(tensor).rank);
  const double epsilon = double{call.config.number("epsilon", 1e-6F)};
  const int inverse =
      inverse_length<nnom::Mean>(call, tensor, places_of(call, axes), epsilon, false);
  return scaled_and_shifted(call, tensor, inverse, axes, "scale", false);
}

int unit_normalization(LayerCall& call) {
  const int tensor = call.input();
  const std::vector<int> axes = axes_of(call, call.shape(tensor).rank);
  const double epsilon = double{call.config.number("epsilon", 1e-12F)};
  return times(call, tensor,
               inverse_length<nnom::Sum>(call, tensor, places_of(call, axes), epsilon, true));
}

/// Each group of channels is an axis of its own meanwhile.
int group_normalization(LayerCall& call) {
  const int tensor = call.input();
  const Config& config = call.config;
  const Shape from = call.shape(tensor);
  const int channels = from.back();
  if (from.rank > 5 || call.axis("axis", -1, from.rank) != from.rank - 1)
    config.site().fail("not supported: groups along an axis that isn't the last");
  int groups = config.integer_or("groups", 32, -1, channels);
  if (groups == -1) groups = channels;
  if (groups == 0 || channels % groups)
    config.site().fail("{} channels can't be split into {} groups", channels, groups);
  Shape split = from;
  split.d[split.rank - 1] = groups;
  split.d[split.rank++] = channels / groups;
  std::vector<int> axes;
  for (int i = 0; i < split.rank; ++i)
    if (i != split.rank - 2) axes.push_back(i);
  const auto m = moments(call, call.reshape(tensor, split, "/groups"), axes,
                         Value(double{config.number("epsilon", 1e-3F)}));
  int out = times(call, m.centred, m.inverse, "/scaled");
  out = call.reshape(out, from, "/shape");
  const bool scale = config.flag("scale", true), center = config.flag("center", true);
  const auto values = [&](const char* variable, bool wanted, float otherwise) {
    std::vector<float> data(static_cast<size_t>(channels), otherwise);
    if (wanted) std::ranges::copy(call.weight(variable, {channels}), data.begin());
    return data;
  };
  if (!scale && !center) return out;
  return call.scale(out, values("gamma", scale, 1), values("beta", center, 0));
}

}  // namespace nnomc::keras
