// The board's evaluation, runtime/nnom/evaluate.hpp, and the host's metrics on top of it.
#include "nnom/evaluate.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "compiler/metrics.hpp"

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

std::uint32_t now = 0;
std::uint32_t read_clock() { return now; }
std::string printed;

TEST(Evaluate, LayerTimesSurviveAWrappingClock) {
  nnom::LayerTimes<2, read_clock> times;
  const nnom::LayerInfo conv = {"conv", "Conv2D", 0, 1000, nullptr, 0};
  const nnom::LayerInfo dense = {"a_name_that_is_far_too_long", "Dense", 1, 20, nullptr, 0};
  const nnom::LayerInfo unknown = {"", "", 7, 0, nullptr, 0};
  now = 0xFFFFFFF0u;
  for (int run = 0; run < 2; ++run) {
    times.start();
    now += 300;
    times.observer(&times, conv);
    now += 100;
    times.observer(&times, dense);
    times.observer(&times, unknown);
  }
  EXPECT_EQ(times.ticks(0), 600u);
  EXPECT_EQ(times.ticks(1), 200u);
  EXPECT_EQ(times.ticks(7), 0u);
  EXPECT_EQ(times.ticks(), 800u);
  printed.clear();
  times.print([](const char* text) { printed += text; }, 1000000);
  EXPECT_EQ(printed,
            "layer                 type               operations         us   share\n"
            "conv                  Conv2D                   1000        300    75 %\n"
            "a_name_that_is_far_to Dense                      20        100    25 %\n"
            "total                                          1020        400   100 %\n");
  times.clear();
  printed.clear();
  times.print([](const char* text) { printed += text; }, 0);  // a clock of no speed
  EXPECT_NE(printed.find("total"), std::string::npos);
}

TEST(Evaluate, LayerTimesThatNeverRan) {
  nnom::LayerTimes<1, read_clock> times;
  printed.clear();
  times.print([](const char* text) { printed += text; }, 1000);
  EXPECT_NE(printed.find("-                     -                           0          0     0 %"),
            std::string::npos)
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
