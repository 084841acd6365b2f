#include <cmath>

#include "compiler/op_table.hpp"
#include "compiler/quantise/tflite_tables.hpp"
#include "tests/oracle.hpp"
#include "tests/oracle_parts.hpp"
#include "tests/oracle_recurrent.hpp"
#include "tests/oracle_recurrent_layer.hpp"
#include "tests/oracle_rules.hpp"
#include "tests/rescale_oracle.hpp"

namespace nnomc::oracle {
namespace {

/// The output channel of weight `i`, of `count` in `channels`.
size_t channel_of(const Node& n, size_t i, size_t count, size_t channels) {
  return std::holds_alternative<nnom::DepthwiseConv2D>(n.op) ? i % channels
                                                             : i / (count / channels);
}

struct Stored : Dialect {
  const Graph& graph;
  const Node& node;
  const std::vector<Quantisation>& scales;
  bool per_channel;
  const Tensors<int>& in;

  const Quantisation& in_scale(size_t i) const { return scales[at(node.inputs[i])]; }
  const Quantisation& out_scale() const { return scales[at(node.output)]; }
  long long relative(size_t input, size_t i) const { return in[input][i] - in_scale(input).zero; }

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
    const auto lowest = static_cast<float>(out_scale().lowest());
    return static_cast<int>(std::clamp(value, lowest, static_cast<float>(out_scale().highest())));
  }
  std::vector<int> each(const std::function<double(double)>& f) const {
    std::vector<int> out;
    for (const int v : in[0]) out.push_back(stored(f(real(v, in_scale(0))), out_scale()));
    return out;
  }

  std::vector<int64_t> relative_input(size_t input = 0) const {
    std::vector<int64_t> x;
    for (size_t i = 0; i < in[input].size(); ++i) x.push_back(relative(input, i));
    return x;
  }
  template <class Cell>
  std::vector<int> operator()(const nnom::RecurrentLayer<Cell>& op) const {
    NodeScales own{{}, out_scale(), per_channel};
    if (shifts()) own.scheme = Scheme::power_of_two;
    std::vector<std::vector<int64_t>> x;
    for (size_t i = 0; i < in.size(); ++i) {
      own.in.push_back(in_scale(i));
      x.push_back(relative_input(i));
    }
    return stored_recurrent_layer(op, node, own, x);
  }
  std::vector<int> operator()(const nnom::Lstm& op) const {
    return stored_lstm(op, node, {{in_scale(0)}, out_scale()}, rounding, relative_input());
  }
  std::vector<int> operator()(const nnom::Svdf& op) const {
    std::vector<int> out;
    for (const int64_t v :
         stored_svdf(op, node, {{in_scale(0)}, out_scale()}, rounding, relative_input()))
      out.push_back(finish(v));
    return out;
  }
  std::vector<int> operator()(const nnom::MaxPool2D& op) const {
    return pooled<int>(op, in[0], largest<int>);
  }
  std::vector<int> relative_sums(const nnom::SumPool2D& op) const {
    std::vector<int> x;
    for (size_t i = 0; i < in[0].size(); ++i) x.push_back(static_cast<int>(relative(0, i)));
    return pooled<int>(op, x, sum_of<int>);
  }
  std::vector<int> operator()(const nnom::SumPool2D& op) const {
    std::vector<int> out;
    for (const int sum : relative_sums(op)) out.push_back(summed({sum}, 1, 0));
    return out;
  }
  /// The first shift that has every sum fit.
  std::vector<int> operator()(const nnom::DynamicSumPool2D& op) const {
    const std::vector<int> sums = relative_sums(op.pool);
    const int zero = in_scale(0).zero;
    for (int shift = 0;; ++shift) {
      std::vector<int> out;
      bool fits = true;
      for (const int sum : sums) {
        out.push_back(static_cast<int>(std::floor(std::ldexp(sum, -shift) + 0.5)) + zero);
        fits &= out.back() >= -128 && out.back() <= 127;
      }
      out.push_back(shift);
      if (fits) return out;
    }
  }
  std::vector<int> operator()(const nnom::AveragePool2D& op) const {
    const int less = op.rule.of_uint8 ? 128 : 0;
    return pooled<int>(op, in[0], [less](const std::vector<int>& v) {
      const double mean = static_cast<double>(sum_of(v)) / static_cast<double>(v.size());
      return static_cast<int>(std::round(mean + less)) - less;
    });
  }
  template <class Rule>
  std::vector<int> operator()(const nnom::Reduce<Rule>& op) const {
    std::vector<int> out;
    for (const auto& values : groups(graph, node, op, in[0])) out.push_back(reduced(op, values));
    return out;
  }
  int reduced(const nnom::Sum&, const std::vector<int>& v) const {
    return summed(v, 1, in_scale(0).zero);
  }
  int reduced(const nnom::Mean&, const std::vector<int>& v) const {
    return summed(v, static_cast<int>(v.size()), in_scale(0).zero);
  }
  int summed(const std::vector<int>& v, int divisor, int zero) const {
    const int64_t sum = sum_of(v), zeros = zero * static_cast<int64_t>(v.size());
    if (shifts())
      return finish(whole(static_cast<long double>(sum) * scale(0) / scale(-1) / divisor));
    return single() ? xnnpack_mean(sum, zeros, divisor) : finish(micro_mean(sum - zeros, divisor));
  }
  /// In floats, on sums that the zero point is not taken from; the count is a factor.
  int xnnpack_mean(int64_t sum, int64_t zeros, int divisor) const {
    const float scale = static_cast<float>(in_scale(0).scale) /
                        static_cast<float>(out_scale().scale) * (1 / static_cast<float>(divisor));
    const float offset = static_cast<float>(out_scale().zero) - static_cast<float>(zeros) * scale;
    const float raw = static_cast<float>(sum) * scale + offset;
    return limited(static_cast<int64_t>(std::nearbyint(std::clamp(raw, -1000.0f, 1000.0f))));
  }
  /// The multiplier is divided by the count, and keeps its bits as far as there are any.
  int64_t micro_mean(int64_t sum, int divisor) const {
    Factor f = factor_of(scale(0) / scale(-1));
    int bits = 0;
    while (bits < 31 + f.shift && divisor >> (bits + 1)) ++bits;
    f.multiplier = static_cast<int32_t>((int64_t{f.multiplier} << bits) / divisor);
    f.shift -= bits;
    return double_rounding(static_cast<int32_t>(sum), f).value();
  }
  int reduced(const nnom::ReduceMax&, const std::vector<int>& v) const { return largest(v); }
  int reduced(const nnom::ReduceMin&, const std::vector<int>& v) const {
    return *std::min_element(v.begin(), v.end());
  }
  int reduced(const auto&, const std::vector<int>&) const { return 0; }  // real numbers only

