#include "compiler/quantise/tables.hpp"

#include "compiler/quantise/gemmlowp.hpp"
#include "compiler/quantise/tflite_tables.hpp"

namespace nnomc {

template <class Rescale>
std::vector<int8_t> activation_table(const nnom::Activation& op, const NodeScales& scales) {
  if (scales.reference == Reference::onnx)
    return onnx_table(scales.in[0], scales.out,
                      [&](double x) { return nnom::Activation::apply(op, x); });
  if constexpr (!Rescale::symmetric) {
    const std::vector<int8_t> own = tflite_table<Rescale>(op, scales);
    if (!own.empty()) return own;
  }
  return table_of(scales.in[0], scales.out,
                  [&](double x) { return nnom::Activation::apply(op, x); });
}
template std::vector<int8_t> activation_table<nnom::Single>(const nnom::Activation&,
                                                            const NodeScales&);
template std::vector<int8_t> activation_table<nnom::Double>(const nnom::Activation&,
                                                            const NodeScales&);
template std::vector<int8_t> activation_table<nnom::PowerOfTwo>(const nnom::Activation&,
                                                                const NodeScales&);

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
  const auto rescale = rescale_by<nnom::Double>(std::clamp(scale * (1 << 26), 0.5, 2147483647.0));
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
