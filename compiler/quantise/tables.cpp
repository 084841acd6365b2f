#include "compiler/quantise/tables.hpp"

#include "compiler/quantise/gemmlowp.hpp"

namespace nnomc {
namespace {

using nnom::Activation;
using nnom::Function;

/// XNNPACK's: the value in float, times one over the scale.
template <class F>
std::vector<int8_t> float_table(const NodeScales& scales, F function) {
  const auto in = static_cast<float>(scales.in[0].scale);
  const float inverse = 1.0f / static_cast<float>(scales.out.scale);
  std::vector<int8_t> table;
  for (int q = -128; q < 128; ++q) {
    const float x = static_cast<float>(q - scales.in[0].zero) * in;
    const float y = static_cast<float>(function(static_cast<double>(x))) * inverse +
                    static_cast<float>(scales.out.zero);
    table.push_back(static_cast<int8_t>(std::clamp(std::nearbyint(y), -128.0f, 127.0f)));
  }
  return table;
}

/// TFLite Micro's: values of 4 bits before the point; `bits` of the function's 31 are dropped.
template <class F>
std::vector<int8_t> fixed_table(const Quantisation& in, int bits, int zero, F function) {
  const auto rescale = rescale_by<nnom::Double>(in.scale * (1 << 27));
  const double radius = std::floor(std::ldexp(15, 27 - rescale.shift));
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

}  // namespace

template <class Rescale>
std::vector<int8_t> activation_table(const Activation& op, const NodeScales& scales) {
  constexpr bool single = std::is_same_v<Rescale, nnom::Single>;
  const auto real = [&](double x) { return Activation::apply(op, x); };
  const bool sigmoid = op.function == Function::sigmoid, tanh = op.function == Function::tanh;
  if (single && (sigmoid || tanh)) return float_table(scales, real);
  if (sigmoid && scales.out == Quantisation{1.0 / 256, -128})
    return fixed_table(scales.in[0], 23, -128, gemmlowp::logistic);
  if (tanh && scales.out == Quantisation{1.0 / 128, 0})
    return fixed_table(scales.in[0], 24, 0, gemmlowp::tanh);
  return table_of(scales.in[0], scales.out, real);
}
template std::vector<int8_t> activation_table<nnom::Single>(const Activation&, const NodeScales&);
template std::vector<int8_t> activation_table<nnom::Double>(const Activation&, const NodeScales&);

template <>
std::vector<float> powers(double scale) {
  std::vector<float> table;
  const float step = -static_cast<float>(scale);
  for (int d = 0; d < 256; ++d)
    table.push_back(
        static_cast<float>(std::exp(static_cast<double>(step * static_cast<float>(d)))));
  return table;
}

template <>
std::vector<int32_t> powers(double scale) {
  const auto rescale =
      rescale_by<nnom::Double>(std::clamp(scale * (1 << 26), 0.5, 2147483647.0));
  const double lowest = -std::floor(std::ldexp(31, 26 - rescale.shift));
  std::vector<int32_t> table;
  for (int d = 0; d < 256; ++d) {
    const auto x = static_cast<int32_t>(static_cast<uint32_t>(-d) << rescale.shift);
    table.push_back(
        -d < lowest ? 0 : gemmlowp::exp_of_negative(nnom::high_product(x, rescale.multiplier), 5));
  }
  return table;
}

}  // namespace nnomc
