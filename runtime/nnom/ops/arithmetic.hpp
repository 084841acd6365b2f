/// \file
/// Arithmetic on two tensors: Add, Mul, Div, SquaredDifference, Power.
#pragma once

#include "nnom/fixed.hpp"
#include "nnom/ops/elementwise.hpp"

namespace nnom {

/// a + b, or a - b.
struct AddRule {
  static constexpr const char* name = "Add";
  static constexpr int operands = 2;

  template <class N>
  struct Data {
    typename N::Sum sum{};

    static constexpr void fields(auto& d, auto visit) {
      if constexpr (N::quantised) visit("sum", d.sum);
    }
  };

  bool minus = false;

  static constexpr void fields(auto& r, auto visit) { visit("minus", r.minus); }
  template <class N>
  static constexpr typename N::Rescaled value(const AddRule& r, const Data<N>& d,
                                              const typename N::Acc (&x)[2]) {
    if constexpr (N::quantised)
      return d.sum(x[0], x[1]);
    else
      return r.minus ? x[0] - x[1] : x[0] + x[1];
  }
  template <class T, class N>
  requires(N::quantised)  //
      [[gnu::always_inline]] static void row(const AddRule&, const Data<N>& d,
                                             const Clamp<N>& clamp,
                                             const typename N::In* const (&x)[2],
                                             typename N::Out* out, int n) {
    T::add(d.sum, clamp, x[0], x[1], out, n);
  }
};

/// a * b.
struct MulRule {
  static constexpr const char* name = "Mul";
  static constexpr int operands = 2;

  template <class N>
  struct Data {
    typename N::In zero[2]{};
    typename N::Rescale rescale{};

    static constexpr void fields(auto& d, auto visit) {
      if constexpr (N::quantised) visit("zero", d.zero), visit("rescale", d.rescale);
    }
  };

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
  static constexpr bool int8_only = true;

  /// As both of TFLite's dialects have it.
  template <class N>
  struct Data {
    typename N::In zero[2]{};
    Double rescale{};

    static constexpr void fields(auto& d, auto visit) {
      if constexpr (N::quantised) visit("zero", d.zero), visit("rescale", d.rescale);
    }
  };

  static constexpr void fields(auto&, auto) {}
  template <class N>
  static constexpr typename N::Rescaled value(const DivRule&, const Data<N>& d,
                                              const typename N::Acc (&x)[2]) {
    if constexpr (N::quantised)
      return quotient(x[0] - d.zero[0], x[1] - d.zero[1], d.rescale);
    else
      return x[0] / x[1];
  }

 private:
  static constexpr int32_t quotient(int32_t a, int32_t b, Double rescale) {
    constexpr int32_t most = 1 << 16;
    if (a == 0 || b == 0) return a > 0 ? most : a < 0 ? -most : 0;
    if (b < 0) a = -a, b = -b;
    // a and b as fractions of 31 bits, the latter as (1 + fraction) / 2.
    const int zeros = __builtin_clz(static_cast<uint32_t>(b)), signs = __builtin_clrsb(a);
    const auto fraction = static_cast<int32_t>((static_cast<uint32_t>(b) << zeros) - (1u << 31));
    const int32_t inverse = shifted_up(reciprocal(fraction), 1);
    const int32_t q = high_product(high_product(a * (1 << signs), inverse), rescale.multiplier);
    const int shift = 31 - zeros + signs - rescale.shift;
    return shift > 31 ? 0 : shift < 0 ? (q < 0 ? -most : most) : shifted_down(q, shift);
  }
};

/// (a - b)^2.
struct SquaredDifferenceRule {
  static constexpr const char* name = "SquaredDifference";
  static constexpr int operands = 2;
  /// Bits the inputs are shifted up by, as in both of TFLite's dialects.
  template <class N>
  static constexpr int headroom = sizeof(typename N::In) == 1 ? 7 : 0;

  template <class N>
  struct Data {
    typename N::In zero[2]{};
    Double rescale[2]{}, total{};

    static constexpr void fields(auto& d, auto visit) {
      if constexpr (N::quantised)
        visit("zero", d.zero), visit("rescale", d.rescale), visit("total", d.total);
    }
  };

  static constexpr void fields(auto&, auto) {}
  template <class N>
  static constexpr typename N::Rescaled value(const SquaredDifferenceRule&, const Data<N>& d,
                                              const typename N::Acc (&x)[2]) {
    if constexpr (N::quantised) {
      const int32_t a = d.rescale[0]((x[0] - d.zero[0]) * (1 << headroom<N>));
      const int32_t b = d.rescale[1]((x[1] - d.zero[1]) * (1 << headroom<N>));
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
