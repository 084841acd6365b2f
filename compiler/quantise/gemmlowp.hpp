/// \file
/// Functions of fixed-point numbers as gemmlowp approximates them: what TFLite Micro computes with.
#pragma once

#include <cstdint>

namespace nnomc::gemmlowp {

/// e^a in units of 2^-31 for a <= 0 with `integer_bits` bits before the point, 31 - integer_bits
/// after it.
int32_t exp_of_negative(int32_t a, int integer_bits);
/// 1 / (1 + e^-a) in units of 2^-31, and tanh(a), for a with 4 bits before the point.
int32_t logistic(int32_t a);
int32_t tanh(int32_t a);

}  // namespace nnomc::gemmlowp
