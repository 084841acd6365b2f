#include "compiler/quantise/tflite_tables.hpp"

#include <algorithm>
#include <cmath>

#include "compiler/quantise/fixed_point.hpp"
#include "compiler/quantise/gemmlowp.hpp"
#include "nnom/fixed.hpp"

namespace nnomc {
namespace {

using nnom::Activation;
using nnom::Function;
using Table = std::vector<int8_t>;

/// Scales as floats, and zero points. Desktop TFLite computes factors in float, TFLite Micro in
/// double.
struct Scales {
  Scales(const NodeScales& s, bool is_single)
      : single(is_single),
        exact_in(s.in[0].scale),
        exact_out(s.out.scale),
        in(static_cast<float>(s.in[0].scale)),
        out(static_cast<float>(s.out.scale)),
        in_zero(s.in[0].zero),
        out_zero(s.out.zero) {}

  bool single;
  double exact_in, exact_out;
  float in, out;
  int in_zero, out_zero;

  float ratio() const { return in / out; }
};

/// NaN, which only absurd scales give, is 0.
int8_t limited(double v) {
  return static_cast<int8_t>(std::isnan(v) ? 0 : std::clamp(v, -128.0, 127.0));
}

/// y(v) for each stored input less its zero point, plus the zero point of the output.
template <class F>
Table table(const Scales& s, F y) {
  Table t;
  for (int q = -128; q < 128; ++q) t.push_back(limited(double(y(q - s.in_zero)) + s.out_zero));
  return t;
}

/// g(x) in float, times one over the scale. XNNPACK rounds after adding the zero point, halves to
/// even; TFLite before, halves away from zero.
template <bool xnnpack, class G>
Table float_table(const Scales& s, G g) {
  const float inverse = 1 / s.out;
  Table t;
  for (int q = -128; q < 128; ++q) {
    const float y = g(s.in * static_cast<float>(q - s.in_zero)) * inverse;
    const auto zero = static_cast<float>(s.out_zero);
    t.push_back(
        limited(static_cast<double>(xnnpack ? std::nearbyint(y + zero) : std::round(y) + zero)));
  }
  return t;
}

/// TFLite Micro's: values of 4 bits before the point; `bits` of the function's 31 are dropped.
template <class F>
std::vector<int8_t> fixed_table(const Quantisation& in, int bits, int zero, F function) {
  const double factor = in.scale * (1 << 27);
  const auto rescale = rescale_by<nnom::Double>(factor);
  const double radius = std::floor(std::ldexp(15, 27 - (std::ilogb(factor) + 1)));
  std::vector<int8_t> table;
  for (int q = -128; q < 128; ++q) {
    const int x = q - in.zero;
    const int y = x <= -radius  ? -128
                  : x >= radius ? 127
                                : nnom::shifted_down(function(rescale(x)), bits) + zero;
    table.push_back(static_cast<int8_t>(std::clamp(y, -128, 127)));
  }
  return table;
}

nnom::Double factor(float f) { return rescale_by<nnom::Double>(static_cast<double>(f)); }
nnom::Double ratio_factor(const Scales& s) {
  return s.single ? factor(s.ratio()) : rescale_by<nnom::Double>(s.exact_in / s.exact_out);
}

/// XNNPACK has eight bits behind the point.
int in_eighths(float ratio) { return static_cast<int>(std::nearbyint(256 * ratio)); }
bool fits_eighths(float ratio) { return ratio >= 1.0f / 256 && ratio <= 128; }

/// QUANTIZE of int8.
template <bool single>
Table linear(const Scales& s) {
  if (single && fits_eighths(s.ratio())) {
    const int m = in_eighths(s.ratio());
    return table(s, [&](int v) { return (v * m + 128) >> 8; });
  }
  return table(s, rescale_by<nnom::Double>(s.exact_in / s.exact_out));
}

template <bool single>
Table leaky_relu(const Scales& s, float alpha) {
  const float negative = s.ratio() * alpha;
  if (single && fits_eighths(s.ratio()) && std::abs(negative) >= 1.0f / 256 &&
      negative >= -127.99609375f && negative <= 128) {
    const int above = in_eighths(s.ratio()), below = in_eighths(negative);
    return table(s, [&](int v) { return (v * (v >= 0 ? above : below) + 128) >> 8; });
  }
  const nnom::Double above = ratio_factor(s);
  const nnom::Double below = single ? factor(std::abs(s.in * alpha / s.out))
                                    : rescale_by<nnom::Double>(std::abs(
                                          s.exact_in * static_cast<double>(alpha) / s.exact_out));
  return table(s, [&](int v) { return v >= 0 ? above(v) : alpha < 0 ? -below(v) : below(v); });
}

/// RELU, RELU_N1_TO_1, and RELU6 where both scales are the same.
Table limited_to(const Scales& s, float low, float high) {
  const nnom::Double rescale = ratio_factor(s);
  const auto steps = [&](float v) {
    return static_cast<int>(std::round(std::clamp(v / s.out, -1e6f, 1e6f)));
  };
  return table(s, [&](int v) { return std::clamp<int>(rescale(v), steps(low), steps(high)); });
}

Table absolute(const Scales& s) {
  const nnom::Double rescale = ratio_factor(s);
  return table(s, [&](int v) { return s.in == s.out ? std::abs(v) : rescale(std::abs(v)); });
}

// HARD_SWISH, in 16 bits.

int16_t to_16_bits(int32_t multiplier) {
  return static_cast<int16_t>(multiplier >= 0x7FFF0000 ? 0x7FFF : (multiplier + (1 << 15)) >> 16);
}
int saturated(int v) { return std::clamp(v, -32768, 32767); }
/// a * b / 2^15, nearest, halves up.
int high_16(int a, int b) {
  const int product = a * b, nudge = product >= 0 ? 1 << 14 : 1 - (1 << 14);
  return saturated((product + nudge) / (1 << 15));
}

Table hard_swish(const Scales& s) {
  const float high_scale = s.in * (1.0f / 128);
  const nnom::Double output = factor(high_scale / s.out);
  const nnom::Double to_unit = factor(high_scale / (3.0f / 32768));
  if (output.shift > 0 || output.shift < -15) return {};  // TFLite refuses it
  return table(s, [&](int x) {
    const int v = x * 128, g = to_unit.shift;
    const int value = high_16(v, to_16_bits(output.multiplier));
    int r = v;
    if (g > 0) r = saturated(r * (1 << std::min(g - 1, 16)));  // all but 0 saturates
    r = high_16(r, to_16_bits(to_unit.multiplier));
    if (g > 0) r = saturated(r * 2);
    if (g < 0) r = nnom::shifted_down(r, -g);
    r = (r + 32768) >> 1;
    return nnom::shifted_down(r * value / (1 << 15), -output.shift);
  });
}

/// 1 / sqrt(v) for v > 0 by five steps of Newton's method, as a multiplier and shift.
nnom::Double inverse_root(int32_t v) {
  using nnom::high_product, nnom::shifted_up;
  if (v == 1) return {INT32_MAX, 0};
  int shift = 11;
  for (; v < 1 << 27; v *= 4) --shift;  // a stored value is below 2^27
  // With three bits before the point.
  const int32_t half = nnom::shifted_down(v >> 1, 1);
  int32_t x = 1 << 28;
  for (int i = 0; i < 5; ++i) {
    const int32_t cube = shifted_up(high_product(high_product(x, x), x), 6);
    x = shifted_up(high_product(3 << 27, x) - high_product(half, cube), 3);
  }
  return {high_product(x, 1518500250), -shift};  // sqrt(1/2)
}

Table reciprocal_root(const Scales& s) {
  auto scale = rescale_by<nnom::Double>(1 / static_cast<double>(std::sqrt(s.in) * s.out));
  scale.shift -= 20;
  return table(s, [&](int v) {
    if (v <= 0) return v == 0 ? 255 : 0;
    const nnom::Double root = inverse_root(v);
    return scale(nnom::Double{root.multiplier, root.shift + 20}(1));
  });
}

float exp_of(float x) { return static_cast<float>(std::exp(static_cast<double>(x))); }

auto as_float(const Activation& op) {
  return
      [op](float x) { return static_cast<float>(Activation::apply(op, static_cast<double>(x))); };
}

template <bool single>
Table elu(const Scales& s) {
  return float_table<single>(s, [](float x) {
    if (x >= 0) return x;
    return single ? static_cast<float>(std::expm1(static_cast<double>(x))) : exp_of(x) - 1;
  });
}

Table gelu(const Scales& s) {
  constexpr float kRoot = 0.70710678118654752f;
  return float_table<false>(s, [](float x) {
    return 0.5f * x * (1 + static_cast<float>(std::erf(static_cast<double>(x * kRoot))));
  });
}

/// Rounded down.
Table root(const Scales& s) {
  return table(s, [&](int v) {
    return std::trunc(std::sqrt(s.in * static_cast<float>(std::max(v, 0))) / s.out);
  });
}

Table logarithm(const Scales& s) {
  return float_table<false>(s, [](float x) {
    return x > 0 ? static_cast<float>(std::log(static_cast<double>(x))) : -1e9f;
  });
}

}  // namespace

template <class Rescale>
Table tflite_table(const Activation& op, const NodeScales& scales) {
  constexpr bool single = std::is_same_v<Rescale, nnom::Single>;
  const Scales s(scales, single);
  switch (op.function) {
    case Function::sigmoid:
      if (single) return float_table<true>(s, as_float(op));
      return fixed_table(scales.in[0], 23, -128, gemmlowp::logistic);
    case Function::tanh:
      if (single) return float_table<true>(s, as_float(op));
      return fixed_table(scales.in[0], 24, 0, gemmlowp::tanh);
    case Function::linear:
      return linear<single>(s);
    case Function::relu:
      if (op.threshold != 0) return {};
      if (op.slope == 0) return limited_to(s, 0, op.high);
      return std::isinf(op.high) ? leaky_relu<single>(s, op.slope) : Table{};
    case Function::clip:
      return op.high >= op.threshold ? limited_to(s, op.threshold, op.high) : Table{};
    case Function::sqrt:
      return single ? root(s) : Table{};  // TFLite Micro has none
    case Function::rsqrt:
      return reciprocal_root(s);
    case Function::abs:
      return absolute(s);
    case Function::hard_silu:
      return op.slope == 1.0f / 6 && op.threshold == 0.5f ? hard_swish(s) : Table{};
    case Function::elu:
      return op.slope == 1 ? elu<single>(s) : Table{};
    case Function::exponential:
      return float_table<false>(s, exp_of);
    case Function::gelu:
      return gelu(s);
    case Function::log:
      return logarithm(s);
    default:
      return {};
  }
}
template Table tflite_table<nnom::Single>(const Activation&, const NodeScales&);
template Table tflite_table<nnom::Double>(const Activation&, const NodeScales&);

}  // namespace nnomc
