/// \file
/// Single on cores that have both the DSP extension and instructions for float.
#pragma once

#include "nnom/target/dsp_multiply.hpp"

namespace nnom::target::dsp {

/// By definition: a product of floats, rounded to even. Limits to int8 only.
template <class L>
struct Finish<Int8<Single, L>> {
  float scale;
  int zero;
  static constexpr bool limits = false;

  [[gnu::always_inline]] Finish(const Single& r, const Clamp<Int8<Single, L>>& clamp)
      : zero(clamp.zero) {  // 24 bits from 2^30 on: the first is not stored
    const int bits = r.multiplier ? (r.multiplier >> 7) + (r.shift + 125) * (1 << 23) : 0;
    __builtin_memcpy(&scale, &bits, 4);
  }
  template <int Bits>
  [[gnu::always_inline]] void store(int32_t sum, int8_t* out) const {
    float v = static_cast<float>(sum >> Bits) * scale;
    int32_t whole;
    asm("vcvtr.s32.f32 %1, %1\n\tvmov %0, %1" : "=r"(whole), "+t"(v));
    *out = static_cast<int8_t>(__ssat(__qadd(whole, zero), 8));
  }
};

}  // namespace nnom::target::dsp
