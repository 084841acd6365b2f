#include "tests/oracle_recurrent_layer.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "compiler/quantise/recurrent_layer_data.hpp"
#include "nnom/tanh16.hpp"
#include "tests/oracle.hpp"
#include "tests/rescale_oracle.hpp"

namespace nnomc::oracle {
namespace {

size_t at(int i) { return static_cast<size_t>(i); }

/// Where the constants of a node lie.
struct Constants {
  const Node& node;
  int gates, units, inputs;

  size_t weight(int g, int u, int i) const { return at((g * units + u) * inputs + i); }
  size_t recurrent(int g, int u, int i) const {
    return at(gates * units * inputs + (g * units + u) * units + i);
  }
  size_t others() const { return at(gates * units * (inputs + units)); }
  double bias(int g, int u, bool of_hidden) const {
    return node.bias.empty()
               ? 0
               : static_cast<double>(node.bias[at(((of_hidden ? gates : 0) + g) * units + u)]);
  }
};

/// Numbers of a layer, the same for real and stored ones: T is double or int64_t.
template <class T>
using List = std::vector<T>;

/// Runs a layer: step(row, h, c, gates) makes new h and c; finish(v) an element of the output.
template <class T, class Cell>
List<T> sequences(const nnom::RecurrentLayer<Cell>& op, const List<List<T>>& in,
                  const std::function<T(int, int, int)>& begin, const auto& step) {
  using Layer = nnom::RecurrentLayer<Cell>;
  List<T> out(at((op.sequences ? op.steps : 1) * op.batch * op.units));
  for (int b = 0; b < op.batch; ++b) {
    List<T> h, c, gates;
    for (int u = 0; u < op.units; ++u) {
      h.push_back(begin(0, b, u));
      c.push_back(Layer::states > 1 ? begin(1, b, u) : T(0));
    }
    for (int i = 0; i < op.steps; ++i) {
      const int t = op.backwards ? op.steps - 1 - i : i;
      const auto row = in[0].begin() + (t * op.batch + b) * op.inputs;
      step(List<T>(row, row + op.inputs), h, c, gates);
      if (!op.sequences && i < op.steps - 1) continue;
      for (int u = 0; u < op.units; ++u)
        out[at(((op.sequences ? t : 0) * op.batch + b) * op.units + u)] =
            op.shown == Layer::kHidden ? h[at(u)]
            : op.shown == Layer::kCell ? c[at(u)]
                                       : gates[at((op.shown - Layer::kGate) * op.units + u)];
    }
  }
  return out;
}

double value_of(const nnom::GateFunction& f, double x) {
  using nnom::Function;
  if (f.function == Function::sigmoid) return 1 / (1 + std::exp(-x));
  if (f.function == Function::tanh) return std::tanh(x);
  if (f.function == Function::relu) return std::max(x, 0.0);
  if (f.function == Function::hard_sigmoid)
    return std::clamp(static_cast<double>(f.slope) * x + static_cast<double>(f.offset), 0.0, 1.0);
  return x;
}

/// One cell, in reals. `w(g, u)` and `r(g, u, h)` are the products with the input and with h.
struct RealCell {
  using W = std::function<double(int, int)>;
  using R = std::function<double(int, int, const List<double>&)>;
  const nnom::GateFunction* f;  // of gates, candidate, output
  const W& w;
  const R& r;
  const float* peepholes;
  int units;
  List<double>&h, &c, &gates;