  template <class Rule>
  std::vector<int> operator()(const nnom::Elementwise<Rule>& op) const {
    // A constant's scale is by its range; what may become the output has that of the output.
    Quantisation q;
    constexpr bool moves = std::is_same_v<Rule, nnom::SelectRule> ||
                           std::is_same_v<Rule, nnom::ExtremeRule<true>> ||
                           std::is_same_v<Rule, nnom::ExtremeRule<false>>;
    if (!moves) q = shifts() ? by_size(node.weights) : by_range(node.weights);
    if (moves && !(std::is_same_v<Rule, nnom::SelectRule> && op.constant == 0)) q = out_scale();
    std::vector<int> constant, out;
    for (const float v : node.weights) constant.push_back(stored(static_cast<double>(v), q));
    StoredOperands x{{rounding, wide}, out_scale()};
    for (const int t : node.inputs) x.scale.push_back(scales[at(t)]);
    if (op.constant >= 0) x.scale.insert(x.scale.begin() + op.constant, q);
    for (const auto& values : operands(graph, node, op, in, constant)) {
      x.stored = values;
      out.push_back(finish(x.value_of(op.rule)));
    }
    return out;
  }
  static Quantisation by_size(const std::vector<float>& values) {
    double most = 0;
    for (const float v : values) most = std::max(most, std::abs(static_cast<double>(v)));
    return {most > 0 ? power_of_two(most / 128) : 1, 0};
  }
  static Quantisation by_range(const std::vector<float>& values) {
    double lo = 0, hi = 0;
    for (const float v : values)
      lo = std::min(lo, static_cast<double>(v)), hi = std::max(hi, static_cast<double>(v));
    if (lo == hi) return {};
    const auto step = static_cast<double>(static_cast<float>((hi - lo) / 255));
    return {step, static_cast<int>(std::round(-128 - lo / step))};
  }
  std::vector<int> operator()(const nnom::MatMul& op) const {
    std::vector<int64_t> x[2];
    for (size_t k = 0; k < 2; ++k)
      for (size_t i = 0; i < in[k].size(); ++i) x[k].push_back(relative(k, i));
    std::vector<int> out;
    for (const int64_t sum : matrix_product(graph, node, op, x[0], x[1]))
      out.push_back(finish(single() && in_scale(1).zero != 0
                               ? twice_rounded(sum, as_float(scale(0) * scale(1)) / scale(-1))
                               : scaled(sum, factor(in_scale(1).scale))));
    return out;
  }
  /// Where TFLite approximates, its own outputs are the oracle (tflite_conformance_test); here it
  /// is only that the kernel looks up what the compiler worked out.
  std::vector<int> operator()(const nnom::Activation& op) const {
    if (shifts()) return each([&](double x) { return activation(op, x); });
    const NodeScales own{{in_scale(0)}, out_scale()};
    const std::vector<int8_t> table =
        single() ? tflite_table<nnom::Single>(op, own) : tflite_table<nnom::Double>(op, own);
    if (table.empty()) return each([&](double x) { return activation(op, x); });
    std::vector<int> out;
    for (const int v : in[0]) out.push_back(table[at(v + 128)]);
    return out;
  }
  /// XNNPACK leaves softmax to TFLite, which computes in float. (Both dialects may be a step off
  /// in one of 100,000.)
  std::vector<int> operator()(const nnom::Softmax& op) const {
    std::vector<double> x;
    for (const int v : in[0]) x.push_back(real(v, in_scale(0)));
    std::vector<int> out;
    for (const double p : softmax(op, x, at(graph.shape(node.inputs[0]).back())))
      out.push_back(stored(p, out_scale()));
    return out;
  }
  std::vector<int> operator()(const nnom::Concat& op) const {
    Tensors<int> moved = in;
    for (size_t k = 0; k < in.size(); ++k)
      for (int& v : moved[k]) v = stored(real(v, in_scale(k)), out_scale());
    return Moves<int>{graph, node, moved, 0}(op);
  }
  std::vector<int> operator()(const nnom::Resize& op) const {
    const bool nearest = op.interpolation != nnom::Interpolation::linear;
    const bool single = rounding != Rounding::double_rounding;
    const double one = single ? 2048 : 1024;
    std::vector<int> out;
    for_outputs(op, [&](int oy, int ox, int c) {
      const auto between_of = [&](int i, int from, int to, float ratio) {
        return nearest || single ? between(op, i, from, to, ratio)
                                 : micro_between(op, i, from, to, ratio);
      };
      const Between y = between_of(oy, op.in.h, op.out.h, op.ratio[0]);
      const Between x = between_of(ox, op.in.w, op.out.w, op.ratio[1]);
      const double fx = std::nearbyint(x.fraction * one), fy = std::nearbyint(y.fraction * one);
      const auto at_row = [&](int row) {
        return in[0][place(op.in, row, x.from, c)] * (one - fx) +
               in[0][place(op.in, row, x.to, c)] * fx;
      };
      const double v = (at_row(y.from) * (one - fy) + at_row(y.to) * fy) / one / one;
      out.push_back(static_cast<int>(single ? std::floor(v + 0.5) : std::round(v)));
    });
    return out;
  }
  /// TFLite Micro's: everything in units of 1/1024 pixel.
  static Between micro_between(const nnom::Resize& op, int i, int in, int out, float ratio) {
    using nnom::Coordinate;
    const bool align = op.coordinate == Coordinate::align_corners && out > 1;
    const int n = align ? in - 1 : in, m = align ? out - 1 : out;
    int scale = static_cast<int>(std::floor(1024.0 * n / m + 0.5 - 0.5 * (m % 2) / m + 1e-9));
    if (ratio > 0 && !align)
      scale = static_cast<int>(std::round(1024 * static_cast<double>(ratio)));
    int position = i * scale;
    if (op.coordinate == Coordinate::half_pixel ||
        (op.coordinate == Coordinate::pytorch_half_pixel && out > 1))
      position += scale / 2 - 512;
    const int from = std::clamp(position / 1024, 0, in - 1);
    return {from, std::min(from + 1, in - 1), std::max(0, position - from * 1024) / 1024.0};
  }
  std::vector<int> operator()(const nnom::Pad& op) const {
    return Moves<int>{graph, node, in, stored(static_cast<double>(op.value), in_scale(0))}(op);
  }
  std::vector<int> operator()(const nnom::ArgMax& op) const {
    std::vector<int> out = places(graph, node, op, in[0]);
    for (int& v : out) v += out_scale().zero;
    return out;
  }
  std::vector<int> operator()(const nnom::Embedding& op) const {
    std::vector<int> out;
    for (const int v : in[0]) {
      const auto row = at(std::clamp(v - in_scale(0).zero, 0, op.rows - 1));
      for (size_t i = 0; i < at(op.width); ++i)
        out.push_back(stored(double{node.weights[row * at(op.width) + i]}, out_scale()));
    }
    return out;
  }
  std::vector<int> operator()(const nnom::Constant&) const {
    std::vector<int> out;
    for (const float v : node.weights) out.push_back(stored(static_cast<double>(v), out_scale()));
    return out;
  }
  std::vector<int> operator()(const auto& op) const {
    if (!info(node.op).linear) return Moves<int>{graph, node, in, 0}(op);
    return linear(op);
  }

