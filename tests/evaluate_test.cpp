// The board's evaluation, runtime/nnom/evaluate.hpp and test_run.hpp, and the host's metrics on top
// of it.
#include "nnom/evaluate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "compiler/metrics.hpp"
#include "nnom/test_run.hpp"

namespace nnomc {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

struct Ranking {
  std::vector<float> scores;
  std::size_t label, best, place;
};

TEST(Evaluate, BestAndPlace) {
  const Ranking cases[] = {
      {{1, 2, 3}, 0, 2, 2},
      {{3, 2, 1}, 0, 0, 0},
      {{5, 5, 5}, 0, 0, 0},  // the first of equal ones wins
      {{5, 5, 5}, 2, 0, 2},
      {{1, 5, 5}, 2, 1, 1},
      {{0}, 0, 0, 0},
      {{kNan, 1, 2}, 0, 2, 2},  // what is no number comes last
      {{kNan, -kInf, 2}, 1, 2, 1},
      {{kNan, kNan}, 1, 0, 1},
      {{kInf, kNan, kInf}, 2, 0, 1},
  };
  for (const Ranking& c : cases) {
    SCOPED_TRACE(::testing::PrintToString(c.scores) + " label " + std::to_string(c.label));
    EXPECT_EQ(nnom::best(c.scores.data(), c.scores.size()), c.best);
    EXPECT_EQ(nnom::place(c.scores.data(), c.scores.size(), c.label), c.place);
  }
}

TEST(Evaluate, CountsAndAbsentClasses) {
  nnom::Evaluation<4, 2> e;
  EXPECT_EQ(e.samples(), 0u);
  EXPECT_EQ(e.accuracy(), 0);
  const std::int8_t scores[][4] = {{9, 1, 2, 0}, {1, 9, 2, 0}, {1, 9, 2, 0}, {3, 3, 1, 0}};
  const std::size_t labels[] = {0, 1, 2, 1};
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(e.add(scores[i], labels[i]));
  EXPECT_FALSE(e.add(scores[0], 4));
  EXPECT_EQ(e.samples(), 4u);
  EXPECT_EQ(e.top(1), 2u);
  EXPECT_EQ(e.top(2), 4u);
  EXPECT_EQ(e.top(3), 4u);  // deeper than it was counted
  EXPECT_EQ(e.top(4), 4u);  // all classes
  EXPECT_EQ(e.top(99), 4u);
  EXPECT_FLOAT_EQ(e.accuracy(), 0.5f);
  EXPECT_EQ(e.confusion(1, 0), 1u);
  EXPECT_EQ(e.confusion(2, 1), 1u);
  struct Class {
    float precision, recall;
    std::uint32_t actual, predicted;
  };
  const Class classes[] = {{0.5f, 1, 1, 2}, {0.5f, 0.5f, 2, 2}, {0, 0, 1, 0}, {0, 0, 0, 0}};
  for (std::size_t c = 0; c < 4; ++c) {
    SCOPED_TRACE(c);
    EXPECT_FLOAT_EQ(e.precision(c), classes[c].precision);
    EXPECT_FLOAT_EQ(e.recall(c), classes[c].recall);
    EXPECT_EQ(e.actual(c), classes[c].actual);
    EXPECT_EQ(e.predicted(c), classes[c].predicted);
  }
  e.clear();
  EXPECT_EQ(e.samples() + e.top(1) + e.confusion(0, 0), 0u);
}

TEST(Evaluate, MorePlacesThanClasses) {
  nnom::Evaluation<2, 5> e;
  const float scores[] = {0.5f, 0.25f};
  e.add(scores, 1);
  EXPECT_EQ(e.top(1), 0u);
  EXPECT_EQ(e.top(2), 1u);
  EXPECT_EQ(e.top(5), 1u);
}

TEST(Evaluate, TakesSpansOfTheRightLengthOnly) {
  nnom::Evaluation<3> e;
  const std::int8_t three[] = {1, 2, 3};
  const std::int8_t two[] = {1, 2};
  EXPECT_TRUE(e.add(nnom::Span<const std::int8_t, 3>(three), 2));
  EXPECT_FALSE(e.add(nnom::Span<const std::int8_t, 2>(two), 1));
  EXPECT_EQ(e.top(1), 1u);
}

/// A model of `Outputs` outputs that are its inputs.
template <class Stored_, unsigned Outputs>
struct Echo {
  enum : unsigned { arena_bytes = 64, input_count = 1, output_count = 1, layer_count = 1 };
  static nnom::Slot input(unsigned) { return {0, Outputs * sizeof(Stored_), {1.0f / 256, -128}}; }
  static nnom::Slot output(unsigned i) { return input(i); }
  template <size_t I>
  struct Input {
    enum : unsigned { size = Outputs };
    typedef Stored_ Stored;
  };
  template <size_t I>
  using Output = Input<I>;
  static void run(unsigned char*) {}
};

struct Answer {
  std::vector<int> stored;
  std::size_t label;
  float score;
};

template <class T, unsigned Outputs>
void expect_answers(const std::vector<Answer>& answers) {
  for (const Answer& a : answers) {
    SCOPED_TRACE(::testing::PrintToString(a.stored));
    nnom::Model<Echo<T, Outputs>> model;
    for (std::size_t i = 0; i < Outputs; ++i) model.input()[i] = static_cast<T>(a.stored[i]);
    const nnom::Prediction p = nnom::predict(model);
    EXPECT_EQ(p.label, a.label);
    EXPECT_FLOAT_EQ(p.score, a.score);
    nnom::Evaluation<std::max(2u, Outputs)> right, wrong;
    EXPECT_TRUE(right.add(model, a.label));
    EXPECT_TRUE(wrong.add(model, a.label == 0 ? 1 : 0));
    EXPECT_EQ(right.top(1), 1u);
    EXPECT_EQ(wrong.top(1), 0u);
  }
}

TEST(Evaluate, PredictsAClassAndItsScore) {
  expect_answers<std::int8_t, 3>({{{-128, 127, -127}, 1, 255.0f / 256},  // a Softmax
                                  {{64, 64, -128}, 0, 0.75f},
                                  {{-128, -128, -128}, 0, 0}});
  expect_answers<std::int16_t, 2>({{{-3000, 2000}, 1, 2128.0f / 256}});  // scores of any size
  expect_answers<std::int8_t, 1>({{{64}, 1, 0.75f},  // the probability of class 1
                                  {{0}, 0, 0.5f},
                                  {{-64}, 0, 0.75f}});
}

std::uint32_t now = 0;
std::uint32_t read_clock() { return now; }
std::string printed;
void print(const char* text) { printed += text; }

TEST(TestRun, PrintsASummaryEvenWhereAClassIsAbsent) {
  nnom::TestRun<4, read_clock, 2> test;
  now = 0xFFFFFF00u;
  const std::int8_t scores[][4] = {{9, 1, 2, 0}, {1, 9, 2, 0}, {1, 9, 2, 0}, {3, 3, 1, 0}};
  const std::size_t labels[] = {0, 1, 2, 1};
  for (int i = 0; i < 4; ++i) {
    test.start();
    now += 250;
    EXPECT_TRUE(test.add(scores[i], labels[i]));
    now += 10000;  // what lies between inferences doesn't count
  }
  test.start();
  now += 5;
  EXPECT_FALSE(test.add(scores[0], 4));
  EXPECT_EQ(test.ticks(), 1000u);
  printed.clear();
  test.print(print, 1000);
  EXPECT_EQ(printed,
            "samples          4\n"
            "time         1.000 s\n"
            "average    250.000 ms\n"
            "speed         4.00 inferences/s\n"
            "top-1        50.00 %   2 of 4\n"
            "top-2       100.00 %   4 of 4\n"
            "confusion matrix: rows are right classes, columns answers\n"
            "             0    1    2    3     recall\n"
            "        0    1    .    .    .   100.00 %\n"
            "        1    1    1    .    .    50.00 %\n"
            "        2    .    1    .    .     0.00 %\n"
            "        3    .    .    .    .        -  \n"
            "precision   50   50    -    - %\n");
  test.clear();
  printed.clear();
  test.print(print, 0);  // no samples, a clock of no speed
  EXPECT_TRUE(
      printed.starts_with("samples          0\ntime         0.000 s\naverage      0.000 ms\n"
                          "speed            - inferences/s\ntop-1            -"))
      << printed;
}

TEST(Metrics, Classify) {
  const std::vector<float> scores = {0.1f, 0.9f, 0.8f, 0.2f, 0.5f, 0.5f};
  const std::vector<std::uint32_t> labels = {1, 1, 1};
  const Classification counts = classify(scores, labels, 2, 5);
  EXPECT_EQ(counts.top(1), 1u);
  EXPECT_EQ(counts.top(2), 3u);
  EXPECT_EQ(counts.depth(), 2u);
}

TEST(Metrics, OneScoreIsTheProbabilityOfClassOne) {
  const std::vector<float> scores = {0.9f, 0.1f, 0.5f, 0.51f};
  const std::vector<std::uint32_t> labels = {1, 0, 0, 1};
  EXPECT_EQ(classify(scores, labels, 1, 1).top(1), 4u);
}

TEST(Metrics, Errors) {
  const std::vector<float> a = {1, 2, 3, 4}, b = {1, 0, 3, 7};
  EXPECT_DOUBLE_EQ(mean_squared_error(a, b), 13.0 / 4);
  EXPECT_DOUBLE_EQ(mean_absolute_error(a, b), 5.0 / 4);
}

TEST(Metrics, AreaUnderCurve) {
  struct Case {
    std::vector<double> scores;
    std::vector<std::uint32_t> labels;
    double area;
  };
  const Case cases[] = {
      {{1, 2, 3, 4}, {0, 0, 1, 1}, 1},        {{4, 3, 2, 1}, {0, 0, 1, 1}, 0},
      {{5, 5, 5, 5}, {0, 1, 0, 1}, 0.5},  // equal scores tell nothing
      {{1, 2, 2, 3}, {0, 0, 1, 1}, 3.5 / 4},  {{0.1, 0.4, 0.35, 0.8}, {0, 0, 1, 1}, 0.75},
      {{std::nan(""), 2, 3}, {1, 0, 1}, 0.5},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(::testing::PrintToString(c.scores));
    EXPECT_DOUBLE_EQ(area_under_curve(c.scores, c.labels), c.area);
  }
  EXPECT_TRUE(
      std::isnan(area_under_curve(std::vector<double>{1, 2}, std::vector<std::uint32_t>{1, 1})));
}

}  // namespace
}  // namespace nnomc
