// How an accumulator becomes an output: nnom::Single, nnom::Double and rescale_by against TFLite's
// definitions in exact arithmetic.
#include <gtest/gtest.h>

#include <climits>
#include <random>
#include <vector>

#include "compiler/quantise/fixed_point.hpp"
#include "tests/rescale_oracle.hpp"

namespace nnomc {
namespace {

using oracle::Factor;

std::vector<int32_t> accumulators() {
  std::vector<int32_t> values = {0, INT_MAX, INT_MAX - 1, INT_MIN, INT_MIN + 1, INT_MIN + 2};
  for (int bit = 0; bit < 31; ++bit)
    for (int64_t off = -2; off <= 2; ++off)
      for (const int64_t v :
           {(int64_t{1} << bit) + off, -(int64_t{1} << bit) + off, (int64_t{3} << bit) + off})
        if (oracle::fits(v)) values.push_back(static_cast<int32_t>(v));
  std::mt19937 random(1);
  for (int i = 0; i < 200; ++i)  // of every size
    values.push_back(static_cast<int32_t>(random()) >> random() % 31);
  return values;
}

std::vector<int32_t> multipliers() {
  std::vector<int32_t> values = {0,          1 << 30,     (1 << 30) + 1, 3 << 29,
                                 1518500250, INT_MAX - 1, INT_MAX};
  std::mt19937 random(2);
  for (int i = 0; i < 30; ++i) values.push_back(static_cast<int32_t>(random() >> 2 | 1u << 30));
  return values;
}

/// The factors that floats can have.
std::vector<int32_t> float_multipliers() {
  std::vector<int32_t> values = multipliers();
  for (int32_t& v : values) v &= ~127;
  return values;
}

/// Compares Rescale with `expected` over all shifts, as far as `most`; returns how many cases were
/// defined.
template <class Rescale, class Expected>
int compare(const std::vector<int32_t>& multipliers, int32_t most, Expected expected) {
  int cases = 0, wrong = 0;
  for (const int32_t multiplier : multipliers)
    for (int shift = -31; shift <= 30; ++shift)
      for (const int32_t acc : accumulators())
        if (const auto want = expected(acc, Factor{multiplier, shift})) {
          ++cases;
          const int32_t got = std::clamp(Rescale{multiplier, shift}(acc), -most, most);
          if (got == std::clamp(*want, -most, most) || ++wrong > 10) continue;
          ADD_FAILURE() << acc << " * " << multiplier << " * 2^(" << shift << " - 31): " << got
                        << " instead of " << *want;
        }
  EXPECT_EQ(wrong, 0);
  return cases;
}

TEST(Rescale, SingleIsAProductOfFloatsAsFarAsInt8Reaches) {
  EXPECT_GT(compare<nnom::Single>(float_multipliers(), 256, oracle::single_rounding), 500'000);
}

/// Accumulators around those whose result is half way between two integers.
TEST(Rescale, SingleIsExactAroundHalves) {
  std::mt19937 random(4);
  int wrong = 0;
  for (int i = 0; i < 400'000; ++i) {
    const Factor f{static_cast<int32_t>((random() >> 2 | 1u << 30) & ~127u),
                   -static_cast<int>(random() % 20)};
    const double half = static_cast<double>(random() % 600) - 299.5;
    const double acc = half / std::ldexp(f.multiplier, f.shift - 31);
    if (std::abs(acc) > 2e9) continue;
    const auto near = static_cast<int32_t>(std::llround(acc) + static_cast<int>(random() % 5) - 2);
    const auto got = std::clamp(nnom::Single{f.multiplier, f.shift}(near), -256, 256);
    wrong += got != std::clamp(*oracle::single_rounding(near, f), -256, 256);
  }
  EXPECT_EQ(wrong, 0);
}

TEST(Rescale, DoubleRoundsTheHighHalfAndThenTheShift) {
  EXPECT_GT(compare<nnom::Double>(multipliers(), INT_MAX, oracle::double_rounding), 500'000);
}

TEST(Rescale, WorksInConstantExpressions) {
  static_assert(nnom::Single{1 << 30, 0}(3) == 2 && nnom::Single{1 << 30, 0}(-3) == -2);
  static_assert(nnom::Double{1 << 30, -1}(6) == 2 && nnom::Double{1 << 30, -1}(-6) == -2);
}

/// Written out, so that the oracle is proved too: halves, and where the two dialects differ.
TEST(Rescale, KnownValues) {
  struct Case {
    int32_t acc, multiplier;
    int shift;
    int32_t single, twice;
  };
  for (const Case& c :
       std::vector<Case>{{1, 1 << 30, 0, 0, 1},          // 0.5
                         {-1, 1 << 30, 0, 0, 0},         // -0.5: up in Double, no shift follows
                         {3, 1 << 30, 0, 2, 2},          // 1.5
                         {5, 1 << 30, 0, 2, 3},          // 2.5
                         {-3, 1 << 30, 0, -2, -1},       // -1.5
                         {2, 1 << 30, -1, 0, 1},         // 1/2
                         {-2, 1 << 30, -1, 0, -1},       // -1/2: away from zero by the shift
                         {-6, 1 << 30, -1, -2, -2},      // -3/2
                         {1, 1 << 30, -1, 0, 1},         // 1/4: rounded up twice
                         {100, 1 << 30, 1, 100, 100},    // times 1
                         {100, 1 << 30, 4, 800, 800},    // times 8
                         {INT_MAX, 1 << 30, -31, 0, 1},  // a half, in floats
                         {INT_MIN, 1 << 30, -31, 0, -1},
                         {12345, 0, 0, 0, 0}}) {
    EXPECT_EQ(nnom::Single({c.multiplier, c.shift})(c.acc), c.single) << c.acc << " " << c.shift;
    EXPECT_EQ(nnom::Double({c.multiplier, c.shift})(c.acc), c.twice) << c.acc << " " << c.shift;
  }
}

std::vector<double> factors() {
  std::vector<double> values = {0, 1, 0.5, 2, 1e-300, 5e-324, 1e300, 1.0 / 3, 0.1, 255, 1e-9, 1e9};
  for (int e = -40; e <= 40; ++e) {
    const double power = std::ldexp(1.0, e);
    for (const double v : {power, std::nextafter(power, 0), std::nextafter(power, 1e300),
                           power * (1 - 0x1p-31), power * (1 - 0x1p-32), power * (1 - 0x1p-33),
                           power * (1 + 0x1p-31), power * 1.5, power * (1.5 + 0x1p-32)})
      values.push_back(v);
  }
  std::mt19937 random(3);
  for (int i = 0; i < 2000; ++i)
    values.push_back(std::ldexp(1 + static_cast<double>(random()) * 0x1p-32,
                                static_cast<int>(random() % 80) - 40));
  return values;
}

TEST(RescaleBy, IsTheNearestFactor) {
  for (const double value : factors()) {
    const Factor want = oracle::factor_of(static_cast<long double>(value));
    const auto got = rescale_by<nnom::Double>(value);
    EXPECT_EQ(got.multiplier, want.multiplier) << value;
    EXPECT_EQ(got.shift, want.shift) << value;
    // Whatever the way to it: in range, and no farther off than half a unit of 31 bits.
    EXPECT_TRUE(got.multiplier == 0 || got.multiplier >= 1 << 30) << value;
    EXPECT_TRUE(got.shift >= -31 && got.shift <= 30) << value;
    const double real = std::ldexp(got.multiplier, got.shift - 31);
    if (value >= 0x1p-32 && value <= INT_MAX / 2) {
      EXPECT_LE(std::abs(real - value), std::ldexp(1.0, got.shift - 32)) << value;
    }
    const auto single = rescale_by<nnom::Single>(value);
    if (value >= 0x1p-32 && value < 0x1p29) {
      EXPECT_EQ(std::ldexp(single.multiplier, single.shift - 31),
                static_cast<double>(static_cast<float>(value)));
    }
  }
}

TEST(RescaleBy, KnownValues) {
  struct Case {
    double factor;
    int32_t multiplier, shift;
  };
  for (const Case& c : std::vector<Case>{{0, 0, 0},
                                         {1, 1 << 30, 1},
                                         {0.5, 1 << 30, 0},
                                         {0.75, 3 << 29, 0},
                                         {1 - 0x1p-31, INT_MAX, 0},  // the last below 1
                                         {1 - 0x1p-33, 1 << 30, 1},  // rounds up to 1
                                         {std::nextafter(1.0, 0), 1 << 30, 1},
                                         {2, 1 << 30, 2},
                                         {0x1p-32, 1 << 30, -31},  // the smallest
                                         {0x1p-33, 0, 0},
                                         {std::nextafter(0x1p-32, 0), 1 << 30, -31},
                                         {0x1p29, 1 << 30, 30},
                                         {0x1p30, INT_MAX, 30},  // the largest
                                         {1e300, INT_MAX, 30}}) {
    const auto got = rescale_by<nnom::Double>(c.factor);
    EXPECT_EQ(got.multiplier, c.multiplier) << c.factor;
    EXPECT_EQ(got.shift, c.shift) << c.factor;
  }
}

}  // namespace
}  // namespace nnomc
