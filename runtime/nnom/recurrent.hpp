/// \file
/// What recurrent layers share: products with a weight matrix that keep all their bits, and the
/// functions of an LSTM's gates in each arithmetic.
#pragma once

#include "nnom/convolution.hpp"
#include "nnom/fixed16.hpp"
#include "nnom/numbers16.hpp"

namespace nnom {

/// N with outputs of 32 bits, or unrounded reals; int8 is always scaled as by Double.
template <class N>
struct Wide : N {
  using Out = either<N::quantised, int32_t, typename N::Acc>;
  using Rescale = either<sizeof(typename N::Out) == 2, typename N::Rescale,
                         either<N::quantised, Double, Unscaled>>;
  static constexpr Out lowest = N::quantised ? Out(INT32_MIN) : Out(-__builtin_huge_valf());
  static constexpr Out highest = N::quantised ? Out(INT32_MAX) : Out(__builtin_huge_valf());
};

/// N with outputs that are the sums themselves.
template <class N>
struct Raw : N {
  using Out = typename N::Acc;
  using Rescaled = Out;
  using Rescale = Unscaled;
  static constexpr Out lowest =
      N::quantised ? Out(1ull << (8 * sizeof(Out) - 1)) : Out(-__builtin_huge_valf());
  static constexpr Out highest = Out(-1) - lowest;
};

/// A matrix of weights as Layout packs it, with one bias for each of its rows.
template <class N>
struct PackedMatrix {
  Matrix matrix;
  const typename N::Weight* weights;
  const typename N::Bias* bias;
  const typename Wide<N>::Rescale* rescale;
  bool per_channel = false;  ///< one for each row
};

/// N with lines of type E, which may have more bits than its activations.
template <class N, class E>
struct LinesOf : N {
  using In = E;
};
template <class N, class E>
using LineNumbers = either<sizeof(LineOf<N>) == sizeof(E), N, LinesOf<N, E>>;

/// out[r] = rescale(bias[r] + line . row r). Compiled apart from multiply(): one pixel, one tap and
/// no limits leave little of its loops.
template <class T, class N>
[[gnu::noinline]] void multiply_line(const LineOf<N>* line, const PackedMatrix<N>& p,
                                     typename Wide<N>::Out* out) {
  Window<LineOf<N>> w;
  w.first = line, w.length = p.matrix.length;
  Linear<Wide<N>> d;
  d.weights = p.weights, d.bias = p.bias, d.rescale = p.rescale;
  d.per_channel = p.per_channel;
  multiply_inline<T, Wide<N>>({w, 0, 1, out, 0}, p.matrix, d, p.weights, 0);
}

/// out[r] = bias[r] + line . row r; see Linear::joined.
template <class T, class N>
[[gnu::noinline]] void sum_line(const LineOf<N>* line, const Matrix& m,
                                const typename N::Weight* weights, const typename N::Bias* bias,
                                bool joined, typename N::Acc* out) {
  constexpr Unscaled unscaled;
  Window<LineOf<N>> w;
  w.first = line, w.length = m.length;
  Linear<Raw<N>> d;
  d.weights = weights, d.bias = bias, d.rescale = &unscaled;
  d.joined = joined, d.per_channel = false;
  multiply_inline<T, Raw<N>>({w, 0, 1, out, 0}, m, d, weights, 0);
}

/// Bytes of a line of n elements, and the line itself: `in`, or a widened copy of it in `memory`.
template <class N>
constexpr int line_bytes(int n) {
  if (sizeof(LineOf<N>) == sizeof(typename N::In)) return 0;
  return round_up((n + N::Layout::depth - 1) * int{sizeof(LineOf<N>)}, 4);
}
template <class T, class N>
[[gnu::always_inline]] inline const LineOf<N>* line_of(const typename N::In* in, int n,
                                                       unsigned char* memory) {
  if constexpr (sizeof(LineOf<N>) == sizeof(typename N::In)) {
    return in;
  } else {
    auto* const line = reinterpret_cast<LineOf<N>*>(memory);
    T::widen(line, in, n);
    return line;
  }
}

/// The values between an LSTM's inputs and outputs. Quantised: gates in units of 2^-15, their sums
/// of 2^-12, the cell of 2^power. Source: lstm_eval in TFLite (Single) and TFLite Micro (Double).
template <class N, class T = Basic16, class Rescale = typename N::Rescale>
struct Gates;

template <class N, class T>
struct Gates<N, T, Single> {
  using Value = int16_t;

  /// The sum of the products with the input and with the last output.
  static int sum(int x, int h) { return clamp16(clamp16(x) + max(min(h, 1 << 17), -(1 << 17))); }
  static int logistic(int sum) { return gemmlowp16::logistic(sum, 3); }
  static int tanh(int sum) { return gemmlowp16::tanh(sum, 3); }
  static int cell(int forget, int cell, int input, int candidate, int power, auto) {
    return clamp16(shifted_down(forget * cell, 15) +
                   static_cast<int16_t>(shifted_down(input * candidate, 30 + power)));
  }
  static int cell_tanh(int cell, int power) { return gemmlowp16::tanh(cell, 15 + power); }
};

template <class N, class T>
struct Gates<N, T, Double> {
  using Value = int16_t;

  static int sum(int x, int h) { return T::clamp16(T::clamp16(x) + T::clamp16(h)); }
  static int logistic(int sum) { return table16::logistic<T>(sum * 3); }
  static int tanh(int sum) { return table16::tanh<T>(sum * 3); }
  static int cell(int forget, int cell, int input, int candidate, int, auto product) {
    const int kept = (forget * cell + 1) >> 1;  // Double{1 << 30, -14}: 2^-15, rounded twice
    return T::clamp16(T::clamp16((((kept + (kept >> 31)) >> 13) + 1) >> 1) +
                      T::clamp16(product(input * candidate)));
  }
  static int cell_tanh(int cell, int power) {
    const int down = -12 - power;
    return table16::tanh<T>(down > 0 ? (cell * 3 + (1 << (down - 1))) >> down
                                     : cell * (3 << -down));
  }
};

/// Lstm has no arithmetic of its own where scales are powers of two.
template <class N, class T>
struct Gates<N, T, PowerOfTwo> : Gates<N, T, Double> {};

/// int16, which only TFLite Micro has.
template <class N, class T>
struct Gates<N, T, Reduced> : Gates<N, T, Double> {};

template <class N, class T>
struct Gates<N, T, Unscaled> {
  using Value = typename N::Acc;

  static Value sum(Value x, Value h) { return x + h; }
  static Value logistic(Value v) { return 1 / (1 + Value(__builtin_exp(-v))); }
  static Value tanh(Value v) { return Value(__builtin_tanh(v)); }
  static Value cell(Value forget, Value cell, Value input, Value candidate, int, Unscaled) {
    return forget * cell + input * candidate;
  }
  static Value cell_tanh(Value cell, int) { return tanh(cell); }
};

}  // namespace nnom
