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
    /// table[d] = e^(-d * scale of the input) * 2^bits(length), for d = max - in.
    const uint32_t* table = nullptr;

    static constexpr void fields(auto& d, auto visit) {
      if constexpr (N::quantised) visit("table", d.table);
    }
  };

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
        uint32_t sum = 0;
        for (int i = 0; i < op.length; ++i) sum += d.table[top - in[i]];
        for (int i = 0; i < op.length; ++i) {
          const uint32_t q = (d.table[top - in[i]] * 256 + sum / 2) / sum;
          out[i] = static_cast<int8_t>(static_cast<int>(q > 255 ? 255 : q) - 128);
        }
      } else {
        using A = typename N::Acc;
        A sum = 0;
        for (int i = 0; i < op.length; ++i) sum += A(__builtin_exp(A{in[i]} - A{top}));
        for (int i = 0; i < op.length; ++i)
          out[i] = static_cast<float>(A(__builtin_exp(A{in[i]} - A{top})) / sum);
      }
    }
  }
};

}  // namespace nnom