  void operator()(const nnom::RnnCell&) {
    for (int u = 0; u < units; ++u) gates.push_back(value_of(f[1], w(0, u) + r(0, u, h)));
    h = gates;
  }
  void operator()(const nnom::GruCell& cell) {
    for (int g = 0; g < 2; ++g)
      for (int u = 0; u < units; ++u) gates.push_back(value_of(f[0], w(g, u) + r(g, u, h)));
    const auto reset = [&](int u) { return gates[at(units + u)]; };
    List<double> after = h;
    // Kept as a float, like h.
    for (int u = 0; u < units; ++u)
      after[at(u)] = static_cast<double>(static_cast<float>(after[at(u)] * reset(u)));
    for (int u = 0; u < units; ++u)
      gates.push_back(
          value_of(f[1], w(2, u) + (cell.reset_after ? reset(u) * r(2, u, h) : r(2, u, after))));
    for (int u = 0; u < units; ++u)
      h[at(u)] = (1 - gates[at(u)]) * gates[at(2 * units + u)] + gates[at(u)] * h[at(u)];
  }
  void operator()(const nnom::LstmCell& cell) {
    const auto peep = [&](int p, int u) {
      return cell.peepholes ? static_cast<double>(peepholes[p * units + u]) * c[at(u)] : 0;
    };
    const List<double> before = h;
    for (int g = 0; g < 4; ++g) {
      for (int u = 0; g == 3 && u < units; ++u)
        c[at(u)] = gates[at(units + u)] * c[at(u)] + gates[at(u)] * gates[at(2 * units + u)];
      for (int u = 0; u < units; ++u)
        gates.push_back(value_of(
            f[g == 2], w(g, u) + r(g, u, before) + (g == 2 ? 0 : peep(g == 3 ? 2 : g, u))));
    }
    for (int u = 0; u < units; ++u) h[at(u)] = gates[at(3 * units + u)] * value_of(f[2], c[at(u)]);
  }
};

}  // namespace

template <class Cell>
std::vector<double> recurrent_layer(const nnom::RecurrentLayer<Cell>& op, const Node& node,
                                    const std::vector<std::vector<double>>& in) {
  using Layer = nnom::RecurrentLayer<Cell>;
  const Constants k{node, Layer::gates, op.units, op.inputs};
  const auto begin = [&](int state, int b, int u) -> double {
    size_t given = 1, constant = k.others();
    for (int s = 0; s < state; ++s) {
      given += op.begin[s] == nnom::Begin::input;
      constant += op.begin[s] == nnom::Begin::constant ? at(op.batch * op.units) : 0;
    }
    if (op.begin[state] == nnom::Begin::input) return in[given][at(b * op.units + u)];
    if (op.begin[state] == nnom::Begin::constant)
      return static_cast<double>(node.weights[constant + at(b * op.units + u)]);
    return 0;
  };
  const float* peepholes =
      node.weights.data() + node.weights.size() - at(op.cell.constants(op.units));
  return sequences<double>(
      op, in, std::function<double(int, int, int)>(begin),
      [&](const List<double>& x, List<double>& h, List<double>& c, List<double>& gates) {
        const RealCell::W w = [&](int g, int u) {
          double sum = k.bias(g, u, false);
          for (int i = 0; i < op.inputs; ++i)
            sum += static_cast<double>(node.weights[k.weight(g, u, i)]) * x[at(i)];
          return sum;
        };
        const RealCell::R r = [&](int g, int u, const List<double>& from) {
          double sum = k.bias(g, u, true);
          for (int i = 0; i < op.units; ++i)
            sum += static_cast<double>(node.weights[k.recurrent(g, u, i)]) * from[at(i)];
          return sum;
        };
        gates.clear();
        RealCell{op.functions, w, r, peepholes, op.units, h, c, gates}(op.cell);
        // A layer keeps h as a float.
        for (double& v : h) v = static_cast<double>(static_cast<float>(v));
      });
}

namespace {

int64_t clamp16(int64_t v) { return std::clamp<int64_t>(v, -32768, 32767); }

/// `v` in units of 2^-from, in units of 2^-to.
int64_t moved(int64_t v, int from, int to) {
  const int64_t most = int64_t{1} << 29;
  return std::clamp(from >= to ? static_cast<int64_t>(nearest_up(v, from - to)) : v << (to - from),
                    -most, most - 1);
}

/// A row of weights as integers over `scale`, which is that of the products; the sum is scaled to
/// units of 2^-bits.
struct Row {
  std::vector<int64_t> weights;
  int64_t bias;
  double factor;

  int64_t dot(const List<int64_t>& x) const {
    int64_t sum = bias;
    for (size_t i = 0; i < weights.size(); ++i) sum += weights[i] * x[i];
    return double_rounding(static_cast<int32_t>(sum), factor_of(static_cast<long double>(factor)))
        .value();
  }
};

/// Row u of gate g: each row has a scale, or each gate.
Row row_of(const Constants& k, int g, int u, bool of_hidden, double in, double unit,
           const NodeScales& scales) {
  const bool shifts = scales.scheme == Scheme::power_of_two;
  const int length = of_hidden ? k.units : k.inputs;
  const auto weight = [&](int r, int i) {
    return static_cast<double>(
        k.node.weights[of_hidden ? k.recurrent(g, r, i) : k.weight(g, r, i)]);
  };
  double scale = 0;
  for (int r = scales.per_channel ? u : 0; r < (scales.per_channel ? u + 1 : k.units); ++r) {
    scale = std::max(scale, std::abs(k.bias(g, r, of_hidden)) / in / std::ldexp(1, 28));
    for (int i = 0; i < length; ++i)
      scale = std::max(scale, std::abs(weight(r, i)) / (shifts ? 128 : 127));
  }
  if (shifts && scale > 0) scale = power_of_two(scale);
  if (scale == 0) scale = 1;
  Row row{{}, std::llround(k.bias(g, u, of_hidden) / (in * scale)), in * scale / unit};
  for (int i = 0; i < length; ++i)
    row.weights.push_back(std::min(std::llround(weight(u, i) / scale), 127LL));
  return row;
}

/// One cell, in integers. Names as of RealCell.
struct StoredCell {
  using W = std::function<int64_t(int, int)>;
  using R = std::function<int64_t(int, int, const List<int64_t>&)>;
  const nnom::GateFunction* f;
  const LayerBits& bits;
  const W& w;
  const R& r;
  const float* peepholes;
  int units;
  List<int64_t>&h, &c, &gates;

