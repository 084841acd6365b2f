#include "tests/oracle_recurrent.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "nnom/fixed16.hpp"
#include "tests/rescale_oracle.hpp"

namespace nnomc::oracle {
namespace {

size_t at(int i) { return static_cast<size_t>(i); }

/// `count` rows of `length` numbers from `from` on.
std::span<const float> row(const Node& node, size_t from, int r, int length) {
  return std::span(node.weights).subspan(from + at(r) * at(length), at(length));
}

double dot(std::span<const float> w, const double* x) {
  double sum = 0;
  for (const float v : w) sum += static_cast<double>(v) * *x++;
  return sum;
}

double largest(std::span<const float> values) {
  double most = 0;
  for (const float v : values) most = std::max(most, std::abs(static_cast<double>(v)));
  return most;
}

int clamp16(int64_t v) { return static_cast<int>(std::clamp<int64_t>(v, -32768, 32767)); }

/// An accumulator times a factor, which desktop TFLite has as a float.
int64_t scaled(int64_t acc, double a, double b, double out, Rounding rounding) {
  double factor = a * b / out;
  if (rounding == Rounding::single_rounding)
    factor = static_cast<double>(static_cast<float>(a) * static_cast<float>(b) /
                                 static_cast<float>(out));
  return double_rounding(static_cast<int32_t>(acc), factor_of(static_cast<long double>(factor)))
      .value();
}

/// A matrix of integers, and its scale.
struct Integers {
  std::span<const float> real;
  double scale;
  int64_t dot(int r, int length, const int64_t* x) const {
    int64_t sum = 0;
    for (int k = 0; k < length; ++k)
      sum += std::llround(static_cast<double>(real[at(r) * at(length) + at(k)]) / scale) * x[k];
    return sum;
  }
};
Integers integers(std::span<const float> real) {
  const double most = largest(real);
  return {real, most > 0 ? most / 127 : 1};
}

}  // namespace

std::vector<double> lstm(const nnom::Lstm& op, const Node& node, const std::vector<double>& in) {
  const auto units = static_cast<size_t>(op.units);
  const size_t w = units * static_cast<size_t>(op.inputs), r = units * units;
  std::vector<double> c(units), h(units), out;
  for (int t = 0; t < op.steps; ++t) {
    const std::vector<double> before = h;
    for (int u = 0; u < op.units; ++u) {
      double sum[4];
      const auto i = static_cast<size_t>(u);
      for (size_t g = 0; g < 4; ++g)
        sum[g] = dot(row(node, g * w, u, op.inputs), in.data() + t * op.inputs) +
                 dot(row(node, 4 * w + g * r, u, op.units), before.data()) +
                 (node.bias.empty() ? 0 : static_cast<double>(node.bias[g * units + i]));
      const auto logistic = [](double x) { return 1 / (1 + std::exp(-x)); };
      c[i] = logistic(sum[1]) * c[i] + logistic(sum[0]) * std::tanh(sum[2]);
      if (op.clip > 0)
        c[i] = std::clamp(c[i], -static_cast<double>(op.clip), static_cast<double>(op.clip));
      h[i] = static_cast<double>(static_cast<float>(logistic(sum[3]) * std::tanh(c[i])));
    }
    out.insert(out.end(), h.begin(), h.end());
  }
  return out;
}

std::vector<double> svdf(const nnom::Svdf& op, const Node& node, const std::vector<double>& in) {
  std::vector<double> out;
  const size_t times = at(op.units) * at(op.rank) * at(op.inputs);
  for (int u = 0; u < op.units; ++u) {
    double sum = node.bias.empty() ? 0 : static_cast<double>(node.bias[static_cast<size_t>(u)]);
    for (int f = u * op.rank; f < (u + 1) * op.rank; ++f)
      sum += dot(row(node, 0, f, op.inputs), in.data()) *
             static_cast<double>(row(node, times, f, op.memory_size).back());
    out.push_back(sum);
  }
  return out;
}

std::vector<int> stored_lstm(const nnom::Lstm& op, const Node& node, const NodeScales& scales,
                             Rounding rounding, const std::vector<int64_t>& in) {
  const bool single = rounding == Rounding::single_rounding;
  const auto units = static_cast<size_t>(op.units);
  const size_t w = units * static_cast<size_t>(op.inputs), r = units * units;
  const double x_scale = scales.in[0].scale, h_scale = scales.out.scale, gate = 1.0 / 4096;
  std::vector<Integers> matrices;
  for (size_t g = 0; g < 4; ++g)
    matrices.push_back(integers(std::span(node.weights).subspan(g * w, w)));
  for (size_t g = 0; g < 4; ++g)
    matrices.push_back(integers(std::span(node.weights).subspan(4 * w + g * r, r)));
  const int clip = op.clip > 0 ? std::min(static_cast<int>(op.clip * 2048), 32767) : 32767;
  std::vector<int> out, c(units);
  std::vector<int64_t> h(units);  // relative to its zero point
  for (int t = 0; t < op.steps; ++t) {
    const std::vector<int64_t> before = h;
    for (int u = 0; u < op.units; ++u) {
      const auto i = static_cast<size_t>(u);
      int v[4];
      for (size_t g = 0; g < 4; ++g) {
        const Integers &mw = matrices[g], &mr = matrices[4 + g];
        const double real = node.bias.empty() ? 0 : static_cast<double>(node.bias[g * units + i]);
        const int64_t bias = std::llround(real / (x_scale * mw.scale));
        const int64_t a = scaled(mw.dot(u, op.inputs, in.data() + t * op.inputs) + bias, x_scale,
                                 mw.scale, gate, rounding);
        const int64_t b =
            scaled(mr.dot(u, op.units, before.data()), h_scale, mr.scale, gate, rounding);
        const int sum = clamp16(clamp16(a) + (single ? b : clamp16(b)));
        if (g == 2)
          v[g] = single ? nnom::gemmlowp16::tanh(sum, 3) : nnom::table16::tanh(3 * sum);
        else
          v[g] = single ? nnom::gemmlowp16::logistic(sum, 3) : nnom::table16::logistic(3 * sum);
      }
      // The cell is in units of 2^-11, gates in units of 2^-15.
      const auto part = [&](int64_t product, int bits) {
        const auto rounded = static_cast<int64_t>(nearest_away(product, bits));
        return single ? rounded : clamp16(rounded);
      };
      c[i] = clamp16(part(int64_t{v[1]} * c[i], 15) + part(int64_t{v[0]} * v[2], 19));
      c[i] = std::clamp(c[i], -clip, clip);
      const int squashed = single ? nnom::gemmlowp16::tanh(c[i], 4) : nnom::table16::tanh(6 * c[i]);
      double factor = std::ldexp(1, -30) / h_scale;
      if (single) factor = static_cast<double>(static_cast<float>(factor));
      const int64_t y =
          double_rounding(v[3] * squashed, factor_of(static_cast<long double>(factor))).value() +
          scales.out.zero;
      out.push_back(static_cast<int>(std::clamp<int64_t>(y, -128, 127)));
      h[i] = out.back() - scales.out.zero;
    }
  }
  return out;
}

std::vector<int64_t> stored_svdf(const nnom::Svdf& op, const Node& node, const NodeScales& scales,
                                 Rounding rounding, const std::vector<int64_t>& in) {
  const size_t times = at(op.units) * at(op.rank) * at(op.inputs);
  const Integers features = integers(std::span(node.weights).first(times));
  const double most = largest(std::span(node.weights).subspan(times));
  const double time = most > 0 ? most / 32767 : 127.0 / 32767;
  const Quantisation& x = scales.in[0];
  double reach = 0;  // of a filter: no memory leaves 16 bits
  for (int f = 0; f < op.units * op.rank; ++f) {
    double sum = 0;
    for (const float v : row(node, 0, f, op.inputs)) sum += std::abs(static_cast<double>(v));
    reach = std::max(reach, sum * x.scale * std::max(127 - x.zero, x.zero + 128));
  }
  const double memory = reach > 0 ? reach / 32767 : 1;
  std::vector<int64_t> out;
  for (int u = 0; u < op.units; ++u) {
    const double real =
        node.bias.empty() ? 0 : static_cast<double>(node.bias[static_cast<size_t>(u)]);
    int64_t acc = std::llround(std::clamp(real / (memory * time), -2147483648.0, 2147483647.0));
    for (int f = u * op.rank; f < (u + 1) * op.rank; ++f)
      acc += clamp16(scaled(features.dot(f, op.inputs, in.data()), x.scale, features.scale, memory,
                            rounding)) *
             std::llround(static_cast<double>(row(node, times, f, op.memory_size).back()) / time);
    out.push_back(scaled(acc, memory, time, scales.out.scale, rounding));
  }
  return out;
}

}  // namespace nnomc::oracle
