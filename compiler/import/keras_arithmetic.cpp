#include <algorithm>
#include <cmath>

#include "compiler/import/keras_layers.hpp"

namespace nnomc::keras {
namespace {

std::vector<float> filled(int count, float value) {
  return std::vector<float>(static_cast<size_t>(count), value);
}

/// `constant` for each entry of the last axis of a tensor. Error if it isn't the same along the
/// other axes.
std::vector<float> per_channel(const LayerCall& call, const Constant& constant, int tensor,
                               std::string_view what) {
  const int channels = call.shape(tensor).back();
  if (constant.data.size() == 1) return filled(channels, constant.data.front());
  if (!call.arrangement.order.empty())
    call.config.site().fail("not supported yet: {} for each entry of an axis, channels first",
                            what);
  if (constant.shape.back() != channels || constant.data.size() != static_cast<size_t>(channels))
    call.config.site().fail(
        "not supported yet: {} of shape {} on {}: it should be one number, or one for each of "
        "the {} channels",
        what, show_shape(constant.shape), to_string(call.shape(tensor)), channels);
  return constant.data;
}

std::vector<float> constant_field(const LayerCall& call, std::string_view key, float otherwise,
                                  int tensor) {
  const Json* value = call.config.find(key);
  if (!value) return filled(call.shape(tensor).back(), otherwise);
  return per_channel(call, call.config.as_constant(*value, key), tensor, key);
}

/// A layer's variable with one value for each channel, or one for all.
std::vector<float> channel_weight(const LayerCall& call, std::string_view variable, int tensor) {
  const int channels = call.shape(tensor).back();
  const auto weight = call.weight(variable, {channels});
  return {weight.begin(), weight.end()};
}

}  // namespace

int batch_normalization(LayerCall& call) {
  const int tensor = call.input();
  const Config& config = call.config;
  const int rank = call.shape(tensor).rank;
  const int axis = call.axis("axis", -1, rank);
  if (config.flag("renorm", false)) config.site().fail("not supported yet: 'renorm'");
  const double epsilon = double{config.number("epsilon", 1e-3F)};
  const int channels = call.shape(tensor)[axis];
  const auto mean = call.weight("moving_mean", {channels});
  const auto variance = call.weight("moving_variance", {channels});
  std::span<const float> gamma, beta;
  if (config.flag("scale", true)) gamma = call.weight("gamma", {channels});
  if (config.flag("center", true)) beta = call.weight("beta", {channels});
  std::vector<float> factors, offsets;
  for (size_t c = 0; c < mean.size(); ++c) {
    const double factor =
        (gamma.empty() ? 1.0 : double{gamma[c]}) / std::sqrt(double{variance[c]} + epsilon);
    factors.push_back(static_cast<float>(factor));
    offsets.push_back(
        static_cast<float>((beta.empty() ? 0.0 : double{beta[c]}) - double{mean[c]} * factor));
  }
  return call.with_axis_last(tensor, axis, "", [&](int moved) {
    return call.scale(moved, std::move(factors), std::move(offsets));
  });
}

int rescaling(LayerCall& call) {
  const int tensor = call.input();
  return call.scale(tensor, constant_field(call, "scale", 1, tensor),
                    constant_field(call, "offset", 0, tensor));
}

int normalization(LayerCall& call) {
  const int tensor = call.input();
  const Config& config = call.config;
  const int rank = call.shape(tensor).rank;
  const Json* axis = config.find("axis");
  const bool all = !axis || (axis->is_array() && axis->empty());
  if (!all && config.axis("axis", -1, rank) != rank - 1)
    config.site().fail("not supported yet: axis {}: use the last, the channels", show(*axis));
  std::vector<float> mean, variance;
  if (config.find("mean")) {
    mean = constant_field(call, "mean", 0, tensor);
    variance = constant_field(call, "variance", 1, tensor);
  } else if (all) {
    mean = filled(call.shape(tensor).back(), call.weight("mean", {}).front());
    variance = filled(call.shape(tensor).back(), call.weight("variance", {}).front());
  } else {
    mean = channel_weight(call, "mean", tensor);
    variance = channel_weight(call, "variance", tensor);
  }
  constexpr double kEpsilon = 1e-7;  // of Keras's back end
  const bool invert = config.flag("invert", false);
  std::vector<float> factors, offsets;
  for (size_t c = 0; c < mean.size(); ++c) {
    const double deviation = std::max(std::sqrt(double{variance[c]}), kEpsilon);
    factors.push_back(static_cast<float>(invert ? deviation : 1 / deviation));
    offsets.push_back(static_cast<float>(invert ? double{mean[c]} : -double{mean[c]} / deviation));
  }
  return call.scale(tensor, std::move(factors), std::move(offsets));
}

}  // namespace nnomc::keras
