#include "compiler/report/html/layout.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace nnomc {
namespace {

constexpr int kSweeps = 12;

/// Vertices, and one more wherever an edge passes a rank.
struct Item {
  int rank = 0;
  double width = 0, x = 0;
  std::vector<int> above{}, below{};
};

std::vector<int> ranks_of(int count, const std::vector<std::pair<int, int>>& edges) {
  const auto at = [](std::vector<int>& v, int i) -> int& { return v[static_cast<std::size_t>(i)]; };
  std::vector<int> rank(static_cast<std::size_t>(count));
  std::vector<std::vector<int>> in(rank.size());
  for (const auto& [from, to] : edges) in[static_cast<std::size_t>(to)].push_back(from);
  for (int v = 0; v < count; ++v)
    for (const int from : in[static_cast<std::size_t>(v)])
      at(rank, v) = std::max(at(rank, v), at(rank, from) + 1);
  for (int v = count - 1; v >= 0; --v) {  // what nothing leads to goes down to its reader
    if (!in[static_cast<std::size_t>(v)].empty()) continue;
    int first = std::numeric_limits<int>::max();
    for (const auto& [from, to] : edges)
      if (from == v) first = std::min(first, at(rank, to));
    if (first != std::numeric_limits<int>::max()) at(rank, v) = first - 1;
  }
  return rank;
}

double mean_x(const std::vector<Item>& items, const std::vector<int>& of, double otherwise) {
  if (of.empty()) return otherwise;
  double sum = 0;
  for (const int i : of) sum += items[static_cast<std::size_t>(i)].x;
  return sum / static_cast<double>(of.size());
}

/// Places the items of a rank, in their order, as near to `wanted` as their widths allow: runs of
/// them that touch are moved together, to the mean of what they want.
void place(std::vector<Item>& items, const std::vector<int>& row, const std::vector<double>& wanted,
           double gap) {
  struct Run {
    double sum = 0;  // of wanted places, less what stands before each in the run
    double width = 0;
    std::size_t first = 0, count = 0;
    double x() const { return sum / static_cast<double>(count); }
  };
  std::vector<Run> runs;
  for (std::size_t k = 0; k < row.size(); ++k) {
    const double width = items[static_cast<std::size_t>(row[k])].width + gap;
    runs.push_back({wanted[k] - width / 2, width, k, 1});
    while (runs.size() > 1 &&
           runs[runs.size() - 2].x() + runs[runs.size() - 2].width > runs.back().x()) {
      const Run last = runs.back();
      runs.pop_back();
      Run& run = runs.back();
      run.sum += last.sum - run.width * static_cast<double>(last.count);
      run.width += last.width, run.count += last.count;
    }
  }
  for (const Run& run : runs) {
    double x = run.x();
    for (std::size_t k = run.first; k < run.first + run.count; ++k) {
      Item& item = items[static_cast<std::size_t>(row[k])];
      item.x = x + (item.width + gap) / 2;
      x += item.width + gap;
    }
  }
}

}  // namespace

Placement lay_out(int count, const std::vector<std::pair<int, int>>& edges, const Spacing& size) {
  Placement result{.rank = ranks_of(count, edges)};
  std::vector<Item> items;
  for (const int rank : result.rank) items.push_back({.rank = rank, .width = size.width});
  std::vector<std::vector<int>> threads;  // items of each edge between its ends
  for (const auto& [from, to] : edges) {
    threads.emplace_back();
    int before = from;
    const int end = result.rank[static_cast<std::size_t>(to)];
    for (int rank = result.rank[static_cast<std::size_t>(from)] + 1; rank <= end; ++rank) {
      int next = to;
      if (rank < end) {
        next = static_cast<int>(items.size());
        items.push_back({.rank = rank, .width = size.thread});
        threads.back().push_back(next);
      }
      items[static_cast<std::size_t>(before)].below.push_back(next);
      items[static_cast<std::size_t>(next)].above.push_back(before);
      before = next;
    }
  }
  std::vector<std::vector<int>> rows;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto rank = static_cast<std::size_t>(items[i].rank);
    if (rows.size() <= rank) rows.resize(rank + 1);
    rows[rank].push_back(static_cast<int>(i));
  }
  result.ranks = static_cast<int>(rows.size());
  const auto sweep = [&](std::vector<int>& row, bool down, bool sort) {
    std::vector<std::pair<double, int>> wanted;
    for (const int i : row) {
      const Item& item = items[static_cast<std::size_t>(i)];
      wanted.emplace_back(mean_x(items, down ? item.above : item.below, item.x), i);
    }
    // What an edge passes goes to the right of what stands there.
    if (sort)
      std::ranges::stable_sort(wanted, {}, [&](const auto& w) {
        return w.first + (items[static_cast<std::size_t>(w.second)].width < size.width ? 1 : 0);
      });
    std::vector<double> places;
    row.clear();
    for (const auto& [x, i] : wanted) row.push_back(i), places.push_back(x);
    place(items, row, places, size.gap);
  };
  for (int s = 0; s < kSweeps; ++s) {
    const bool sort = s < kSweeps - 4;
    for (std::size_t r = 1; r < rows.size(); ++r) sweep(rows[r], true, sort);
    for (std::size_t r = rows.size(); r-- > 0;) sweep(rows[r], false, sort);
  }
  double left = 0, right = 0;
  for (const Item& item : items) {
    left = std::min(left, item.x - item.width / 2);
    right = std::max(right, item.x + item.width / 2);
  }
  for (Item& item : items) item.x -= left;
  result.width = right - left;
  for (int v = 0; v < count; ++v) result.x.push_back(items[static_cast<std::size_t>(v)].x);
  for (const auto& thread : threads) {
    result.bends.emplace_back();
    for (const int i : thread) result.bends.back().push_back(items[static_cast<std::size_t>(i)].x);
  }
  return result;
}

}  // namespace nnomc
