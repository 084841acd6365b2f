#include <cmath>

#include "tests/oracle.hpp"
#include "tests/oracle_parts.hpp"
#include "tests/rescale_oracle.hpp"

namespace nnomc::oracle {
namespace {

/// The output channel of weight `i`, of `count` in `channels`.
size_t channel_of(const Node& n, size_t i, size_t count, size_t channels) {
  return std::holds_alternative<nnom::DepthwiseConv2D>(n.op) ? i % channels
                                                             : i / (count / channels);
}

struct Stored {
  const Graph& graph;
  const Node& node;
  const std::vector<Quantisation>& scales;
  Rounding rounding;
  bool per_channel;
  const Tensors<int>& in;

  const Quantisation& in_scale(size_t i) const { return scales[at(node.inputs[i])]; }
  const Quantisation& out_scale() const { return scales[at(node.output)]; }
  long long relative(size_t input, size_t i) const { return in[input][i] - in_scale(input).zero; }

  int64_t scaled(int64_t acc, Factor f) const {
    const auto a = static_cast<int32_t>(acc);
    const auto r =
        rounding == Rounding::single_rounding ? single_rounding(a, f) : double_rounding(a, f);
    return r.value();
  }
  /// Adds the zero point; limits to int8 and to the node's range.
  int finish(int64_t value) const {
    const int lo = stored(static_cast<double>(node.range.lo), out_scale());
    const int hi = stored(static_cast<double>(node.range.hi), out_scale());
    return static_cast<int>(std::clamp<int64_t>(value + out_scale().zero, lo, hi));
  }
  std::vector<int> each(const std::function<double(double)>& f) const {
    std::vector<int> out;
    for (const int v : in[0]) out.push_back(stored(f(real(v, in_scale(0))), out_scale()));
    return out;
  }

  std::vector<int> operator()(const nnom::MaxPool2D& op) const {
    return pooled<int>(op, in[0], largest<int>);
  }
  std::vector<int> operator()(const nnom::AveragePool2D& op) const {
    return pooled<int>(op, in[0], [](const std::vector<int>& v) {
      return static_cast<int>(
          std::round(static_cast<double>(sum_of(v)) / static_cast<double>(v.size())));
    });
  }
  std::vector<int> operator()(const nnom::Mean& op) const {
    std::vector<int64_t> sums(at(op.in.c));
    for (size_t i = 0; i < in[0].size(); ++i) sums[i % sums.size()] += relative(0, i);
    const Factor f = factor_of(static_cast<long double>(in_scale(0).scale) /
                               static_cast<long double>(out_scale().scale) / (op.in.h * op.in.w));
    std::vector<int> out;
    for (const int64_t sum : sums) out.push_back(finish(scaled(sum, f)));
    return out;
  }
  std::vector<int> operator()(const nnom::Add&) const {  // TFLite's: 20 bits of headroom
    const long double twice =
        2 * static_cast<long double>(std::max(in_scale(0).scale, in_scale(1).scale));
    const Factor a = factor_of(static_cast<long double>(in_scale(0).scale) / twice);
    const Factor b = factor_of(static_cast<long double>(in_scale(1).scale) / twice);
    const Factor total = factor_of(twice / (1 << 20) / static_cast<long double>(out_scale().scale));
    std::vector<int> out;
    for (size_t i = 0; i < in[0].size(); ++i)
      out.push_back(finish(scaled(
          scaled(relative(0, i) * (1 << 20), a) + scaled(relative(1, i) * (1 << 20), b), total)));
    return out;
  }
  std::vector<int> operator()(const nnom::Activation& op) const {
    return each([&](double x) { return activation(op, x); });
  }
  std::vector<int> operator()(const nnom::Softmax&) const {
    std::vector<double> x;
    for (const int v : in[0]) x.push_back(real(v, in_scale(0)));
    std::vector<int> out;
    for (const double p : softmax(x, at(graph.shape(node.inputs[0]).back())))
      out.push_back(static_cast<int>(std::min(std::floor(p * 256 + 0.5), 255.0)) - 128);
    return out;
  }
  std::vector<int> operator()(const nnom::Concat& op) const {
    Tensors<int> moved = in;
    for (size_t k = 0; k < in.size(); ++k)
      for (int& v : moved[k]) v = stored(real(v, in_scale(k)), out_scale());
    return Moves<int>{graph, node, moved, 0}(op);
  }
  std::vector<int> operator()(const auto& op) const {
    if (node.weights.empty()) return Moves<int>{graph, node, in, in_scale(0).zero}(op);
    return linear(op);
  }

