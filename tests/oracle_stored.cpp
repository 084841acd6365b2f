#include <cmath>

#include "compiler/quantise/tables.hpp"
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

  bool single() const { return rounding == Rounding::single_rounding; }
  int64_t scaled(int64_t acc, long double factor) const {
    const auto a = static_cast<int32_t>(acc);
    return single() ? single_rounding(a, float_factor_of(factor)).value()
                    : double_rounding(a, factor_of(factor)).value();
  }
  /// The scale of tensor i of the inputs, -1: of the output.
  long double scale(int i) const {
    return static_cast<long double>((i < 0 ? out_scale() : in_scale(at(i))).scale);
  }
  /// Adds the zero point; limits to int8 and to the node's range.
  int finish(int64_t value) const { return limited(value + out_scale().zero); }
  int limited(int64_t value) const {
    return static_cast<int>(std::clamp<int64_t>(value, limit(node.range.lo), limit(node.range.hi)));
  }
  /// XNNPACK adds the zero point before it rounds, halves to even.
  int limit(float end) const {
    const float steps = std::clamp(end / static_cast<float>(out_scale().scale), -1e6f, 1e6f);
    const auto zero = static_cast<float>(out_scale().zero);
    const float value = single() ? std::nearbyint(steps + zero) : std::round(steps) + zero;
    return static_cast<int>(std::clamp(value, -128.0f, 127.0f));
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
    std::vector<int> out;
    for (const int64_t sum : sums)
      out.push_back(single() ? xnnpack_mean(sum, op.in.h * op.in.w)
                             : finish(micro_mean(sum, op.in.h * op.in.w)));
    return out;
  }
  /// In floats, on sums that the zero point is not taken from; the count is a factor.
  int xnnpack_mean(int64_t sum, int count) const {
    const float scale = static_cast<float>(in_scale(0).scale) /
                        static_cast<float>(out_scale().scale) * (1 / static_cast<float>(count));
    const int zeros = count * in_scale(0).zero;
    const float offset = static_cast<float>(out_scale().zero) - static_cast<float>(zeros) * scale;
    const float raw = static_cast<float>(sum + zeros) * scale;
    return limited(static_cast<int64_t>(std::nearbyint(raw + offset)));
  }
  /// The multiplier is divided by the count, and keeps its bits as far as there are any.
  int64_t micro_mean(int64_t sum, int count) const {
    Factor f = factor_of(scale(0) / scale(-1));
    int bits = 0;
    while (bits < 31 + f.shift && count >> (bits + 1)) ++bits;
    f.multiplier = static_cast<int32_t>((int64_t{f.multiplier} << bits) / count);
    f.shift -= bits;
    return double_rounding(static_cast<int32_t>(sum), f).value();
  }
  std::vector<int> operator()(const nnom::Add&) const {
    std::vector<int> out;
    for (size_t i = 0; i < in[0].size(); ++i)
      out.push_back(finish(single() ? xnnpack_sum(i) : micro_sum(i)));
    return out;
  }
  /// TFLite Micro's: 20 bits of headroom.
  int64_t micro_sum(size_t i) const {
    const long double twice = 2 * std::max(scale(0), scale(1));
    return scaled(scaled(relative(0, i) * (1 << 20), scale(0) / twice) +
                      scaled(relative(1, i) * (1 << 20), scale(1) / twice),
                  twice / (1 << 20) / scale(-1));
  }
  /// XNNPACK's: factors in units of 2^-shift, the larger of 21 bits.
  int64_t xnnpack_sum(size_t i) const {
    const auto out = static_cast<float>(out_scale().scale);
    const float a = std::min(static_cast<float>(in_scale(0).scale) / out, 1024.0f);
    const float b = std::min(static_cast<float>(in_scale(1).scale) / out, 1024.0f);
    int shift = 20;
    for (float m = std::max(a, b); m >= 2; m /= 2) --shift;
    for (float m = std::max(a, b); m < 1; m *= 2) ++shift;
    const Exact sum = Exact{relative(0, i)} * std::lrint(std::ldexp(a, shift)) +
                      Exact{relative(1, i)} * std::lrint(std::ldexp(b, shift));
    return static_cast<int64_t>(nearest_up(sum, shift));
  }
  /// Where TFLite approximates, its own outputs are the oracle (tflite_conformance_test); here it
  /// is only that the kernel looks up what the compiler worked out.
  std::vector<int> operator()(const nnom::Activation& op) const {
    using nnom::Function;
    if (op.function != Function::sigmoid && op.function != Function::tanh)
      return each([&](double x) { return activation(op, x); });
    const NodeScales own{{in_scale(0)}, out_scale()};
    const std::vector<int8_t> table = single() ? activation_table<nnom::Single>(op, own)
                                               : activation_table<nnom::Double>(op, own);
    std::vector<int> out;
    for (const int v : in[0]) out.push_back(table[at(v + 128)]);
    return out;
  }
  /// XNNPACK leaves softmax to TFLite, which computes in float. (Both dialects may be a step off in
  /// one of 100,000.)
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

  /// From accumulator to output: in float, or in double.
  long double factor(double weight_scale) const {
    const float product = static_cast<float>(scale(0)) * static_cast<float>(weight_scale);
    if (single()) return static_cast<long double>(product / static_cast<float>(scale(-1)));
    return scale(0) * static_cast<long double>(weight_scale) / scale(-1);
  }

  /// Weights symmetric within 127, the scale of each channel (or the largest of them for all) from
  /// its largest weight; the bias in units of input times weight.
  std::vector<int> linear(const auto& op) const {
    const auto channels = at(graph.shape(node.output).back());
    const size_t count = node.weights.size();
    std::vector<double> weight(channels);
    for (size_t i = 0; i < count; ++i) {
      double& s = weight[channel_of(node, i, count, channels)];
      s = std::max(s, std::abs(double{node.weights[i]}) / 127);
    }
    std::vector<bool> inside;
    double largest = 0;
    for (size_t c = 0; c < channels; ++c) {
      inside.push_back(can_be_inside(c));
      if (inside[c]) largest = std::max(largest, weight[c]);
    }
    if (!per_channel && largest > 0) weight.assign(channels, largest);
    std::vector<int64_t> weights, x;
    for (size_t i = 0; i < count; ++i)
      weights.push_back(static_cast<int64_t>(
          std::round(double{node.weights[i]} / weight[channel_of(node, i, count, channels)])));
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
      const auto acc = products + std::llround(bias / (in_scale(0).scale * weight[c]));
      out.push_back(finish(scaled(acc, factor(weight[c]))));
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
