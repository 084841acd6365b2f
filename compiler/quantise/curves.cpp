#include "compiler/quantise/curves.hpp"

#include <algorithm>
#include <cmath>

#include "compiler/quantise/fixed_point.hpp"

namespace nnomc {
namespace {

using nnom::Activation, nnom::Form, nnom::Function;

/// TFLite's table of 513 values: between two of them it draws a line, and each is moved by half of
/// what the line would be off in its middle. All steps round to `Real`.
template <class Real>
class Table {
 public:
  Table(Quantisation in, Quantisation out)
      : first_(end(in, in.lowest())),
        last_(end(in, in.highest())),
        inverse_(65536 / (end(out, out.highest()) - end(out, out.lowest()))) {}

  template <class F>
  std::vector<int16_t> of(F function) const {
    const Real step = (last_ - first_) / 512, half = step / 2;
    const auto value = [&](Real x) -> Real { return function(x) * inverse_; };
    std::vector<int16_t> table;
    for (int i = 0; i < 512; ++i) {
      const Real x = first_ + static_cast<Real>(i) * step;
      const Real next = value(first_ + static_cast<Real>(i + 1) * step);
      const Real sample = std::round(value(x)), middle = std::round(value(x + half));
      const Real line = std::round((next + sample) / 2);
      table.push_back(limited(sample - std::round((line - middle) / 2)));
    }
    table.push_back(limited(std::round(value(last_))));
    return table;
  }

 private:
  static Real end(const Quantisation& q, int stored) {
    return static_cast<Real>(q.scale) * static_cast<Real>(stored - q.zero);
  }
  static int16_t limited(Real v) {
    return static_cast<int16_t>(
        std::clamp(v, static_cast<Real>(INT16_MIN), static_cast<Real>(INT16_MAX)));
  }

  Real first_, last_, inverse_;
};

/// What the function gives in float, by TFLite's steps.
float in_float(const Activation& op, const Quantisation& out, float x) {
  switch (op.function) {
    case Function::gelu: {
      constexpr float kRoot = 0.70710678118654752f;
      return 0.5f * x * (1 + static_cast<float>(std::erf(static_cast<double>(x * kRoot))));
    }
    case Function::log:
      if (x <= 0) return static_cast<float>(out.scale) * static_cast<float>(out.lowest());
      break;
    default:
      break;
  }
  const auto y = static_cast<float>(Activation::apply(op, static_cast<double>(x)));
  return std::isnan(y) ? 0 : y;
}

Curve tabulated(const Activation& op, const NodeScales& s) {
  Curve c;
  c.form = Form::table;
  c.table = Table<float>(s.in[0], s.out).of([&](float x) { return in_float(op, s.out, x); });
  return c;
}

/// Factors of numbers above and below zero.
Curve scaled(const NodeScales& s, bool single, float slope) {
  const double in = s.in[0].scale, out = s.out.scale;
  double above = in / out, below = in * static_cast<double>(slope) / out;
  if (single) {
    const auto i = static_cast<float>(in), o = static_cast<float>(out);
    above = static_cast<double>(i / o), below = static_cast<double>(i * slope / o);
  }
  Curve c;
  c.positive = rescale_by<nnom::Double>(above);
  c.negative = rescale_by<nnom::Double>(std::abs(below));
  c.minus = slope < 0;
  return c;
}

/// The same factor for all, within [low, high].
Curve limited(const NodeScales& s, bool single, float low, float high) {
  Curve c = scaled(s, single, 1);
  c.lowest = quantise_limit<nnom::Double>(low, s.out);
  c.highest = quantise_limit<nnom::Double>(high, s.out);
  return c;
}

/// Whether the scale is 2^(power - 12), as near as TFLite asks.
bool is_power(double scale, int power) {
  const double log = std::log2(scale);
  return std::abs(log - std::round(log)) < 1e-3 && std::lround(log) + 12 == power;
}

Curve sigmoid(double scale, bool single, bool tanh) {
  Curve c;
  c.form = tanh ? Form::tanh : Form::logistic;
  for (int power = 0; power <= (tanh ? 1 : 0); ++power) {
    if (!is_power(scale, power)) continue;
    if (single) c.form = tanh ? Form::brief_tanh : Form::brief_logistic;
    c.positive = {(single ? 1 : 3) << power, 0};
    return c;
  }
  double factor = scale * 12288;
  for (; factor <= 32767.0 / 2 && c.positive.shift <= 30; factor *= 2) ++c.positive.shift;
  c.positive.multiplier = static_cast<int32_t>(std::min(factor, 2147483647.0));
  return c;
}

template <class Real>
std::vector<int16_t> powers() {
  const Real one = 1, ten = 10;
  return Table<Real>({static_cast<double>(ten / 65535), 32767, 16},
                     {static_cast<double>(2 * one / 65535), 0, 16})
      .of([](Real x) { return static_cast<Real>(std::exp(static_cast<double>(x))); });
}
template <class Real>
std::vector<int16_t> inverses() {
  const Real one = 1;
  return Table<Real>({static_cast<double>(one / 65535), -32768, 16},
                     {static_cast<double>(2 * one / 65535), 0, 16})
      .of([](Real x) { return 1 / (1 + x); });
}

}  // namespace

Curve curve_of(const Activation& op, const NodeScales& s, bool single) {
  const float all = std::numeric_limits<float>::infinity();
  switch (op.function) {
    case Function::linear:  // QUANTIZE
      return limited(s, false, -all, all);
    case Function::relu:
      if (op.threshold != 0) return tabulated(op, s);
      if (op.slope == 0) return limited(s, single, 0, op.high);
      return std::isinf(op.high) ? scaled(s, single, op.slope) : tabulated(op, s);
    case Function::clip:
      return limited(s, single, op.threshold, op.high);
    case Function::abs: {
      Curve c = scaled(s, single, 1);
      c.form = Form::size;
      return c;
    }
    case Function::negative: {
      Curve c;
      c.form = Form::negated;
      return c;
    }
    case Function::sigmoid:
      return sigmoid(s.in[0].scale, single, false);
    case Function::tanh:
      return sigmoid(s.in[0].scale, single, true);
    default:
      return tabulated(op, s);
  }
}

std::vector<int16_t> widening_table(const NodeScales& s) {
  const auto rescale = rescale_by<nnom::Double>(s.in[0].scale / s.out.scale);
  std::vector<int16_t> table;
  for (int q = -128; q < 128; ++q)
    table.push_back(static_cast<int16_t>(
        std::clamp(rescale(q - s.in[0].zero) + s.out.zero, INT16_MIN, INT16_MAX)));
  return table;
}

std::vector<int16_t> softmax_powers(bool single) {
  return single ? powers<double>() : powers<float>();
}
std::vector<int16_t> softmax_inverses(bool single) {
  return single ? inverses<double>() : inverses<float>();
}

}  // namespace nnomc
