/// \file
/// Functions of one value in int16.
#pragma once

#include "nnom/fixed16.hpp"
#include "nnom/numbers16.hpp"

namespace nnom {

/// How such a function is computed.
enum class Form : int {
  scaled,    ///< one factor for positive numbers, one for the others
  size,      ///< the absolute value, scaled
  negated,   ///< the number itself; -32768 stays
  table,     ///< 513 values and lines between them
  logistic,  ///< of the input, scaled to units of 1 / (3 * 4096)
  tanh,
  brief_logistic,  ///< gemmlowp's, of an input with three bits before the point
  brief_tanh,      ///< of the input times a whole number
};

/// One of TFLite's tables: values at every 128th number from -32768 on.
inline int at_table(const int16_t* table, int x) {
  const int16_t* t = table + 256 + (x >> 7);
  const auto slope = static_cast<int16_t>(t[1] - t[0]);
  return t[0] + ((slope * (x & 127) + 64) >> 7);
}

/// A function of int16 in the arithmetic N.
template <class N>
struct Function16 {
  using Numbers = N;

  Form form = Form::scaled;
  const int16_t* table = nullptr;
  Double positive{}, negative{};  ///< factors; `positive` of the logistic: multiplier / 2^shift
  bool minus = false;             ///< `negative` is that of the negated output
  Clamp<N> clamp{};

  typename N::Out operator()(int x) const {
    if constexpr (sizeof(typename N::Out) == 1)
      return clamp(positive(x));
    else
      return static_cast<typename N::Out>(value(x));
  }

  static constexpr void fields(auto& d, auto visit) {
    visit("form", d.form), visit("table", d.table);
    visit("positive", d.positive), visit("negative", d.negative), visit("minus", d.minus);
    visit("clamp", d.clamp);
  }

 private:
  int value(int x) const {
    switch (form) {
      case Form::scaled:
        return clamp(x >= 0 ? positive(x) : minus ? -negative(x) : negative(x));
      case Form::size:
        return clamp(positive(x < 0 ? -x : x));
      case Form::negated:
        return -x;
      case Form::table:
        return at_table(table, x);
      case Form::logistic:
        return table16::logistic(inner(x));
      case Form::tanh:
        return table16::tanh(inner(x));
      case Form::brief_logistic:
        return gemmlowp16::logistic(x, 3);
      case Form::brief_tanh:
        return gemmlowp16::tanh(clamp16(x * positive.multiplier), 3);
    }
    return 0;
  }
  /// It may wrap, as in TFLite.
  int inner(int x) const {
    const int half = positive.shift ? 1 << (positive.shift - 1) : 0;
    const uint32_t product = static_cast<uint32_t>(x) * static_cast<uint32_t>(positive.multiplier);
    return static_cast<int32_t>(product + static_cast<uint32_t>(half)) >> positive.shift;
  }
};

}  // namespace nnom
