/// \file
/// Softmax over the last axis, and its logarithm.
#pragma once

#include "nnom/function16.hpp"

namespace nnom {

/// log2(x) in units of 2^-16, rounded down; x > 0.
constexpr int32_t log2_of(uint32_t x) {
  int32_t log = 31 - __builtin_clz(x);
  uint64_t m = uint64_t{x} << (31 - log);  // within [1, 2), in units of 2^-31
  for (int i = 0; i < 16; ++i) {           // each squaring doubles its logarithm
    m = (m * m) >> 31;
    const int bit = m >> 32 ? 1 : 0;
    m >>= bit;
    log = 2 * log + bit;
  }
  return log;
}

/// out = e^(beta * (in - max)) / sum of them, over each run of `length` elements. In int8, the
/// output has scale 1/256 and zero point -128; its logarithm has scale 1/16 and zero point 127. If
/// all zero points are 0 they have 1/128 and 1/8. In int16 it has scale 1/32768; from int8 to
/// int16, scale 1/65536 and zero point -32768.
struct Softmax {
  static constexpr const char* name = "Softmax";
  static constexpr int max_inputs = 1;
  static constexpr bool widens = true;

  template <class N>
  struct Data8 {
    using Numbers = N;
    /// e^(-d * beta * scale of the input), d = max - in: a float, or (Double) in units of 2^-31.
    const typename N::Rescale::Power* table = nullptr;
    /// For the logarithm: a step of the input, and log(2), in output steps times 2^16.
    int32_t step = 0, log_of_2 = 0;
    typename N::Out zero = 0;

    static constexpr void fields(auto& d, auto visit) {
      if constexpr (N::quantised)
        visit("table", d.table), visit("step", d.step), visit("log_of_2", d.log_of_2),
            visit("zero", d.zero);
    }
  };
  /// Tables for at_table(), as both of TFLite's dialects have them.
  template <class N>
  struct Data16 {
    using Numbers = N;
    const int16_t* power = nullptr;    ///< e^(x - 10) over [0, 10], in units of 2^-15
    const int16_t* inverse = nullptr;  ///< 1 / (1 + x) over [0, 1]
    Double rescale{};                  ///< from the input to units of 10 / 65535

    static constexpr void fields(auto& d, auto visit) {
      visit("power", d.power), visit("inverse", d.inverse), visit("rescale", d.rescale);
    }
  };
  template <class N>
  using Data = either<sizeof(typename N::In) == 2, Data16<N>, Data8<N>>;

  float beta = 1;
  bool log = false;
  int rows = 1, length = 0;

  constexpr int64_t macs() const { return int64_t{rows} * length; }
  constexpr Inferred infer(const Shape* x, int) {
    length = x[0].back();
    rows = length ? x[0].size() / length : 0;
    return {x[0]};
  }
  template <class N>
  constexpr Memory memory() const {
    return {0, sizeof(typename N::Out) > sizeof(typename N::In) ? Memory::never : 0};
  }
  static constexpr void fields(auto& op, auto visit) {
    visit("beta", op.beta), visit("log", op.log), visit("rows", op.rows);
    visit("length", op.length);
  }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const Softmax& op, const Data<N>& d,
                                         const Io<Softmax, N>& io) {
    for (int y = 0; y < op.rows; ++y) {
      const typename N::In* in = io.in[0].base + y * op.length;
      typename N::Out* out = io.out.base + y * op.length;
      typename N::In top = in[0];
      for (int i = 1; i < op.length; ++i) top = in[i] > top ? in[i] : top;
      if constexpr (sizeof *in == 2) {
        quantised(d, in, top, out, op.length);
      } else if constexpr (sizeof *out == 2) {
        quantised<false>(d.table, in, top, out, op.length);
      } else if constexpr (N::quantised) {
        if (op.log)
          logarithm(d, log2_of_sum(d.table, in, top, op.length), in, top, out, op.length);
        else
          quantised<N::Rescale::symmetric>(d.table, in, top, out, op.length);
      } else {
        using A = typename N::Acc;
        const auto power = [&](A x) { return A{op.beta} * (x - A{top}); };
        A sum = 0;
        for (int i = 0; i < op.length; ++i) sum += A(__builtin_exp(power(A{in[i]})));
        const A log = A(__builtin_log(sum));
        for (int i = 0; i < op.length; ++i) {
          const A p = power(A{in[i]});
          out[i] = static_cast<float>(op.log ? p - log : A(__builtin_exp(p)) / sum);
        }
      }
    }
  }

