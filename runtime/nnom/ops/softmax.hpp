/// \file
/// Softmax over the last axis.
#pragma once

#include "nnom/numbers.hpp"

namespace nnom {

/// out = e^(in - max) / sum of them, over each run of `length` elements. Quantised, the output has
/// scale 1/256 and zero point -128.
struct Softmax {
  static constexpr const char* name = "Softmax";
  static constexpr int max_inputs = 1;

  template <class N>
  struct Data {
    using Numbers = N;
    /// e^(-d * scale of the input) for d = max - in: a float, or (Double) in units of 2^-31.
    const typename N::Rescale::Power* table = nullptr;

    static constexpr void fields(auto& d, auto visit) {
      if constexpr (N::quantised) visit("table", d.table);
    }
  };

  int rows = 1, length = 0;

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
    visit("rows", op.rows), visit("length", op.length);
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
        quantised(d.table, in, top, out, op.length);
      } else {
        using A = typename N::Acc;
        A sum = 0;
        for (int i = 0; i < op.length; ++i) sum += A(__builtin_exp(A{in[i]} - A{top}));
        for (int i = 0; i < op.length; ++i)
          out[i] = static_cast<float>(A(__builtin_exp(A{in[i]} - A{top})) / sum);
      }
    }
  }

 private:
  /// As desktop TFLite: in floats.
  static void quantised(const float* table, const int8_t* in, int top, int8_t* out, int n) {
    float sum = 0;
    for (int i = 0; i < n; ++i) sum = rounded(sum + table[top - in[i]]);
    const float inverse = rounded(1 / rounded(sum * (1.0f / 256)));
    for (int i = 0; i < n; ++i) {
      const float p = rounded(table[top - in[i]] * inverse);
      const int q = static_cast<int>(rounded(p + 0.5f));
      out[i] = static_cast<int8_t>(min(q, 255) - 128);
    }
  }
  /// As TFLite Micro: fractions of 31 bits, their sum of 19.
  static void quantised(const int32_t* table, const int8_t* in, int top, int8_t* out, int n) {
    int32_t sum = 0;
    for (int i = 0; i < n; ++i) sum += shifted_down(table[top - in[i]], 12);
    const int zeros = __builtin_clz(static_cast<uint32_t>(sum));
    const auto fraction = static_cast<int32_t>((static_cast<uint32_t>(sum) << zeros) - (1u << 31));
    const int32_t inverse = shifted_up(reciprocal(fraction), 1);
    const int down = 35 - zeros;  // of so many values that each is none above 31
    for (int i = 0; i < n; ++i) {
      const int32_t p = high_product(inverse, table[top - in[i]]);
      out[i] = static_cast<int8_t>((down > 31 ? 0 : min(shifted_down(p, down), 255)) - 128);
    }
  }
};

}  // namespace nnom