  int64_t squashed(int which, int64_t sum) const {
    using nnom::Function;
    const int in = bits.sum[which];
    const nnom::GateFunction& function = f[which];
    if (function.function == Function::sigmoid)
      return nnom::tanh16::logistic(static_cast<int>(sum), in);
    if (function.function == Function::tanh) return nnom::tanh16::tanh(static_cast<int>(sum), in);
    const int64_t value = clamp16(moved(sum, in, bits.function[which]));
    if (function.function == Function::relu) return std::max<int64_t>(value, 0);
    if (function.function != Function::hard_sigmoid) return value;
    const int64_t slope = std::llround(std::ldexp(static_cast<double>(function.slope), 24));
    const int64_t offset = std::llround(std::ldexp(static_cast<double>(function.offset), 24));
    return std::clamp<int64_t>(moved(sum * slope + offset * (int64_t{1} << in), in + 9, 0), 0,
                               32767);
  }
  int64_t sum(int64_t x, int64_t y) const {
    const int64_t most = int64_t{1} << 28;
    return std::clamp(x, -most, most - 1) + std::clamp(y, -most, most - 1);
  }
  int64_t gated(int64_t gate, int64_t v) const { return moved(gate * v, bits.function[0], 0); }

  void operator()(const nnom::RnnCell&) {
    for (int u = 0; u < units; ++u) gates.push_back(squashed(1, sum(w(0, u), r(0, u, h))));
    for (int u = 0; u < units; ++u)
      h[at(u)] = clamp16(moved(gates[at(u)], bits.function[1], bits.hidden));
  }
  void operator()(const nnom::GruCell& cell) {
    for (int g = 0; g < 2; ++g)
      for (int u = 0; u < units; ++u) gates.push_back(squashed(0, sum(w(g, u), r(g, u, h))));
    List<int64_t> after;
    for (int u = 0; u < units; ++u) after.push_back(clamp16(gated(gates[at(units + u)], h[at(u)])));
    for (int u = 0; u < units; ++u)
      gates.push_back(
          squashed(1, sum(w(2, u), cell.reset_after ? gated(gates[at(units + u)], r(2, u, h))
                                                    : r(2, u, after))));
    for (int u = 0; u < units; ++u) {
      const int64_t n = clamp16(moved(gates[at(2 * units + u)], bits.function[1], bits.hidden));
      h[at(u)] = clamp16(n + gated(gates[at(u)], h[at(u)] - n));
    }
  }
  /// Both products in units fine enough for both; the sum is rounded.
  int64_t cell_of(int64_t forgotten, int64_t added) const {
    const int old = bits.function[0] + bits.cell, now = bits.function[0] + bits.function[1];
    const Exact sum = (Exact{forgotten} << now) + (Exact{added} << old);
    return clamp16(static_cast<int64_t>(
        std::clamp<Exact>(nearest_up(sum, old + now - bits.cell), -32768, 32767)));
  }
  void operator()(const nnom::LstmCell& cell) {
    const auto peep = [&](int p, int u) -> int64_t {
      const double real = static_cast<double>(peepholes[p * units + u]);
      const int64_t v = clamp16(std::llround(std::ldexp(real, bits.peephole)));
      return moved(v * c[at(u)], bits.peephole + bits.cell, bits.sum[0]);
    };
    const List<int64_t> before = h;
    for (int g = 0; g < 4; ++g) {
      for (int u = 0; g == 3 && u < units; ++u)
        c[at(u)] =
            cell_of(gates[at(units + u)] * c[at(u)], gates[at(u)] * gates[at(2 * units + u)]);
      for (int u = 0; u < units; ++u) {
        int64_t both = sum(w(g, u), r(g, u, before));
        if (cell.peepholes && g != 2) both = sum(both, peep(g == 3 ? 2 : g, u));
        gates.push_back(squashed(g == 2, both));
      }
    }
    for (int u = 0; u < units; ++u) {
      const int64_t v = squashed(2, moved(c[at(u)], bits.cell, bits.sum[2]));
      h[at(u)] = clamp16(
          moved(gates[at(3 * units + u)] * v, bits.function[0] + bits.function[2], bits.hidden));
    }
  }
};

}  // namespace

template <class Cell>
std::vector<int> stored_recurrent_layer(const nnom::RecurrentLayer<Cell>& op, const Node& node,
                                        const NodeScales& scales,
                                        const std::vector<std::vector<int64_t>>& in) {
  using Layer = nnom::RecurrentLayer<Cell>;
  const Constants k{node, Layer::gates, op.units, op.inputs};
  const LayerBits bits = layer_bits(op, node, scales);
  const auto scaled = [](int64_t v, double factor) -> int64_t {
    return double_rounding(static_cast<int32_t>(v), factor_of(static_cast<long double>(factor)))
        .value();
  };
  const auto begin = [&](int state, int b, int u) -> int64_t {
    size_t given = 1, constant = k.others();
    for (int s = 0; s < state; ++s) {
      given += op.begin[s] == nnom::Begin::input;
      constant += op.begin[s] == nnom::Begin::constant ? at(op.batch * op.units) : 0;
    }
    const int to = state ? bits.cell : bits.hidden;
    if (op.begin[state] == nnom::Begin::input)
      return clamp16(
          scaled(in[given][at(b * op.units + u)], std::ldexp(scales.in[given].scale, to)));
    if (op.begin[state] == nnom::Begin::constant)
      return clamp16(std::llround(
          std::ldexp(static_cast<double>(node.weights[constant + at(b * op.units + u)]), to)));
    return 0;
  };
  std::vector<Row> rows[2];
  for (const bool of_hidden : {false, true})
    for (int g = 0; g < Layer::gates; ++g)
      for (int u = 0; u < op.units; ++u) {
        const int f = Layer::gates == 1 || (Layer::gates > 2 && g == 2) ? 1 : 0;
        const int unit = bits.sum[f];
        rows[of_hidden].push_back(
            row_of(k, g, u, of_hidden, of_hidden ? std::ldexp(1, -bits.hidden) : scales.in[0].scale,
                   std::ldexp(1, -unit), scales));
      }
  const float* peepholes =
      node.weights.data() + node.weights.size() - at(op.cell.constants(op.units));
  const List<int64_t> shown = sequences<int64_t>(
      op, in, std::function<int64_t(int, int, int)>(begin),
      [&](const List<int64_t>& x, List<int64_t>& h, List<int64_t>& c, List<int64_t>& gates) {
        const StoredCell::W w = [&](int g, int u) { return rows[0][at(g * op.units + u)].dot(x); };
        const StoredCell::R r = [&](int g, int u, const List<int64_t>& from) {
          return rows[1][at(g * op.units + u)].dot(from);
        };
        gates.clear();
        StoredCell{op.functions, bits, w, r, peepholes, op.units, h, c, gates}(op.cell);
      });
  const int unit = op.shown == Layer::kHidden ? bits.hidden : bits.cell;
  std::vector<int> out;
  for (const int64_t v : shown)
    out.push_back(static_cast<int>(std::clamp<int64_t>(
        scaled(v << 14, std::ldexp(1, -unit - 14) / scales.out.scale) + scales.out.zero, -128,
        127)));
  return out;
}

template std::vector<double> recurrent_layer(const nnom::RnnLayer&, const Node&,
                                             const std::vector<std::vector<double>>&);
template std::vector<double> recurrent_layer(const nnom::GruLayer&, const Node&,
                                             const std::vector<std::vector<double>>&);
template std::vector<double> recurrent_layer(const nnom::LstmLayer&, const Node&,
                                             const std::vector<std::vector<double>>&);
template std::vector<int> stored_recurrent_layer(const nnom::RnnLayer&, const Node&,
                                                 const NodeScales&,
                                                 const std::vector<std::vector<int64_t>>&);
template std::vector<int> stored_recurrent_layer(const nnom::GruLayer&, const Node&,
                                                 const NodeScales&,
                                                 const std::vector<std::vector<int64_t>>&);
template std::vector<int> stored_recurrent_layer(const nnom::LstmLayer&, const Node&,
                                                 const NodeScales&,
                                                 const std::vector<std::vector<int64_t>>&);

}  // namespace nnomc::oracle