  /// Whether any input brings channel c within what the output holds. The others are at its end,
  /// and have no say in the scale that all share.
  bool can_be_inside(size_t c) const {
    const auto channels = at(graph.shape(node.output).back());
    const double most = std::max(std::abs(real(-128, in_scale(0))), real(127, in_scale(0)));
    double bias = node.bias.empty() ? 0 : double{node.bias[c]}, reach = 0;
    for (size_t i = 0; i < node.weights.size(); ++i)
      if (channel_of(node, i, node.weights.size(), channels) == c)
        reach += std::abs(double{node.weights[i]}) * most;
    return bias + reach >= real(-128, out_scale()) && bias - reach <= real(127, out_scale());
  }

  /// Weights symmetric within 127, the scale of each channel (or the largest of them for all) from
  /// its largest weight; the bias in units of input times weight.
  std::vector<int> linear(const auto& op) const {
    const auto channels = at(graph.shape(node.output).back());
    const size_t count = node.weights.size();
    std::vector<double> scale(channels);
    for (size_t i = 0; i < count; ++i) {
      double& s = scale[channel_of(node, i, count, channels)];
      s = std::max(s, std::abs(double{node.weights[i]}) / 127);
    }
    std::vector<bool> inside;
    double largest = 0;
    for (size_t c = 0; c < channels; ++c) {
      inside.push_back(can_be_inside(c));
      if (inside[c]) largest = std::max(largest, scale[c]);
    }
    if (!per_channel && largest > 0) scale.assign(channels, largest);
    std::vector<int64_t> weights, x;
    for (size_t i = 0; i < count; ++i)
      weights.push_back(static_cast<int64_t>(
          std::round(double{node.weights[i]} / scale[channel_of(node, i, count, channels)])));
    for (size_t i = 0; i < in[0].size(); ++i) x.push_back(relative(0, i));
    std::vector<int> out;
    size_t i = 0;
    for (const int64_t products : Products<int64_t>{x, weights}(op)) {
      const size_t c = i++ % channels;
      const double bias = node.bias.empty() ? 0 : double{node.bias[c]};
      if (!inside[c]) {
        out.push_back(finish(bias > real(127, out_scale()) ? 1000 : -1000));
        continue;
      }
      const auto acc = products + std::llround(bias / (in_scale(0).scale * scale[c]));
      out.push_back(finish(scaled(acc, factor_of(static_cast<long double>(in_scale(0).scale) *
                                                 static_cast<long double>(scale[c]) /
                                                 static_cast<long double>(out_scale().scale)))));
    }
    return out;
  }
};

}  // namespace

int stored(double value, const Quantisation& q) {
  if (std::isnan(value)) return q.zero;
  const double steps = std::clamp(value / q.scale, -1e6, 1e6);
  return std::clamp(static_cast<int>(std::round(steps)) + q.zero, -128, 127);
}

std::vector<int> stored_output(const Graph& graph, const Node& node,
                               const std::vector<Quantisation>& scales, Rounding rounding,
                               bool per_channel, const Tensors<int>& inputs) {
  return std::visit(Stored{graph, node, scales, rounding, per_channel, inputs}, node.op);
}

}  // namespace nnomc::oracle