 private:
  /// As desktop TFLite: in floats.
  template <bool symmetric, class Out>
  static void quantised(const float* table, const int8_t* in, int top, Out* out, int n) {
    constexpr int one = 1 << 8 * sizeof(Out);
    float sum = 0;
    for (int i = 0; i < n; ++i) sum = rounded(sum + table[top - in[i]]);
    const float inverse = rounded(1 / rounded(sum * (1.0f / one)));
    for (int i = 0; i < n; ++i) {
      const float p = rounded(table[top - in[i]] * inverse);
      const int q = static_cast<int>(rounded(p + 0.5f));
      out[i] = static_cast<Out>(min(q, one - 1) - one / 2);
    }
  }
  /// As TFLite Micro: fractions of 31 bits, their sum of 19.
  template <bool symmetric, class Out>
  static void quantised(const int32_t* table, const int8_t* in, int top, Out* out, int n) {
    constexpr int bits = 8 * sizeof(Out) - symmetric, one = 1 << bits;
    constexpr int zero = symmetric ? 0 : -one / 2;
    int32_t sum = 0;
    for (int i = 0; i < n; ++i) sum += shifted_down(table[top - in[i]], 12);
    const int zeros = __builtin_clz(static_cast<uint32_t>(sum));
    const auto fraction = static_cast<int32_t>((static_cast<uint32_t>(sum) << zeros) - (1u << 31));
    const int32_t inverse = shifted_up(reciprocal(fraction), 1);
    const int down = 43 - bits - zeros;  // of so many values that each is none above 31
    for (int i = 0; i < n; ++i) {
      const int32_t p = high_product(inverse, table[top - in[i]]);
      out[i] = static_cast<Out>((down > 31 ? 0 : min(shifted_down(p, down), one - 1)) + zero);
    }
  }
  /// In int16; `out` holds the powers until their sum is known.
  template <class Data>
  static void quantised(const Data& d, const int16_t* in, int top, int16_t* out, int n) {
    int32_t sum = 0;
    for (int i = 0; i < n; ++i) {
      const int x = d.rescale(in[i] - top) + INT16_MAX;
      out[i] = static_cast<int16_t>(at_table(d.power, clamp16(x)));
      sum += out[i];
    }
    const int zeros = __builtin_clz(static_cast<uint32_t>(sum));
    const auto mantissa =
        static_cast<int32_t>((static_cast<uint32_t>(sum) << (zeros - 1)) + (1 << 13)) >> 14;
    const int inverse = at_table(d.inverse, clamp16(mantissa - 3 * (1 << 15)));
    const int down = 31 - zeros;
    for (int i = 0; i < n; ++i) {
      const int p = (out[i] * inverse + (1 << (down - 1))) >> down;
      out[i] = static_cast<int16_t>(max(0, min(p, INT16_MAX)));
    }
  }
  /// The logarithm of the sum, to base 2, in units of 2^-16.
  static int32_t log2_of_sum(const float* table, const int8_t* in, int top, int n) {
    float sum = 0;  // at least 1, that of the largest
    for (int i = 0; i < n; ++i) sum = rounded(sum + table[top - in[i]]);
    return log2_of(static_cast<uint32_t>(sum * (1 << 15))) - (15 << 16);
  }
  static int32_t log2_of_sum(const int32_t* table, const int8_t* in, int top, int n) {
    int32_t sum = 0;
    for (int i = 0; i < n; ++i) sum += shifted_down(table[top - in[i]], 12);
    return log2_of(static_cast<uint32_t>(sum)) - (19 << 16);
  }
  static void logarithm(const auto& d, int32_t log2, const int8_t* in, int top, int8_t* out,
                        int n) {
    const auto all = static_cast<int32_t>((int64_t{log2} * d.log_of_2) >> 16);
    for (int i = 0; i < n; ++i) {
      const int64_t v = -int64_t{top - in[i]} * d.step - all;
      const auto q = static_cast<int>((v + (1 << 15)) >> 16) + d.zero;
      out[i] = static_cast<int8_t>(max(-128, min(q, 127)));
    }
  }
};

}  // namespace nnom
