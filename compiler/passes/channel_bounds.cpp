#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "compiler/node_numbers.hpp"
#include "compiler/passes/channels.hpp"
#include "compiler/quantise/data.hpp"
#include "compiler/simulate/simulate.hpp"

namespace nnomc {
namespace {

Quantisation scale_of(const Graph& graph, int tensor) {
  return graph.tensors[static_cast<size_t>(tensor)].quantisation.value_or(Quantisation{});
}

/// What any value of a tensor lies in.
Bounds widest(const Graph& graph, int tensor, const Numbers& numbers) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  if (!numbers.quantised) return {-infinite, infinite};
  const Quantisation q = scale_of(graph, tensor);
  return {static_cast<double>(q.lowest() - q.zero), static_cast<double>(q.highest() - q.zero)};
}

/// The last step of a linear node, from its sums to its output.
class Finish {
 public:
  Finish(const Graph& graph, const Node& node, const Numbers& numbers)
      : numbers_(numbers_of(graph, node, numbers)),
        scales_(node_scales(graph, node)),
        data_(info(node.op).data(node, numbers_, scales_)),
        widest_(widest(graph, node.output, numbers)) {
    if (numbers.quantised) weights_ = weight_scales(node, scales_).scale;
  }

  /// Where sums in `sums` end. Beyond the sums that rescaling doesn't overflow for, no order holds.
  Bounds operator()(const Bounds& sums, size_t channel) const {
    if (!numbers_.quantised) return {finish(sums.lo, channel), finish(sums.hi, channel)};
    const double factor = scales_.in[0].scale * weights_[channel] / scales_.out.scale;
    const double most = std::max(std::abs(sums.lo), std::abs(sums.hi));
    if (most >= 0x1p31 || most * factor >= 0x1p30) return widest_;
    return {finish(sums.lo, channel), finish(sums.hi, channel)};
  }

 private:
  double finish(double sum, size_t channel) const {
    return with_numbers_of<nnom::Conv2D>(numbers_, [&]<class N>() {
      const auto& linear = *static_cast<const nnom::Linear<N>*>(data_.value.get());
      const auto out = linear.finish(static_cast<typename N::Acc>(sum), static_cast<int>(channel));
      return static_cast<double>(out) - (numbers_.quantised ? scales_.out.zero : 0);
    });
  }

  Numbers numbers_;
  NodeScales scales_;
  NodeData data_;
  Bounds widest_;
  std::vector<double> weights_{};  // their scales
};

/// The bounds of a linear node's output.
Channels bounds_of_sums(const Sums& s, const Channels& in, const Finish& finish) {
  Channels out(s.outputs);
  std::vector<Bounds> taps(s.taps);
  for (size_t c = 0; c < s.outputs; ++c) {
    for (size_t tap = 0; tap < s.taps; ++tap) {
      Bounds& sum = taps[tap] = {};
      for (size_t i = 0; i < s.reads; ++i) {
        const double w = s.weight(c, tap, i);
        if (w == 0) continue;
        const Bounds& x = in[s.first[c] + i];
        sum.lo += w * (w > 0 ? x.lo : x.hi), sum.hi += w * (w > 0 ? x.hi : x.lo);
      }
    }
    constexpr double infinite = std::numeric_limits<double>::infinity();
    Bounds all = {infinite, -infinite};
    for (const std::vector<size_t>& inside : s.cases) {
      Bounds sum = {s.bias[c], s.bias[c]};
      for (const size_t tap : inside) sum.lo += taps[tap].lo, sum.hi += taps[tap].hi;
      all = {std::min(all.lo, sum.lo), std::max(all.hi, sum.hi)};
    }
    out[c] = finish(all, c);
  }
  return out;
}

/// The node alone, its inputs the graph's.
Graph alone(const Graph& graph, Node node) {
  Graph g;
  g.file = graph.file, g.reference = graph.reference;
  const int output = node.output;
  for (int& input : node.inputs) {
    const Tensor& t = graph.tensors[static_cast<size_t>(input)];
    input = g.add_input(t.name, t.shape);
    g.tensors.back().quantisation = t.quantisation;
  }
  g.outputs = {g.add(std::move(node))};
  g.tensors.back().quantisation = graph.tensors[static_cast<size_t>(output)].quantisation;
  return g;
}

/// Runs a node on inputs whose constant channels have their values.
std::vector<float> run_constants(const Graph& graph, const Node& node, const Numbers& numbers,
                                 const std::vector<Channels>& bounds) {
  const Program program = lower(alone(graph, node), {}, {.numbers = numbers});
  Simulator simulator(program);
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const Channels& in = bounds[static_cast<size_t>(node.inputs[i])];
    const double unit = numbers.quantised ? scale_of(graph, node.inputs[i]).scale : 1;
    std::vector<float> values(static_cast<size_t>(graph.shape(node.inputs[i]).size()));
    for (size_t k = 0; k < values.size(); ++k)
      if (const Bounds& b = in[k % in.size()]; b.constant())
        values[k] = static_cast<float>(b.lo * unit);
    simulator.set_input(i, values);
  }
  simulator.run();
  return simulator.output(0);
}

/// Finds the constant channels of a node's output among those made of constants alone.
void find_constants(const Graph& graph, const Node& node, const Numbers& numbers,
                    std::vector<Channels>& bounds) {
  Channels& out = bounds[static_cast<size_t>(node.output)];
  std::vector<int> tied(out.size()), constants(out.size());
  const bool apart = tie_channels(graph, node, [&](size_t input, size_t channel, size_t output) {
    ++tied[output];
    constants[output] += bounds[static_cast<size_t>(node.inputs[input])][channel].constant();
  });
  if (!apart || std::ranges::none_of(constants, [](int n) { return n > 0; })) return;
  const std::vector<float> values = run_constants(graph, node, numbers, bounds);
  const double unit = numbers.quantised ? scale_of(graph, node.output).scale : 1;
  for (size_t c = 0; c < out.size(); ++c) {
    bool same = tied[c] > 0 && tied[c] == constants[c];
    for (size_t k = c; same && k < values.size(); k += out.size()) same = values[k] == values[c];
    const double value = static_cast<double>(values[c]) / unit;
    if (same) out[c].lo = out[c].hi = numbers.quantised ? std::round(value) : value;
  }
}

}  // namespace

std::vector<Channels> channel_bounds(const Graph& graph, const Numbers& numbers) {
  std::vector<Channels> bounds;
  for (size_t t = 0; t < graph.tensors.size(); ++t) {
    const auto channels = static_cast<size_t>(graph.tensors[t].shape.back());
    bounds.emplace_back(channels, widest(graph, static_cast<int>(t), numbers));
  }
  for (const Node& node : graph.nodes) {
    if (const auto sums = sums_of(graph, node, numbers)) {
      const Channels& in = bounds[static_cast<size_t>(node.inputs[0])];
      bounds[static_cast<size_t>(node.output)] =
          bounds_of_sums(*sums, in, Finish(graph, node, numbers));
    } else {
      find_constants(graph, node, numbers, bounds);
    }
  }
  return bounds;
}

}  // namespace nnomc
