/// \file
/// Softmax over the last axis, and its logarithm.
#pragma once

#include "nnom/numbers.hpp"

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

/// out = e^(beta * (in - max)) / sum of them, over each run of `length` elements. Quantised, the
/// output has scale 1/256 and zero point -128; its logarithm has scale 1/16 and zero point 127.
struct Softmax {
  static constexpr const char* name = "Softmax";
  static constexpr int max_inputs = 1;

  template <class N>
  struct Data {
    using Numbers = N;
    /// table[d] = e^(-d * beta * scale of the input) * 2^bits(length), for d = max - in.
    const uint32_t* table = nullptr;
    /// For the logarithm: a step of the input, and log(2), in output steps times 2^16.
    int32_t step = 0, log_of_2 = 0;
    typename N::Out zero = 0;

    static constexpr void fields(auto& d, auto visit) {
      if constexpr (N::quantised)
        visit("table", d.table), visit("step", d.step), visit("log_of_2", d.log_of_2),
            visit("zero", d.zero);
    }
  };

  float beta = 1;
  bool log = false;
  int rows = 1, length = 0;

  /// Fraction bits of the table: as many as leave the sum of `length` entries in 32 bits.
  static constexpr int bits(int length) {
    int b = 23;
    while ((int64_t{length} << b) > INT32_MAX) --b;
    return b;
  }
  constexpr int64_t macs() const { return int64_t{rows} * length; }
  constexpr Inferred infer(const Shape* x, int) {
    length = x[0].back();
    rows = length ? x[0].size() / length : 0;
    return {x[0]};
  }
  template <class N>
  constexpr Memory memory() const {
    return {0, 0};
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
      if constexpr (N::quantised) {
        uint32_t sum = 0;
        for (int i = 0; i < op.length; ++i) sum += d.table[top - in[i]];
        if (op.log) {
          const int64_t log = int64_t{log2_of(sum) - (bits(op.length) << 16)} * d.log_of_2;
          const auto all = static_cast<int32_t>(log >> 16);  // log(sum)
          for (int i = 0; i < op.length; ++i) {
            const int64_t v = -int64_t{top - in[i]} * d.step - all;
            const auto q = static_cast<int>((v + (1 << 15)) >> 16) + d.zero;
            out[i] = static_cast<int8_t>(q < -128 ? -128 : q > 127 ? 127 : q);
          }
        } else {
          for (int i = 0; i < op.length; ++i) {
            const uint32_t q = (d.table[top - in[i]] * 256 + sum / 2) / sum;
            out[i] = static_cast<int8_t>(static_cast<int>(q > 255 ? 255 : q) - 128);
          }
        }
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
};

}  // namespace nnom
