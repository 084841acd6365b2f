/// \file
/// Quantised graphs for tests, a layer a call.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "compiler/graph.hpp"
#include "nnom/window.hpp"
#include "tests/random_layers.hpp"

namespace nnomc {

/// A quantised graph, a layer a call. Every tensor has a zero point of its own.
class QuantisedNet {
 public:
  QuantisedNet() { graph.file = graph.name = "net"; }

  int input(const Shape& shape) {
    return done(graph.add_input("x" + std::to_string(graph.tensors.size()), shape));
  }
  /// Some channels of the output may have no weights but a bias, some of the input none that read
  /// them; `edges` is false where only the taps in the middle have weights.
  struct Linear {
    std::vector<int> idle{};
    int bias = 0;
    std::vector<int> unread{};
    bool edges = true;
    Range range{};
  };
  int conv(int in, int kernel, bool same, int channels, const Linear& l) {
    nnom::Conv2D op;
    op.out.c = channels;
    return window(op, in, kernel, same, channels, kernel * kernel * graph.shape(in).back(), l);
  }
  int depthwise(int in, int kernel, bool same, const Linear& l) {
    return window(nnom::DepthwiseConv2D{}, in, kernel, same, graph.shape(in).back(),
                  kernel * kernel, l);
  }
  int dense(int in, int channels, const Linear& l) {
    nnom::Dense op;
    op.out = channels;
    return linear(op, in, channels, graph.shape(in).back(), l);
  }
  int add(const Op& op, const std::vector<int>& in, bool same_scale = false) {
    const int t = graph.add({.name = "layer", .source = "Layer", .op = op, .inputs = in});
    const auto scale = graph.tensors[static_cast<size_t>(in[0])].quantisation;
    done(t);
    if (same_scale) graph.tensors[static_cast<size_t>(t)].quantisation = scale;
    return t;
  }
  int add(const Op& op, int in, bool same_scale = false) {
    return add(op, std::vector<int>{in}, same_scale);
  }

  Graph graph;
  Random r{1};

 private:
  int done(int t) {
    graph.tensors[static_cast<size_t>(t)].quantisation = Quantisation{0.02, r.whole(-20, 20)};
    return t;
  }
  int window(auto op, int in, int kernel, bool same, int channels, int weights, const Linear& l) {
    op.kernel = {kernel, kernel}, op.stride = op.dilation = {1, 1};
    if (same) op.pad = nnom::same_border(nnom::image(graph.shape(in)), op.kernel, {1, 1}, {1, 1});
    return linear(op, in, channels, weights, l);
  }
  int linear(const Op& op, int in, int channels, int count, const Linear& l) {
    Node node{.name = "linear", .source = "Linear", .op = op, .inputs = {in}, .range = l.range};
    StoredWeights stored;
    const auto has = [](const std::vector<int>& set, int i) {
      return std::ranges::count(set, i) > 0;
    };
    const bool depthwise = std::holds_alternative<nnom::DepthwiseConv2D>(op);
    const int reads = depthwise ? 1 : graph.shape(in).back(), taps = count / reads;
    std::vector<int> q(static_cast<size_t>(channels * count));
    for (int c = 0; c < channels; ++c) {
      stored.scale.push_back(static_cast<float>(r.real(0.001, 0.003)));
      stored.bias.push_back(has(l.idle, c) ? l.bias : r.whole(-2000, 2000));
      for (int k = 0; k < count; ++k) {
        const bool none = (!depthwise && has(l.idle, c)) ||
                          has(l.unread, depthwise ? c : k % reads) ||
                          (!l.edges && k / reads != taps / 2);
        const int w = none ? 0 : r.of({-1, 1}) * r.whole(1, 127);
        q[static_cast<size_t>(depthwise ? k * channels + c : c * count + k)] = w;
      }
    }
    for (size_t i = 0; i < q.size(); ++i) {
      const size_t c = depthwise ? i % stored.scale.size() : i / static_cast<size_t>(count);
      node.weights.push_back(static_cast<float>(q[i]) * stored.scale[c]);
    }
    node.bias.assign(stored.bias.size(), 0.0f);
    node.stored = std::move(stored);
    return done(graph.add(std::move(node)));
  }
};

}  // namespace nnomc
