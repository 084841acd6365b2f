/// \file
/// Activation: a function of one value, applied to each. In int8, any of them is one table.
#pragma once

#include "nnom/function16.hpp"

namespace nnom {

/// The functions, as Keras names and defines them. Each uses the parameters it needs.
enum class Function : int {
  linear,
  relu,  ///< x >= high ? high : x > threshold ? x : slope * (x - threshold)
  elu,   ///< x > 0 ? x : slope * (e^x - 1)
  selu,
  sigmoid,
  hard_sigmoid,  ///< slope * x + threshold, within [0, 1]
  tanh,
  softplus,
  softsign,
  exponential,
  silu,
  hard_silu,  ///< x * hard_sigmoid(x), with its parameters
  gelu,
  gelu_tanh,  ///< gelu, approximated with a tanh
  mish,
  log,
  clip,              ///< within [threshold, high]
  thresholded_relu,  ///< x > threshold ? x : 0
  celu,              ///< x > 0 ? x : slope * (e^(x / slope) - 1)
  abs,
  negative,
  reciprocal,
  square,
  sqrt,
  rsqrt,
  power,  ///< x^slope
  sign,
  round,  ///< halves to even
  floor,
  ceil,
  logical_not,  ///< x == 0
  erf,
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  asinh,
  acosh,
  atanh,
  log_sigmoid,
  hard_shrink,  ///< |x| > threshold ? x : 0
  soft_shrink,  ///< sign(x) * max(|x| - threshold, 0)
  tanh_shrink,  ///< x - tanh(x)
  squareplus,   ///< (x + sqrt(x^2 + slope)) / 2
  sparse_plus,  ///< x <= -1 ? 0 : x < 1 ? (x + 1)^2 / 4 : x
};

/// out[i] = f(in[i]).
struct Activation {
  static constexpr const char* name = "Activation";
  static constexpr int max_inputs = 1;
  static constexpr bool widens = true, narrows = true;

  template <class N>
  struct Table {
    using Numbers = N;
    const typename N::Out* table = nullptr;  ///< by stored value + 128

    static constexpr void fields(auto& d, auto visit) {
      if constexpr (N::quantised) visit("table", d.table);
    }
  };
  template <class N>
  using Data = either<sizeof(typename N::In) == 2, Function16<N>, Table<N>>;

  Function function = Function::linear;
  float slope = 0, threshold = 0, high = __builtin_huge_valf();
  int size = 0;

  constexpr int64_t macs() const { return size; }
  constexpr Inferred infer(const Shape* x, int) {
    size = x[0].size();
    return {x[0]};
  }
  template <class N>
  constexpr Memory memory() const {
    return {0, sizeof(typename N::Out) > sizeof(typename N::In) ? Memory::never : 0};
  }
  static constexpr void fields(auto& op, auto visit) {
    visit("function", op.function), visit("slope", op.slope), visit("threshold", op.threshold);
    visit("high", op.high), visit("size", op.size);
  }

  /// The function itself; needs the mathematical functions of libm.
  static constexpr double apply(const Activation& op, double x) {
    const double slope = double{op.slope}, threshold = double{op.threshold};
    const auto hard = [&](double v) { return v < 0 ? 0 : v > 1 ? 1 : v; };
    switch (op.function) {
      case Function::linear:
        return x;
      case Function::relu:
        return x >= double{op.high} ? double{op.high} : x > threshold ? x : slope * (x - threshold);
      case Function::elu:
        return x > 0 ? x : slope * __builtin_expm1(x);
      case Function::selu:  // constants: Klambauer et al. 2017
        return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * __builtin_expm1(x));
      case Function::sigmoid:
        return 1 / (1 + __builtin_exp(-x));
      case Function::hard_sigmoid:
        return hard(slope * x + threshold);
      case Function::tanh:
        return __builtin_tanh(x);
      case Function::softplus:
        return x > 30 ? x : __builtin_log1p(__builtin_exp(x));
      case Function::softsign:
        return x / (1 + __builtin_fabs(x));
      case Function::exponential:
        return __builtin_exp(x);
      case Function::silu:
        return x / (1 + __builtin_exp(-x));
      case Function::hard_silu:
        return x * hard(slope * x + threshold);
      case Function::gelu:
        return 0.5 * x * (1 + __builtin_erf(x * 0.7071067811865476));
      case Function::gelu_tanh:  // Hendrycks and Gimpel 2016
        return 0.5 * x * (1 + __builtin_tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
      case Function::mish:
        return x * __builtin_tanh(x > 30 ? x : __builtin_log1p(__builtin_exp(x)));
      case Function::log:
        return __builtin_log(x);
      case Function::clip:
        return x < threshold ? threshold : x > double{op.high} ? double{op.high} : x;
      case Function::thresholded_relu:
        return x > threshold ? x : 0;
      case Function::celu:
        return x > 0 ? x : slope * __builtin_expm1(x / slope);
      case Function::abs:
        return __builtin_fabs(x);
      case Function::negative:
        return -x;
      case Function::reciprocal:
        return 1 / x;
      case Function::square:
        return x * x;
      case Function::sqrt:
        return __builtin_sqrt(x);
      case Function::rsqrt:
        return 1 / __builtin_sqrt(x);
      case Function::power:
        return __builtin_pow(x, slope);
      case Function::sign:
        return (x > 0) - (x < 0);
      case Function::round:
        return __builtin_rint(x);
      case Function::floor:
        return __builtin_floor(x);
      case Function::ceil:
        return __builtin_ceil(x);
      case Function::logical_not:
        return x == 0;
      case Function::erf:
        return __builtin_erf(x);
      case Function::sin:
        return __builtin_sin(x);
      case Function::cos:
        return __builtin_cos(x);
      case Function::tan:
        return __builtin_tan(x);
      case Function::asin:
        return __builtin_asin(x);
      case Function::acos:
        return __builtin_acos(x);
      case Function::atan:
        return __builtin_atan(x);
      case Function::sinh:
        return __builtin_sinh(x);
      case Function::cosh:
        return __builtin_cosh(x);
      case Function::asinh:
        return __builtin_asinh(x);
      case Function::acosh:
        return __builtin_acosh(x);
      case Function::atanh:
        return __builtin_atanh(x);
      case Function::log_sigmoid:
        return x < -30 ? x : -__builtin_log1p(__builtin_exp(-x));
      case Function::hard_shrink:
        return __builtin_fabs(x) > threshold ? x : 0;
      case Function::soft_shrink:
        return x > threshold ? x - threshold : x < -threshold ? x + threshold : 0;
      case Function::tanh_shrink:
        return x - __builtin_tanh(x);
      case Function::squareplus:
        return (x + __builtin_sqrt(x * x + slope)) / 2;
      case Function::sparse_plus:
        return x <= -1 ? 0 : x < 1 ? (x + 1) * (x + 1) / 4 : x;
    }
    return x;
  }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const Activation& op, const Data<N>& d,
                                         const Io<Activation, N>& io) {
    const typename N::In* in = io.in[0].base;
    typename N::Out* out = io.out.base;
    if constexpr (sizeof *in == 2) {
      const Data<N> function = d;
      for (int i = 0; i < op.size; ++i) out[i] = function(in[i]);
    } else if constexpr (N::quantised) {
      const typename N::Out* table = d.table;
      for (int i = 0; i < op.size; ++i) out[i] = table[in[i] + 128];
    } else {
      for (int i = 0; i < op.size; ++i)
        out[i] = static_cast<float>(apply(op, static_cast<double>(in[i])));
    }
  }
};

}  // namespace nnom
