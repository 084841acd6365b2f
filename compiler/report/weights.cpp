#include "compiler/report/weights.hpp"

#include <algorithm>
#include <cmath>

#include "compiler/quantise/data.hpp"

namespace nnomc {

std::vector<StoredLayer> stored_weights(const Program& program, bool per_channel) {
  std::vector<StoredLayer> layers;
  for (const Node& node : program.graph.nodes) {
    if (!info(node.op).linear || node.weights.empty()) continue;
    NodeScales scales;
    const auto scale_of = [&](int t) { return program.scales[static_cast<std::size_t>(t)]; };
    for (const int t : node.inputs) scales.in.push_back(scale_of(t));
    scales.out = scale_of(node.output);
    scales.per_channel = per_channel;
    scales.reference = program.graph.reference;
    scales.scheme = program.numbers.scheme();
    const WeightScales w = weight_scales(node, scales);
    StoredLayer& layer = layers.emplace_back(StoredLayer{node.name, {}, w.scale, w.bias});
    for (std::size_t c = 0; c < w.scale.size(); ++c) {
      const ChannelWeights own = channel_weights(node, c);
      for (std::size_t k = 0; k < own.count; ++k)
        layer.values.push_back(
            w.used[c]
                ? static_cast<std::int8_t>(std::min(
                      std::round(static_cast<double>(node.weights[own[k]]) / w.scale[c]), 127.0))
                : std::int8_t{0});
    }
  }
  return layers;
}

}  // namespace nnomc
