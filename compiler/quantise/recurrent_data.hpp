/// \file
/// Data of recurrent ops.
#pragma once

#include <algorithm>
#include <cmath>

#include "compiler/quantise/data.hpp"

namespace nnomc {

/// Several matrices of one shape, with their biases, one after the other as a recurrent op keeps
/// them.
template <class N>
struct Matrices {
  nnom::Matrix shape;
  std::vector<typename N::Weight> weights{};
  std::vector<typename N::Bias> bias{};
  nnom::Brevity<N> brevity{};

  size_t size() const {
    return static_cast<size_t>(shape.rows) * static_cast<size_t>(shape.length);
  }

  /// Packs the matrix of `values`, each row over its scale (1 for floats), its input's zero point
  /// folded into the biases. visit(row, integers, bias) sees each row.
  template <class Scale, class Bias, class Visit>
  void add(const float* values, Scale scale_of, int zero, Bias bias_of, Visit visit) {
    const size_t begin = weights.size();
    weights.resize(begin + static_cast<size_t>(N::Layout::size(shape)));
    std::vector<double> row(static_cast<size_t>(shape.length));
    for (int r = 0; r < shape.rows; ++r) {
      const double scale = scale_of(static_cast<size_t>(r));
      double folded = bias_of(static_cast<size_t>(r));
      for (int k = 0; k < shape.length; ++k) {
        double q = static_cast<double>(*values++) / scale;
        if constexpr (N::quantised) q = std::clamp(std::round(q), -128.0, 127.0);
        weights[begin + static_cast<size_t>(N::Layout::index(shape, r, 0, k))] =
            static_cast<typename N::Weight>(q);
        folded -= zero * q;
        row[static_cast<size_t>(k)] = q;
        if constexpr (N::quantised) brevity.add(q);
      }
      if constexpr (N::quantised) brevity.end(folded);
      if constexpr (N::quantised) folded = std::clamp(folded, -kMostBias<N> - 1, kMostBias<N>);
      bias.push_back(static_cast<typename N::Bias>(folded));
      visit(static_cast<size_t>(r), row, folded);
    }
  }
  template <class Scale, class Bias>
  void add(const float* values, Scale scale_of, int zero, Bias bias_of) {
    add(values, scale_of, zero, bias_of, [](size_t, const std::vector<double>&, double) {});
  }
};

/// Joins the packed weights (Linear::joined) if the layout can, and sums are small.
template <class N>
bool join(Matrices<N>& made) {
  if constexpr (requires { N::Layout::join(made.weights.data(), made.weights.size()); })
    return N::quantised && made.brevity.small() &&
           N::Layout::join(made.weights.data(), made.weights.size());
  return false;
}

/// The scale of a matrix: as the model's file has it, or from its largest weight.
inline double matrix_scale(const Node& node, size_t index, const float* values, size_t count) {
  if (node.stored) return static_cast<double>(node.stored->scale.at(index));
  double largest = 0;
  for (size_t i = 0; i < count; ++i)
    largest = std::max(largest, std::abs(static_cast<double>(values[i])));
  return largest > 0 ? largest / 127 : 1;
}

/// Constants of an Lstm between its input and output: its hidden state, its cell (of a scale that
/// is a power of two) and, in desktop TFLite, the product that becomes the hidden state.
struct LstmScales {
  Quantisation hidden, cell, product;
};
LstmScales lstm_scales(const Node& node, const NodeScales& scales);

template <class N>
void make(const nnom::Lstm& op, const Making& m, nnom::Lstm::Data<N>& d) {
  using Rescale = typename N::Rescale;
  constexpr bool single = std::is_same_v<Rescale, nnom::Single>;
  const LstmScales inner = lstm_scales(m.node, m.scales);
  const auto units = static_cast<size_t>(op.units);
  const float* values = m.node.weights.data();
  for (const bool recurrent : {false, true}) {
    Matrices<N> made{op.matrix(recurrent)};
    const Quantisation in = recurrent ? inner.hidden : m.scales.in[0];
    for (size_t g = 0; g < nnom::Lstm::gates; ++g, values += made.size()) {
      const size_t index = g + (recurrent ? nnom::Lstm::gates : 0);
      double scale = 1, of_bias = 1;
      if constexpr (N::quantised) {
        scale = matrix_scale(m.node, index, values, made.size());
        of_bias = in.scale * scale;
        d.rescale[index] = rescale_by<typename nnom::Wide<N>::Rescale>(
            output_factor<Rescale>(in.scale, scale, 1.0 / 4096));
      }
      const auto scale_of = [&](size_t) { return scale; };
      made.add(values, scale_of, N::quantised ? in.zero : 0, [&](size_t r) {
        const size_t i = g * units + r;
        if (recurrent || m.node.bias.empty()) return 0.0;
        if (N::quantised && m.node.stored) return static_cast<double>(m.node.stored->bias[i]);
        const double real = static_cast<double>(m.node.bias[i]) / of_bias;
        return N::quantised ? std::round(real) : real;
      });
    }
    d.joined[recurrent] = join(made);
    (recurrent ? d.recurrent : d.weights) =
        m.keep(recurrent ? "recurrent" : "weights", std::move(made.weights));
    (recurrent ? d.recurrent_bias : d.bias) =
        m.keep(recurrent ? "recurrent_bias" : "bias", std::move(made.bias));
  }
  if constexpr (N::quantised) {
    d.power = std::ilogb(inner.cell.scale);
    d.hidden_zero = static_cast<typename N::In>(inner.hidden.zero);
    d.product = rescale_by<nnom::Double>(std::ldexp(1, -30 - d.power));
    const Quantisation to = single ? inner.product : inner.hidden;
    double factor = std::ldexp(1, -30) / to.scale;
    if (single) factor = static_cast<double>(static_cast<float>(factor));
    d.output = rescale_by<nnom::Double>(factor);
    d.finish.zero = static_cast<typename N::Out>(to.zero);
    if (op.clip > 0)
      d.clip =
          static_cast<int16_t>(std::min(static_cast<double>(op.clip) / inner.cell.scale, 32767.0));
  } else if (op.clip > 0) {
    d.clip = op.clip;
  }
}

/// The scale of an Svdf's memory: as the model's file has it, or so that nothing can leave it.
double memory_scale(const nnom::Svdf& op, const Node& node, const NodeScales& scales);

template <class N>
void make(const nnom::Svdf& op, const Making& m, nnom::Svdf::Data<N>& d) {
  Matrices<N> features{op.matrix()};
  const float* const time = m.node.weights.data() + features.size();
  const size_t times = m.node.weights.size() - features.size();
  double scales[2] = {1, 1}, of_bias = 1;
  if constexpr (N::quantised) {
    using Rescale = typename N::Rescale;
    const double memory = memory_scale(op, m.node, m.scales);
    scales[0] = matrix_scale(m.node, 0, m.node.weights.data(), features.size());
    scales[1] = matrix_scale(m.node, 1, time, times) * (m.node.stored ? 1 : 127.0 / 32767);
    of_bias = memory * scales[1];
    d.rescale =
        rescale_by<nnom::Double>(output_factor<Rescale>(m.scales.in[0].scale, scales[0], memory));
    d.output =
        rescale_by<nnom::Double>(output_factor<Rescale>(memory, scales[1], m.scales.out.scale));
  }
  const auto scale_of = [&](size_t) { return scales[0]; };
  features.add(m.node.weights.data(), scale_of, N::quantised ? m.scales.in[0].zero : 0,
               [](size_t) { return 0.0; });
  std::vector<typename nnom::Svdf::Data<N>::Time> stored;
  for (size_t i = 0; i < times; ++i) {
    const double q = static_cast<double>(time[i]) / scales[1];
    stored.push_back(
        static_cast<typename nnom::Svdf::Data<N>::Time>(N::quantised ? std::round(q) : q));
  }
  std::vector<typename N::Bias> bias;
  for (size_t u = 0; u < static_cast<size_t>(op.units); ++u) {
    double b = m.node.bias.empty() ? 0 : static_cast<double>(m.node.bias[u]) / of_bias;
    if (N::quantised) b = std::clamp(std::round(b), -2147483648.0, 2147483647.0);
    bias.push_back(static_cast<typename N::Bias>(b));
  }
  if (N::quantised && m.node.stored && !m.node.stored->bias.empty())
    bias.assign(m.node.stored->bias.begin(), m.node.stored->bias.end());
  d.features = m.keep("features", std::move(features.weights));
  d.offset = m.keep("offset", std::move(features.bias));
  d.time = m.keep("time", std::move(stored));
  d.bias = m.keep("bias", std::move(bias));
  d.clamp = make_clamp<N>(m);
}

}  // namespace nnomc
