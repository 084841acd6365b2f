#include "compiler/quantise/gemmlowp.hpp"

#include "nnom/fixed.hpp"

namespace nnomc::gemmlowp {

using nnom::high_product;
using nnom::shifted_down;
using nnom::shifted_up;

int32_t exp_of_negative(int32_t a, int integer_bits) {
  if (a == 0) return INT32_MAX;
  // e^a = e^rest * product of e^-(2^k): rest in [-1/4, 0) by a polynomial around -1/8.
  constexpr int32_t kMiddle = 1895147668;  // e^(-1/8)
  constexpr int32_t kThird = 715827883;    // 1/3
  constexpr int32_t kPowers[] = {1672461947, 1302514674, 790015084, 290630308,
                                 39332535,   720401,     242};  // e^-(2^k), k from -2
  const int fraction_bits = 31 - integer_bits;
  const int32_t quarter = 1 << (fraction_bits - 2);
  const int32_t rest = (a & (quarter - 1)) - quarter;
  const int32_t x = static_cast<int32_t>(int64_t{rest} << integer_bits) + (1 << 28);
  const int32_t x2 = high_product(x, x), x3 = high_product(x2, x), x4 = high_product(x2, x2);
  const int32_t tail = high_product(shifted_down(x4, 2) + x3, kThird) + x2;
  int32_t power = kMiddle + high_product(kMiddle, x + shifted_down(tail, 1));
  const int32_t left = rest - a;
  for (int k = -2; k < integer_bits; ++k)
    if (left & (1 << (fraction_bits + k))) power = high_product(power, kPowers[k + 2]);
  return power;
}

int32_t logistic(int32_t a) {
  if (a == 0) return 1 << 30;
  const int32_t power = exp_of_negative(a > 0 ? -a : a, 4);
  const int32_t p = shifted_up(nnom::reciprocal(power), 1);
  return a > 0 ? p : INT32_MAX - p;
}

int32_t tanh(int32_t a) {
  if (a == 0) return 0;
  // (1 - e^-2|a|) / (1 + e^-2|a|): twice the argument is one more bit before the point.
  const int32_t power = exp_of_negative(a > 0 ? -a : a, 5);
  const int32_t t = shifted_up(nnom::reciprocal(power) - (1 << 29), 2);
  return a > 0 ? t : -t;
}

}  // namespace nnomc::gemmlowp
