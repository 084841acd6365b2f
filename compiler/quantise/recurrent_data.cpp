#include "compiler/quantise/recurrent_data.hpp"

namespace nnomc {

LstmScales lstm_scales(const Node& node, const NodeScales& scales) {
  if (node.stored)
    return {node.stored->inner.at(0), node.stored->inner.at(1), node.stored->inner.at(2)};
  constexpr double kCell = 1.0 / 2048;  // up to 16 either way
  return {scales.out, {kCell, 0}, scales.out};
}

double memory_scale(const nnom::Svdf& op, const Node& node, const NodeScales& scales) {
  if (node.stored) return node.stored->inner.at(0).scale;
  double largest = 0;
  for (int f = 0; f < op.filters(); ++f) {
    double sum = 0;
    const float* row = node.weights.data() + ptrdiff_t{f} * op.inputs;
    for (int i = 0; i < op.inputs; ++i) sum += std::abs(static_cast<double>(row[i]));
    largest = std::max(largest, sum * most_of(scales.in[0]));
  }
  return largest > 0 ? largest / 32767 : 1;
}

}  // namespace nnomc
