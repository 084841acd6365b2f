/// \file
/// RISC-V with 32 bits and multiplication (RV32IM, RV32IMC).
#pragma once

#include "nnom/target/tiles.hpp"

namespace nnom::target {

struct Riscv : Tiles<Riscv, layout::Vector> {
  static constexpr int pixels = 2, rows[] = {0, 8, 8};

  template <int P>
  static void prepare(Tile&) {}
  template <int P>
  [[gnu::noinline]] static void add_products(Tile& tile, const int8_t* weights) {
    int32_t sum[8 * P];
#pragma GCC unroll 16
    for (int i = 0; i < 8 * P; ++i) sum[i] = tile.sum[i];
    const int step = tile.step, length = tile.length;
    const int8_t* row = tile.x;
    for (int y = tile.rows;;) {
      const int8_t* x[P];
#pragma GCC unroll 2
      for (int p = 0; p < P; ++p) x[p] = row + p * step;
      for (const int8_t* const end = row + (length & ~3); x[0] != end;)
        steps<P, 4>(x, weights, sum);
      for (const int8_t* const end = row + length; x[0] != end;) steps<P, 1>(x, weights, sum);
      if (--y == 0) break;
      row += tile.row_step;
      if (row >= tile.end) row -= tile.ring;
    }
#pragma GCC unroll 16
    for (int i = 0; i < 8 * P; ++i) tile.sum[i] = sum[i];
  }

  [[gnu::always_inline]] static int8_t rescaled(int32_t sum, int32_t multiplier, int32_t right,
                                                int32_t zero) {
    const int64_t product = int64_t{sum} * multiplier;
    const uint32_t low = static_cast<uint32_t>(product);
    const int32_t p =  // the doubled high half: of the low one the first two bits count
        static_cast<int32_t>(product >> 32) * 2 + static_cast<int32_t>(((low >> 30) + 1) >> 1);
    const int32_t value = ((((p + (p >> 31)) >> (right - 1)) + 1) >> 1) + zero;
    return static_cast<int8_t>(value < INT8_MIN ? INT8_MIN : value > INT8_MAX ? INT8_MAX : value);
  }

 private:
  /// U products of each pixel and row.
  template <int P, int U>
  [[gnu::always_inline]] static void steps(const int8_t* (&x)[P], const int8_t*& w,
                                           int32_t (&sum)[8 * P]) {
#pragma GCC unroll 4
    for (int k = 0; k < U; ++k) {
      int32_t a[P];
#pragma GCC unroll 2
      for (int p = 0; p < P; ++p) a[p] = x[p][k];
#pragma GCC unroll 8
      for (int i = 0; i < 8; ++i) {
        const int32_t b = w[8 * k + i];
#pragma GCC unroll 2
        for (int p = 0; p < P; ++p) {
          sum[i * P + p] += a[p] * b;
          asm volatile("" : "+r"(sum[i * P + p]));  // by here, or GCC runs out of registers
        }
      }
    }
    w += 8 * U;
#pragma GCC unroll 2
    for (int p = 0; p < P; ++p) x[p] += U;
  }
};

}  // namespace nnom::target
