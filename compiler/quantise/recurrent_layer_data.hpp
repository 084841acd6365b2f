/// \file
/// Data of the recurrent layers that models of real numbers have.
#pragma once

#include <span>

#include "compiler/quantise/recurrent_data.hpp"

namespace nnomc {

/// Bits after the point that int16 has for values of up to `most` either way.
int bits_for(double most);

/// Units of what a recurrent layer keeps between its inputs and its output.
struct LayerBits {
  int hidden = 15, cell = 15, peephole = 15;
  int function[nnom::kGateFunctions]{15, 15, 15};  ///< of the values of each function
  int sum[nnom::kGateFunctions]{20, 20, 20};       ///< of what each function is given
};
/// From node.inner where it's there; else with room enough for what layers usually have.
template <class Cell>
LayerBits layer_bits(const nnom::RecurrentLayer<Cell>& op, const Node& node,
                     const NodeScales& scales);

/// What of a recurrent layer must be measured to know its units, as values of its `shown`.
template <class Cell>
std::vector<int> unknown_units(const nnom::RecurrentLayer<Cell>& op);

/// Rows of weights as integers: each row's scale, of weights and of inputs together, and its bias.
struct RowScales {
  std::vector<double> weights, bias;
};
/// The rows of one gate that are multiplied with x or with h, [units][length], and their biases.
struct GateRows {
  std::span<const float> weights;
  std::vector<float> bias;
};
template <class Cell>
GateRows gate_rows(const nnom::RecurrentLayer<Cell>& op, const Node& node, bool of_hidden, int g) {
  using Layer = nnom::RecurrentLayer<Cell>;
  const auto units = static_cast<size_t>(op.units), inputs = static_cast<size_t>(op.inputs);
  const auto gate = static_cast<size_t>(g);
  const size_t size = units * (of_hidden ? units : inputs);
  const size_t before = of_hidden ? units * Layer::gates * inputs : 0;
  GateRows rows{{node.weights.data() + before + gate * size, size}, std::vector<float>(units)};
  if (!node.bias.empty())
    std::copy_n(node.bias.begin() +
                    static_cast<std::ptrdiff_t>((gate + (of_hidden ? Layer::gates : 0)) * units),
                units, rows.bias.begin());
  return rows;
}
/// `in` is the scale of what the rows are multiplied by.
RowScales row_scales(const GateRows& rows, double in, const NodeScales& scales);

/// `factor` as a board's, if the sums of integer rows `weights` times inputs up to `most` then fit
/// in 32 bits. Error if not.
nnom::Double safe_rescale(const Node& node, std::span<const double> weights, double bias,
                          double most, double factor);

namespace recurrent {

/// Packs the matrices of all gates over `in`, whose zero point and largest size are given.
template <class N, class Op, class D>
void matrices(const Op& op, const Making& m, bool of_hidden, const LayerBits& bits,
              const Quantisation& in, double most, D& d) {
  using Rescale = typename nnom::Wide<N>::Rescale;
  Matrices<N> made{op.matrix(of_hidden)};
  std::vector<Rescale> rescale;
  for (int g = 0; g < Op::gates; ++g) {
    const GateRows gate = gate_rows(op, m.node, of_hidden, g);
    if constexpr (N::quantised) {
      const RowScales rows = row_scales(gate, in.scale, m.scales);
      const int to = bits.sum[op.cell.function(g)];
      made.add(
          gate.weights.data(), [&](size_t r) { return rows.weights[r]; }, in.zero,
          [&](size_t r) { return rows.bias[r]; },
          [&](size_t r, std::span<const double> q, double folded) {
            rescale.push_back(
                safe_rescale(m.node, q, folded, most, std::ldexp(in.scale * rows.weights[r], to)));
          });
    } else {
      made.add(
          gate.weights.data(), [](size_t) { return 1.0; }, 0,
          [&](size_t r) { return static_cast<double>(gate.bias[r]); });
    }
  }
  (of_hidden ? d.recurrent : d.weights) =
      m.keep(of_hidden ? "recurrent" : "weights", std::move(made.weights));
  (of_hidden ? d.recurrent_bias : d.bias) =
      m.keep(of_hidden ? "recurrent_bias" : "bias", std::move(made.bias));
  if constexpr (N::quantised)
    (of_hidden ? d.recurrent_rescale : d.rescale) =
        m.keep(of_hidden ? "recurrent_rescale" : "rescale", std::move(rescale));
}

/// `values` in units of 2^-bits, or as they are.
template <class N>
std::vector<typename nnom::Inner<N>::Stored> stored(std::span<const float> values, int bits) {
  std::vector<typename nnom::Inner<N>::Stored> made;
  for (const float v : values) {
    if constexpr (N::quantised)
      made.push_back(static_cast<int16_t>(
          std::clamp(std::round(std::ldexp(static_cast<double>(v), bits)), -32768.0, 32767.0)));
    else
      made.push_back(v);
  }
  return made;
}

}  // namespace recurrent

template <class Cell, class D>
void make(const nnom::RecurrentLayer<Cell>& op, const Making& m, D& d) {
  using N = typename D::Numbers;
  using Layer = nnom::RecurrentLayer<Cell>;
  const LayerBits bits = layer_bits(op, m.node, m.scales);
  const Quantisation x = N::quantised ? m.scales.in[0] : Quantisation{};
  recurrent::matrices<N>(op, m, false, bits, x, 128, d);
  recurrent::matrices<N>(op, m, true, bits, {std::ldexp(1, -bits.hidden), 0}, 32768, d);
  const auto row = static_cast<size_t>(op.batch * op.units);
  std::span<const float> rest(m.node.weights);
  rest = rest.subspan(static_cast<size_t>(op.matrices()));
  std::vector<typename nnom::Inner<N>::Stored> initial;
  for (int k = 0; k < Layer::states; ++k) {
    if (op.begin[k] != nnom::Begin::constant) continue;
    for (const auto v : recurrent::stored<N>(rest.first(row), k ? bits.cell : bits.hidden))
      initial.push_back(v);
    rest = rest.subspan(row);
  }
  if (!initial.empty()) d.initial = m.keep("initial", std::move(initial));
  if (!rest.empty()) d.peepholes = m.keep("peepholes", recurrent::stored<N>(rest, bits.peephole));
  if constexpr (N::quantised) {
    d.hidden_bits = bits.hidden, d.cell_bits = bits.cell, d.peephole_bits = bits.peephole;
    for (size_t f = 0; f < nnom::kGateFunctions; ++f) {
      const nnom::GateFunction& function = op.functions[f];
      d.squash[f].in = bits.sum[f];
      d.squash[f].out = bits.function[f];
      if (function.function != nnom::Function::hard_sigmoid) continue;
      const double slope = std::round(std::ldexp(static_cast<double>(function.slope), 24));
      const double offset = std::round(std::ldexp(static_cast<double>(function.offset), 24));
      if (std::abs(slope) >= 1 << 25 || std::abs(offset) > 1 << 29)
        throw Error("layer '{}' ({}): its hard_sigmoid is too steep for int8", m.node.name,
                    m.node.source);
      d.squash[f].slope = static_cast<int>(slope), d.squash[f].offset = static_cast<int>(offset);
    }
    for (size_t k = 0, given = 1; k < Layer::states; ++k) {
      if (op.begin[k] != nnom::Begin::input) continue;
      const Quantisation& q = m.scales.in.at(given++);
      d.zero[k] = static_cast<int8_t>(q.zero);
      d.begin[k] = rescale_by<nnom::Double>(std::ldexp(q.scale, k ? bits.cell : bits.hidden));
    }
    const int shown = op.shown == Layer::kHidden ? bits.hidden
                      : op.shown == Layer::kCell
                          ? bits.cell
                          : bits.function[Cell::function(op.shown - Layer::kGate)];
    d.output = rescale_by<nnom::Double>(std::ldexp(1, -shown - nnom::Inner<N>::kShownBits) /
                                        m.scales.out.scale);
    d.finish.zero = static_cast<int8_t>(m.scales.out.zero);
  }
}

}  // namespace nnomc