  /// Whether any input brings channel c within what the output holds. The others are at its end,
  /// and have no say in the scale that all share.
  bool can_be_inside(size_t c) const {
    const auto channels = at(graph.shape(node.output).back());
    const double most = std::max(std::abs(lowest_of(in_scale(0))), highest_of(in_scale(0)));
    double bias = node.bias.empty() ? 0 : double{node.bias[c]}, reach = 0;
    for (size_t i = 0; i < node.weights.size(); ++i)
      if (channel_of(node, i, node.weights.size(), channels) == c)
        reach += std::abs(double{node.weights[i]}) * most;
    return bias + reach >= lowest_of(out_scale()) && bias - reach <= highest_of(out_scale());
  }
  static double lowest_of(const Quantisation& q) { return real(q.lowest(), q); }
  static double highest_of(const Quantisation& q) { return real(q.highest(), q); }

  /// From accumulator to output: in float, or in double.
  long double factor(double weight_scale) const {
    const float product = static_cast<float>(scale(0)) * static_cast<float>(weight_scale);
    if (single()) return static_cast<long double>(product / static_cast<float>(scale(-1)));
    return scale(0) * static_cast<long double>(weight_scale) / scale(-1);
  }

  /// Weights symmetric within 127, the scale of each channel (or the largest of them for all)
  /// from its largest weight; the bias in units of input times weight. Powers of two may cut off
  /// one step at the upper end, and stop at what has no effect.
  std::vector<int> linear(const auto& op) const {
    const auto channels = at(graph.shape(node.output).back());
    const size_t count = node.weights.size();
    std::vector<double> weight(channels);
    for (size_t i = 0; i < count; ++i) {
      double& s = weight[channel_of(node, i, count, channels)];
      s = std::max(s, std::abs(double{node.weights[i]}) / 127);
    }
    if (shifts())
      for (double& s : weight)
        if (s > 0)
          s = power_of_two(
              std::max(s * 127 / 128, out_scale().scale / in_scale(0).scale / (1 << 28)));
    std::vector<bool> inside;
    double largest = 0;
    for (size_t c = 0; c < channels; ++c) {
      inside.push_back(can_be_inside(c));
      if (inside[c]) largest = std::max(largest, weight[c]);
    }
    if (!per_channel && largest > 0) weight.assign(channels, largest);
    std::vector<int64_t> weights, x;
    for (size_t i = 0; i < count; ++i)
      weights.push_back(std::min<int64_t>(
          std::llround(double{node.weights[i]} / weight[channel_of(node, i, count, channels)]),
          127));
    for (size_t i = 0; i < in[0].size(); ++i) x.push_back(relative(0, i));
    std::vector<int> out;
    size_t i = 0;
    for (const int64_t products : Products<int64_t>{x, weights}(op)) {
      const size_t c = i++ % channels;
      const double bias = node.bias.empty() ? 0 : double{node.bias[c]};
      if (!inside[c]) {
        out.push_back(finish(bias > highest_of(out_scale()) ? 100000 : -100000));
        continue;
      }
      const auto acc = products + std::llround(bias / (in_scale(0).scale * weight[c]));
      out.push_back(finish(scaled(acc, factor(weight[c]))));
    }
    return out;
  }
};

}  // namespace

double power_of_two(double x) { return std::exp2(std::ceil(std::log2(x))); }

int stored(double value, const Quantisation& q) {
  if (std::isnan(value)) return q.zero;
  const double steps = std::clamp(value / q.scale, -1e6, 1e6);
  return std::clamp(static_cast<int>(std::round(steps)) + q.zero, q.lowest(), q.highest());
}

std::vector<int> stored_output(const Graph& graph, const Node& node,
                               const std::vector<Quantisation>& scales, Rounding rounding,
                               bool per_channel, const Tensors<int>& inputs) {
  const bool wide = scales[at(node.output)].bits == 16;
  const Rounding as = wide ? Rounding::double_rounding : rounding;
  return std::visit(Stored{{as, wide}, graph, node, scales, per_channel, inputs}, node.op);
}

}  // namespace nnomc::oracle
