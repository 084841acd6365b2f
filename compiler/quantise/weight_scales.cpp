#include <algorithm>
#include <cmath>

#include "compiler/quantise/data.hpp"

namespace nnomc {
namespace {

/// The finest scale of weights at which a bias fits 30 bits.
double bias_scale(double bias, double in_scale) { return std::abs(bias) / in_scale / (1 << 30); }

WeightScales as_stored(const StoredWeights& stored, size_t channels) {
  WeightScales w;
  w.per_channel = stored.scale.size() > 1;
  w.used.assign(channels, true);
  for (size_t c = 0; c < channels; ++c) {
    w.scale.push_back(static_cast<double>(stored.scale[w.per_channel ? c : 0]));
    w.bias.push_back(stored.bias.empty() ? 0 : static_cast<double>(stored.bias[c]));
  }
  return w;
}

}  // namespace

WeightScales weight_scales(const Node& node, const NodeScales& scales) {
  const size_t channels = info(node.op).channels(node.op);
  if (node.stored) return as_stored(*node.stored, channels);
  const Quantisation in = scales.in[0], out = scales.out;
  const bool power_of_two = scales.scheme == Scheme::power_of_two;
  WeightScales w{scales.per_channel, std::vector<double>(channels), std::vector<double>(channels),
                 std::vector<bool>(channels)};
  std::vector<double> real(channels);
  for (size_t c = 0; c < channels; ++c) {
    const ChannelWeights own = channel_weights(node, c);
    double largest = 0, sum = 0;
    for (size_t k = 0; k < own.count; ++k) {
      const double size = std::abs(static_cast<double>(node.weights[own[k]]));
      largest = std::max(largest, size), sum += size;
    }
    real[c] = node.bias.empty() ? 0 : static_cast<double>(node.bias[c]);
    w.used[c] = largest > 0 && !stays_outside(real[c], sum * most_of(in), out);
    // One that stays outside stays so however its bias is rounded.
    if (!w.used[c])
      real[c] = std::clamp(real[c], dequantise(256 * out.lowest(), out),
                           dequantise(256 * out.highest(), out));
    w.scale[c] = std::max(w.used[c] ? largest / (power_of_two ? 128 : 127) : 0,
                          bias_scale(real[c], in.scale));
    // What is finer than 2^-28 of an output step has no effect.
    if (power_of_two)
      w.scale[c] = power_of_two_above(std::max(w.scale[c], out.scale / in.scale * 0x1p-28));
  }
  const double of_bias = out.scale / in.scale / 1024;  // where it is alone: 1/1024 output step
  const double largest = *std::max_element(w.scale.begin(), w.scale.end());
  for (size_t c = 0; c < channels; ++c) {
    if (!w.per_channel)
      w.scale[c] = largest > 0 ? largest : of_bias;
    else if (!w.used[c])
      w.scale[c] = of_bias;
    w.bias[c] = std::round(real[c] / (in.scale * w.scale[c]));
  }
  return w;
}

}  // namespace nnomc
