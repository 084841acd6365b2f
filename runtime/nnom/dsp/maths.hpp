/// \file
/// Functions of real numbers that are constants when compiled: tables and filters are made of
/// them, and no board computes one. Errors are a few units of the last place of a double.
#pragma once

#include "nnom/core.hpp"

namespace nnom::dsp {

inline constexpr double pi = 3.14159265358979323846;

constexpr double magnitude(double x) { return x < 0 ? -x : x; }

/// The whole number nearest to x, halves away from zero.
constexpr int32_t whole(double x) { return static_cast<int32_t>(x < 0 ? x - 0.5 : x + 0.5); }

constexpr double floor_of(double x) {
  const auto towards_zero = static_cast<double>(static_cast<int64_t>(x));
  return towards_zero > x ? towards_zero - 1 : towards_zero;
}

constexpr double sine(double x) {
  x -= 2 * pi * floor_of(x / (2 * pi) + 0.5);
  if (magnitude(x) > pi / 2) x = (x < 0 ? -pi : pi) - x;
  double sum = 0, term = x;
  for (int k = 2; k < 24; k += 2) {
    sum += term;
    term *= -x * x / (k * (k + 1));
  }
  return sum;
}
constexpr double cosine(double x) { return sine(x + pi / 2); }

/// The natural logarithm of x > 0.
constexpr double log(double x) {
  int powers = 0;
  while (x > 1.5) {
    x /= 2;
    ++powers;
  }
  while (x < 0.75) {
    x *= 2;
    --powers;
  }
  const double ratio = (x - 1) / (x + 1);  // at most 1/5
  double sum = 0, term = ratio;
  for (int k = 1; k < 26; k += 2) {
    sum += term / k;
    term *= ratio * ratio;
  }
  return 2 * sum + powers * 0.69314718055994530942;
}
constexpr double log2(double x) { return log(x) / log(2); }

constexpr double exp(double x) {
  int halvings = 0;
  while (magnitude(x) > 0.25) {
    x /= 2;
    ++halvings;
  }
  double sum = 0, term = 1;
  for (int k = 1; k < 16; ++k) {
    sum += term;
    term *= x / k;
  }
  for (; halvings > 0; --halvings) sum *= sum;
  return sum;
}

/// The square root of x >= 0.
constexpr double root(double x) { return x > 0 ? exp(log(x) / 2) : 0; }

}  // namespace nnom::dsp
