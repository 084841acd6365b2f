/// \file
/// Arithmetic on two tensors: Add, Mul, Div, SquaredDifference, Power.
#pragma once

#include "nnom/ops/elementwise.hpp"

namespace nnom {

/// a + b, or a - b.
struct AddRule {
  static constexpr const char* name = "Add";
  static constexpr int operands = 2;
  /// Bits the inputs are shifted up by before they are brought to a common scale, as in TFLite.
  static constexpr int headroom = 20;

  template <class N>
  struct Data {
    typename N::In zero[2]{};
    typename N::Rescale rescale[2]{}, total{};

    static constexpr void fields(auto& d, auto visit) {
      if constexpr (N::quantised)
        visit("zero", d.zero), visit("rescale", d.rescale), visit("total", d.total);
    }
  };

  bool minus = false;

  static constexpr void fields(auto& r, auto visit) { visit("minus", r.minus); }
  template <class N>
  static constexpr typename N::Rescaled value(const AddRule& r, const Data<N>& d,
                                              const typename N::Acc (&x)[2]) {
    if constexpr (N::quantised) {
      const int32_t a = d.rescale[0]((x[0] - d.zero[0]) * (1 << headroom));
      const int32_t b = d.rescale[1]((x[1] - d.zero[1]) * (1 << headroom));
      return d.total(r.minus ? a - b : a + b);
    } else {
      return r.minus ? x[0] - x[1] : x[0] + x[1];
    }
  }
};

/// What a product or quotient needs: the inputs' zero points, and the scale of the result.
template <class N>
struct ProductData {
  typename N::In zero[2]{};
  typename N::Rescale rescale{};

  static constexpr void fields(auto& d, auto visit) {
    if constexpr (N::quantised) visit("zero", d.zero), visit("rescale", d.rescale);
  }
};

/// a * b.
struct MulRule {
  static constexpr const char* name = "Mul";
  static constexpr int operands = 2;
  template <class N>
  using Data = ProductData<N>;

  static constexpr void fields(auto&, auto) {}
  template <class N>
  static constexpr typename N::Rescaled value(const MulRule&, const Data<N>& d,
                                              const typename N::Acc (&x)[2]) {
    if constexpr (N::quantised)
      return d.rescale((x[0] - d.zero[0]) * (x[1] - d.zero[1]));
    else
      return x[0] * x[1];
  }
};

/// a / b. Quantised, what is divided by 0 is the largest of its sign; 0 / 0 is 0.
struct DivRule {
  static constexpr const char* name = "Div";
  static constexpr int operands = 2;
  /// Bits of the quotient behind the point.
  static constexpr int fraction = 22;
  template <class N>
  using Data = ProductData<N>;

  static constexpr void fields(auto&, auto) {}
  template <class N>
  static constexpr typename N::Rescaled value(const DivRule&, const Data<N>& d,
                                              const typename N::Acc (&x)[2]) {
    if constexpr (N::quantised) {
      const int32_t a = x[0] - d.zero[0], b = x[1] - d.zero[1];
      if (b == 0) return a > 0 ? 1 << 16 : a < 0 ? -(1 << 16) : 0;
      return d.rescale(a * (1 << fraction) / b);
    } else {
      return x[0] / x[1];
    }
  }
};

/// (a - b)^2.
struct SquaredDifferenceRule {
  static constexpr const char* name = "SquaredDifference";
  static constexpr int operands = 2;
  /// Bits the inputs are shifted up by, as in TFLite.
  static constexpr int headroom = 7;
  template <class N>
  using Data = AddRule::Data<N>;

  static constexpr void fields(auto&, auto) {}
  template <class N>
  static constexpr typename N::Rescaled value(const SquaredDifferenceRule&, const Data<N>& d,
                                              const typename N::Acc (&x)[2]) {
    if constexpr (N::quantised) {
      const int32_t a = d.rescale[0]((x[0] - d.zero[0]) * (1 << headroom));
      const int32_t b = d.rescale[1]((x[1] - d.zero[1]) * (1 << headroom));
      return d.total((a - b) * (a - b));
    } else {
      return (x[0] - x[1]) * (x[0] - x[1]);
    }
  }
};

/// What an op has that only computes with real numbers.
template <class N>
struct NoData {
  static constexpr void fields(auto&, auto) {}
};

/// a^b, of real numbers only; a constant exponent is an Activation.
struct PowerRule {
  static constexpr const char* name = "Power";
  static constexpr int operands = 2;
  static constexpr bool real_only = true;
  template <class N>
  using Data = NoData<N>;

  static constexpr void fields(auto&, auto) {}
  template <class N>
  static constexpr typename N::Rescaled value(const PowerRule&, const Data<N>&,
                                              const typename N::Acc (&x)[2]) {
    if constexpr (N::quantised)
      return 0;
    else
      return __builtin_pow(x[0], x[1]);
  }
};

using Add = Elementwise<AddRule>;
using Mul = Elementwise<MulRule>;
using Div = Elementwise<DivRule>;
using SquaredDifference = Elementwise<SquaredDifferenceRule>;
using Power = Elementwise<PowerRule>;

}  // namespace nnom
