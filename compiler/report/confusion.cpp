#include <fmt/format.h>

#include <algorithm>

#include "compiler/report/evaluation.hpp"
#include "compiler/report/table.hpp"

namespace nnomc {
namespace {

constexpr std::size_t kMostClasses = 20;  // of a whole matrix
constexpr std::size_t kWorst = 10;        // lines of an abbreviated one

/// "97.1 %", or "-" where there is nothing to take a share of.
std::string share(std::uint32_t part, std::uint32_t whole) {
  return whole ? percent_text(static_cast<double>(part) / whole, 1) : "-";
}

std::string recall(const Classification& counts, std::size_t c) {
  return share(counts.confusion(c, c), counts.actual(c));
}

std::string precision(const Classification& counts, std::size_t c) {
  return share(counts.confusion(c, c), counts.predicted(c));
}

/// Every class against every other.
std::string matrix(const Classification& counts, std::size_t cell) {
  const std::size_t n = counts.classes();
  std::string text = "Confusion matrix (a row: the right class; a column: the model's answer)\n";
  std::string line = pad_left("", 9);
  for (std::size_t c = 0; c < n; ++c) line += pad_left(std::to_string(c), cell);
  text += line + "    recall\n";
  for (std::size_t r = 0; r < n; ++r) {
    line = pad_left(std::to_string(r), 9);
    for (std::size_t c = 0; c < n; ++c) {
      const std::uint32_t count = counts.confusion(r, c);
      line += pad_left(count ? std::to_string(count) : ".", cell);
    }
    text += line + pad_left(recall(counts, r), 10) + "\n";
  }
  line = "precision";
  for (std::size_t c = 0; c < n; ++c) {
    const std::uint32_t all = counts.predicted(c);
    line += pad_left(
        all ? fmt::format("{:.0f}", 100 * static_cast<double>(counts.precision(c))) : "-", cell);
  }
  return text + line + " %\n";
}

/// The pairs of classes that are taken for each other most, and the classes found least.
std::string worst(const Classification& counts, std::size_t width) {
  struct Pair {
    std::size_t label, predicted;
    std::uint32_t count;
  };
  const std::size_t n = counts.classes();
  std::vector<Pair> pairs;
  std::vector<std::size_t> classes;
  for (std::size_t r = 0; r < n; ++r) {
    if (counts.actual(r)) classes.push_back(r);
    for (std::size_t c = 0; c < n; ++c)
      if (r != c && counts.confusion(r, c)) pairs.push_back({r, c, counts.confusion(r, c)});
  }
  const auto by_count = [](const Pair& a, const Pair& b) { return a.count > b.count; };
  std::stable_sort(pairs.begin(), pairs.end(), by_count);
  std::stable_sort(classes.begin(), classes.end(), [&](std::size_t a, std::size_t b) {
    return counts.recall(a) < counts.recall(b);
  });
  std::string text;
  Table confusions({{"Class"}, {"Taken for"}, {"Samples"}, {"Of its samples"}});
  for (std::size_t i = 0; i < std::min(pairs.size(), kWorst); ++i)
    confusions.row({std::to_string(pairs[i].label), std::to_string(pairs[i].predicted),
                    count_text(pairs[i].count),
                    share(pairs[i].count, counts.actual(pairs[i].label))});
  if (!confusions.empty())
    text += fmt::format("Worst confusions of {} classes\n", n) + confusions.text(width) + "\n";
  Table found({{"Class"}, {"Samples"}, {"Recall"}, {"Precision"}});
  for (std::size_t i = 0; i < std::min(classes.size(), kWorst); ++i)
    found.row({std::to_string(classes[i]), count_text(counts.actual(classes[i])),
               recall(counts, classes[i]), precision(counts, classes[i])});
  return text + "Classes found least\n" + found.text(width);
}

}  // namespace

std::string confusion_text(const Classification& counts, std::size_t width) {
  const std::size_t n = counts.classes();
  std::uint32_t largest = 100;
  for (std::size_t r = 0; r < n && n <= kMostClasses; ++r)
    for (std::size_t c = 0; c < n; ++c) largest = std::max(largest, counts.confusion(r, c));
  const std::size_t cell = std::to_string(largest).size() + 1;
  return n > kMostClasses || 9 + n * cell + 10 > width ? worst(counts, width)
                                                       : matrix(counts, cell);
}

}  // namespace nnomc
