// Tables, numbers and the progress bar: compiler/report.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "compiler/report/evaluation.hpp"
#include "compiler/report/progress.hpp"
#include "compiler/report/table.hpp"

namespace nnomc {
namespace {

TEST(Text, Numbers) {
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(1000), "1,000");
  EXPECT_EQ(count_text(-1234567), "-1,234,567");
  EXPECT_EQ(count_text(-100), "-100");
  EXPECT_EQ(bytes_text(2048), "2,048 B");
  EXPECT_EQ(percent_text(0.12345), "12.35 %");
  EXPECT_EQ(percent_text(1, 0), "100 %");
  EXPECT_EQ(percent_text(std::nan("")), "-");
  EXPECT_EQ(counted(1, "sample"), "1 sample");
  EXPECT_EQ(counted(1500, "sample"), "1,500 samples");
}

TEST(Text, Times) {
  EXPECT_EQ(time_text(0), "0 s");
  EXPECT_EQ(time_text(1.5e-9), "1.50 ns");
  EXPECT_EQ(time_text(0.0123), "12.3 ms");
  EXPECT_EQ(time_text(0.99999), "1.00 s");
  EXPECT_EQ(time_text(99.4), "99.4 s");
  EXPECT_EQ(time_text(125), "2 min 5 s");
  EXPECT_EQ(time_text(INFINITY), "-");
}

TEST(Text, ShortensAndWraps) {
  EXPECT_EQ(shortened("abcdefghij", 10), "abcdefghij");
  EXPECT_EQ(shortened("abcdefghijk", 10), "abcd...ijk");
  EXPECT_EQ(width_of("größe"), 5u);
  EXPECT_EQ(shortened("größengrößen", 7), "gr...en");
  EXPECT_EQ(pad_left("ß", 3), "  ß");
  EXPECT_EQ(wrapped("a: ", "one two three", 8), "a: one\n   two\n   three\n");
  EXPECT_EQ(wrapped("", "", 8), "\n");
}

TEST(Table, AlignsShrinksAndLeavesOut) {
  Table table({{"Layer", Column::Align::left, true}, {"Nothing"}, {"Count"}});
  table.row({"convolution_number_1", "", "12"});
  table.row({"x", "", "1,234"});
  table.rule();
  table.row({"total"});
  EXPECT_EQ(table.text(100),
            "Layer                 Count\n"
            "---------------------------\n"
            "convolution_number_1     12\n"
            "x                     1,234\n"
            "---------------------------\n"
            "total\n");
  EXPECT_EQ(table.text(18),
            "Layer        Count\n"
            "------------------\n"
            "conv...er_1     12\n"
            "x            1,234\n"
            "------------------\n"
            "total\n");
}

TEST(Progress, Line) {
  EXPECT_EQ(Progress::line("running", 45, 100, 9, 100),
            "running  [##########--------------]   45 %  45/100  11 s left");
  EXPECT_EQ(Progress::line("running", 0, 100, 9, 100),
            "running  [------------------------]    0 %  0/100");
  EXPECT_EQ(Progress::line("running", 101, 100, 9, 100),
            "running  [########################]  100 %  100/100");
  EXPECT_EQ(Progress::line("compiling", 0, 0, 2.1, 100), "compiling  3 s");
  EXPECT_EQ(Progress::line("running", 1, 1000, 9, 100).substr(35),
            "    0 %  1/1000  149 min 51 s left");
  EXPECT_LE(Progress::line("a label that is long", 45, 100, 9, 40).size(), 40u);
}

/// A classification of `n` classes, each with 10 samples of which `right` are right; the others are
/// taken for the next class.
Classification counts_of(std::size_t n, int right) {
  Classification counts(HeapCounts(n, 1));
  for (std::size_t label = 0; label + 1 < n; ++label)
    for (int i = 0; i < 10; ++i) {
      std::vector<float> scores(n);
      scores[i < right ? label : label + 1] = 1;
      counts.add(scores.data(), label);
    }
  return counts;
}

TEST(Confusion, MatrixWithAnAbsentClass) {
  EXPECT_EQ(confusion_text(counts_of(3, 9), 100),
            "Confusion matrix (a row: the right class; a column: the model's answer)\n"
            "            0   1   2    recall\n"
            "        0   9   1   .    90.0 %\n"
            "        1   .   9   1    90.0 %\n"
            "        2   .   .   .         -\n"
            "precision 100  90   0 %\n");
}

TEST(Confusion, PrecisionOfAClassNeverGuessed) {
  EXPECT_NE(confusion_text(counts_of(2, 10), 100).find("precision 100   - %"), std::string::npos);
}

TEST(Confusion, ManyClassesShowTheWorst) {
  const std::string text = confusion_text(counts_of(30, 8), 100);
  EXPECT_NE(text.find("Worst confusions of 30 classes"), std::string::npos);
  EXPECT_NE(text.find("Classes found least"), std::string::npos);
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 32);
  EXPECT_EQ(confusion_text(counts_of(15, 8), 60).find("matrix"), std::string::npos);
}

}  // namespace
}  // namespace nnomc
