#include "compiler/quantise/recurrent_layer_data.hpp"

namespace nnomc {
namespace {

/// The largest magnitude measured of what `shown` names, or `otherwise`.
double measured(const Node& node, int shown, double otherwise) {
  const auto i = static_cast<size_t>(shown);
  return i < node.inner.size() && node.inner[i] > 0 ? static_cast<double>(node.inner[i])
                                                    : otherwise;
}

/// Whether h stays within [-1, 1] if it begins there.
bool is_bounded(const nnom::RnnLayer& op) {
  return op.functions[nnom::kCandidateFunction].bounded();
}
bool is_bounded(const nnom::GruLayer& op) {
  return op.functions[nnom::kGateFunction].is_share() &&
         op.functions[nnom::kCandidateFunction].bounded();
}
bool is_bounded(const nnom::LstmLayer& op) {
  return op.functions[nnom::kGateFunction].bounded() &&
         op.functions[nnom::kOutputFunction].bounded();
}

constexpr double kUsual = 16;  // what cells and gates without bounds are taken to hold

/// The most bits after the point with which sums of multiples of `unit`, at most `reach` times it,
/// fit in 32 bits before and after they are scaled.
int sum_bits(double unit, double reach) {
  return std::max(30 - std::ilogb(reach), 0) - std::ilogb(unit) - 1;
}

}  // namespace

int bits_for(double most) {
  int bits = 15;
  while (bits > 0 && std::ldexp(most, bits) > 32768) --bits;
  return bits;
}

template <class Cell>
std::vector<int> unknown_units(const nnom::RecurrentLayer<Cell>& op) {
  using Layer = nnom::RecurrentLayer<Cell>;
  std::vector<int> shown;
  if (!is_bounded(op)) shown.push_back(Layer::kHidden);
  if (Layer::states > 1) shown.push_back(Layer::kCell);
  for (int g = 0; g < Layer::gates; ++g)
    if (!op.functions[Cell::function(g)].bounded()) shown.push_back(Layer::kGate + g);
  return shown;
}

template <class Cell>
LayerBits layer_bits(const nnom::RecurrentLayer<Cell>& op, const Node& node,
                     const NodeScales& scales) {
  using Layer = nnom::RecurrentLayer<Cell>;
  LayerBits bits;
  const double shown = most_of(scales.out);
  double most[2] = {
      is_bounded(op) ? 1
                     : measured(node, Layer::kHidden, op.shown == Layer::kHidden ? shown : kUsual),
      measured(node, Layer::kCell, kUsual)};
  // h of a GRU is a mean of itself and its candidate, which is limited to the same units.
  if (std::is_same_v<Cell, nnom::GruCell> && !op.functions[nnom::kCandidateFunction].bounded())
    most[0] = std::max(most[0], measured(node, Layer::kGate + 2, 0));
  const float* constant = node.weights.data() + op.matrices();
  for (size_t k = 0, given = 1; k < Layer::states; ++k) {
    if (op.begin[k] == nnom::Begin::input && given < scales.in.size())
      most[k] = std::max(most[k], most_of(scales.in[given++]));
    if (op.begin[k] != nnom::Begin::constant) continue;
    for (int i = 0; i < op.batch * op.units; ++i)
      most[k] = std::max(most[k], std::abs(static_cast<double>(*constant++)));
  }
  bits.hidden = bits_for(most[0]);
  bits.cell = bits_for(most[1]);
  double peephole = 0;
  for (int i = op.cell.constants(op.units); i > 0; --i)
    peephole = std::max(peephole, std::abs(static_cast<double>(*constant++)));
  bits.peephole = bits_for(peephole);
  for (int f = 0; f < nnom::kGateFunctions; ++f) {
    if (op.functions[f].bounded()) continue;
    double largest = 0;
    for (int g = 0; g < Layer::gates; ++g)
      if (Cell::function(g) == f)
        largest = std::max(largest,
                           measured(node, Layer::kGate + g, Layer::gates == 1 ? most[0] : kUsual));
    bits.function[f] = f == nnom::kOutputFunction ? bits.cell : bits_for(largest);
    bits.sum[f] = f == nnom::kOutputFunction ? bits.cell : std::min(bits.function[f] + 12, 20);
  }
  if (scales.in.empty()) return bits;
  for (const bool of_hidden : {false, true}) {
    const double in = of_hidden ? std::ldexp(1, -bits.hidden) : scales.in[0].scale;
    const double reach = of_hidden ? 0x1p22 * op.units : 0x1p15 * op.inputs;
    for (int g = 0; g < Layer::gates; ++g) {
      int& sum = bits.sum[Cell::function(g)];
      const RowScales rows = row_scales(gate_rows(op, node, of_hidden, g), in, scales);
      for (size_t r = 0; r < rows.weights.size(); ++r)
        sum = std::min(sum, sum_bits(in * rows.weights[r], reach + std::abs(rows.bias[r])));
    }
  }
  for (int f = 0; f < nnom::kGateFunctions; ++f) {
    const int least = op.functions[f].bounded() ? 12 : bits.function[f];
    bits.sum[f] = std::max(bits.sum[f], least);
  }
  return bits;
}

template LayerBits layer_bits(const nnom::RnnLayer&, const Node&, const NodeScales&);
template LayerBits layer_bits(const nnom::GruLayer&, const Node&, const NodeScales&);
template LayerBits layer_bits(const nnom::LstmLayer&, const Node&, const NodeScales&);
template std::vector<int> unknown_units(const nnom::RnnLayer&);
template std::vector<int> unknown_units(const nnom::GruLayer&);
template std::vector<int> unknown_units(const nnom::LstmLayer&);

RowScales row_scales(const GateRows& rows, double in, const NodeScales& scales) {
  const bool power_of_two = scales.scheme == Scheme::power_of_two;
  RowScales made;
  const size_t count = rows.bias.size(), length = rows.weights.size() / count;
  double largest = 0;
  for (size_t r = 0; r < count; ++r) {
    double scale = std::abs(static_cast<double>(rows.bias[r])) / in * 0x1p-28;
    for (const float v : rows.weights.subspan(r * length, length))
      scale = std::max(scale, std::abs(static_cast<double>(v)) / (power_of_two ? 128 : 127));
    if (power_of_two && scale > 0) scale = power_of_two_above(scale);
    made.weights.push_back(scale);
    largest = std::max(largest, scale);
  }
  for (size_t r = 0; r < count; ++r) {
    double& scale = made.weights[r];
    if (!scales.per_channel) scale = largest;
    if (!(scale > 0)) scale = 1;
    made.bias.push_back(std::round(static_cast<double>(rows.bias[r]) / (in * scale)));
  }
  return made;
}

nnom::Double safe_rescale(const Node& node, std::span<const double> weights, double bias,
                          double most, double factor) {
  const nnom::Double rescale = rescale_by<nnom::Double>(factor);
  double reach = std::abs(bias);
  for (const double w : weights) reach += std::abs(w) * most;
  if (std::ldexp(reach, std::max(rescale.shift, 0)) >= 0x1p31)
    throw Error(
        "layer '{}' ({}): its sums don't fit in 32 bits: its weights are too large for int8, or "
        "its "
        "units too many",
        node.name, node.source);
  return rescale;
}

}  // namespace nnomc
