/// \file
/// The channels of a graph's tensors, which are indices along their last axis: what is known of
/// their values whatever the inputs, and which ops keep them apart.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "compiler/graph.hpp"
#include "compiler/numbers.hpp"

namespace nnomc {

/// What a channel's values lie in: stored ones less their zero point, or real ones.
struct Bounds {
  double lo = 0, hi = 0;

  bool constant() const { return lo == hi; }
};

/// Those of each channel.
using Channels = std::vector<Bounds>;

/// A Conv2D, DepthwiseConv2D or Dense as sums: output channel c is made of
///
///     bias[c] + sum over the taps inside the input, and its channels that c reads, of
///               weight(c, tap, i) * value
///
/// where weights and biases of a quantised layer are the whole numbers that it computes with.
struct Sums {
  size_t outputs = 0, taps = 1, reads = 0;  ///< channels; taps; channels of the input a tap reads
  std::vector<double> weights, bias;        ///< [outputs][taps][reads]; [outputs]
  std::vector<size_t> first;  ///< of the input's channels, the one that output c reads first
  /// The sets of taps that lie inside the input, of all output pixels: one where there's no border.
  std::vector<std::vector<size_t>> cases{};

  double weight(size_t c, size_t tap, size_t i) const {
    return weights[(c * taps + tap) * reads + i];
  }
  /// What the channels that read `value` in place i add to output c, where it is the same for all
  /// pixels; else none.
  std::optional<double> share(size_t c, size_t i, double value) const;
};
/// The sums of a node; none where it is another op, its weights aren't as the file stores them, or
/// its kernel is very large.
std::optional<Sums> sums_of(const Graph& graph, const Node& node, const Numbers& numbers);

/// The scales of a node's tensors, as their graph has them.
NodeScales node_scales(const Graph& graph, const Node& node);

/// What holds for the channels of every tensor, for a graph that computes in `numbers`: a channel
/// is constant if its weights are zero, if what they read is constant, or if its sum always lies
/// beyond the same end of its range. It is worked out with the kernels' own arithmetic.
std::vector<Channels> channel_bounds(const Graph& graph, const Numbers& numbers);

/// Called with an input of a node, a channel of it, and the output's channel that depends on it.
using Tie = std::function<void(size_t input, size_t channel, size_t output)>;

/// Calls tie() for all channels that a node keeps apart from each other: every channel of the
/// output is made of those tied to it alone, and the node is as well there without them. False if
/// its op is none of those.
bool tie_channels(const Graph& graph, const Node& node, const Tie& tie);

}  // namespace nnomc
