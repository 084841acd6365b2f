#include "compiler/plan/place.hpp"

#include <algorithm>
#include <climits>
#include <numeric>
#include <random>

#include "nnom/core.hpp"

namespace nnomc {
namespace {

constexpr size_t kFew = 40;               // blocks that are placed by trying all there is
constexpr int64_t kExactSteps = 400'000;  // looks at a neighbour, the unit of effort
constexpr int64_t kSearchSteps = 400'000;

/// A block that lives at the same time as another, which must not begin at [from, to) from it.
struct Neighbour {
  size_t block = 0;
  int from = 0, to = 0;
};

class Placer {
 public:
  Placer(const std::vector<Block>& blocks, int bound)
      : blocks_(blocks), bound_(nnom::round_up(bound, kAlign)), near_(blocks.size()) {
    find_neighbours();
    offset_.assign(blocks.size(), 0);
  }

  Placement run() {
    greedy();
    if (best_ > bound_ && blocks_.size() <= kFew) exact();
    if (best_ > bound_) improve();
    return {chosen_, steps_};
  }

 private:
  void find_neighbours() {
    std::vector<size_t> by_first(blocks_.size());
    std::iota(by_first.begin(), by_first.end(), size_t{0});
    std::ranges::stable_sort(by_first, {}, [&](size_t i) { return blocks_[i].first; });
    std::vector<size_t> alive;
    for (const size_t i : by_first) {
      std::erase_if(alive, [&](size_t k) { return blocks_[k].last < blocks_[i].first; });
      for (const size_t k : alive) {
        keep_apart(i, k);
        keep_apart(k, i);
      }
      alive.push_back(i);
    }
  }
  void keep_apart(size_t block, size_t other) {
    const Block &b = blocks_[block], &o = blocks_[other];
    int from = 1 - b.bytes, to = o.bytes;
    for (const Overlap& v : b.overlaps) {
      const bool over = v.before == other && v.after == block;
      if (!over && (v.before != block || v.after != other)) continue;
      const int at = over ? -v.lead : v.lead;  // as close as they may be
      if (v.exact)
        forbid(block, {other, from, std::min(at, to)}), from = std::max(from, at + 1);
      else if (over)
        from = std::max(from, at + 1);
      else
        to = std::min(to, at);
    }
    forbid(block, {other, from, to});
  }
  void forbid(size_t block, const Neighbour& n) {
    if (n.from < n.to) near_[block].push_back(n);
  }

  /// The lowest place, from `offset` on, that the placed neighbours of `block` allow.
  int lowest(size_t block, int offset, const std::vector<char>& placed) {
    taken_.clear();
    for (const Neighbour& n : near_[block])
      if (placed[n.block] && offset_[n.block] + n.to > offset)
        taken_.emplace_back(offset_[n.block] + n.from, offset_[n.block] + n.to);
    steps_ += static_cast<int64_t>(near_[block].size()) + 1;
    std::sort(taken_.begin(), taken_.end());
    for (const auto& [from, to] : taken_) {
      if (from > offset) break;
      if (to > offset) offset = nnom::round_up(to, kAlign);
    }
    return offset;
  }

  int end(size_t block) const { return offset_[block] + blocks_[block].bytes; }

  /// Places the blocks in `order`, each as low as those before it allow; keeps the best.
  int place_in(const std::vector<size_t>& order) {
    placed_.assign(blocks_.size(), false);
    int top = 0;
    for (const size_t i : order) {
      offset_[i] = lowest(i, 0, placed_);
      placed_[i] = true;
      top = std::max(top, end(i));
    }
    keep(top);
    return top;
  }
  void keep(int top) {
    if (top < best_) best_ = top, chosen_ = offset_;
  }

  /// Orders that are often good.
  void greedy() {
    std::vector<size_t> order(blocks_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    const auto attempt = [&](auto key) {
      if (best_ <= bound_) return;
      std::ranges::stable_sort(order, {}, [&](size_t i) { return key(blocks_[i]); });
      const int before = best_;
      if (place_in(order) < before) best_order_ = order;
    };
    attempt([](const Block& b) { return -int64_t{b.bytes}; });
    attempt([](const Block& b) { return -int64_t{b.bytes} * (b.last - b.first + 1); });
    attempt([](const Block& b) { return b.first; });
    attempt([](const Block& b) { return -b.last; });
    attempt([](const Block& b) { return -int64_t{b.bytes}; });  // equals in that order
    attempt([](const Block& b) { return b.last; });
  }

  /// Tries all there is: some best plan has each block as low as it can lie when all that begin
  /// below it are placed, so blocks are placed by rising offset.
  void exact() {
    const int64_t most = steps_ + kExactSteps;
    placed_.assign(blocks_.size(), false);
    rising(0, 0, 0, most);
  }
  void rising(size_t count, int offset, int top, int64_t most) {
    if (count == blocks_.size()) return keep(top);
    std::vector<std::pair<int, size_t>> next;  // offset, block
    int first_end = INT_MAX;
    for (size_t i = 0; i < blocks_.size(); ++i) {
      if (placed_[i]) continue;
      const int at = lowest(i, offset, placed_);
      if (at + blocks_[i].bytes >= best_) return;
      first_end = std::min(first_end, at + blocks_[i].bytes);
      next.emplace_back(at, i);
    }
    std::ranges::sort(next, {}, [&](const auto& n) {
      return std::pair(n.first, -int64_t{blocks_[n.second].bytes});
    });
    for (const auto& [at, i] : next) {
      // What ends below `at` may as well be placed first.
      if (at >= first_end || best_ <= bound_ || steps_ > most) return;
      if (at + blocks_[i].bytes >= best_) continue;
      placed_[i] = true;
      offset_[i] = at;
      rising(count + 1, at, std::max(top, end(i)), most);
      placed_[i] = false;
    }
  }

  /// Moves a block that sets the top, or any, to another place of the order, as long as it pays.
  void improve() {
    std::mt19937 random(1);
    const auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
    const int64_t most = steps_ + kSearchSteps;
    std::vector<size_t> order = best_order_, trial;
    int current = place_in(order);
    std::vector<int> at = offset_;
    while (best_ > bound_ && steps_ < most && order.size() > 1) {
      trial = order;
      size_t from = below(trial.size()), to = below(trial.size());
      if (below(2)) {
        for (size_t i = 0; i < trial.size(); ++i)
          if (at[trial[i]] + blocks_[trial[i]].bytes == current) from = i;
        to = below(from + 1);
      }
      if (below(2)) {
        std::swap(trial[from], trial[to]);
      } else {
        const size_t block = trial[from];
        trial.erase(trial.begin() + static_cast<std::ptrdiff_t>(from));
        trial.insert(trial.begin() + static_cast<std::ptrdiff_t>(to), block);
      }
      const int top = place_in(trial);
      steps_ += static_cast<int64_t>(trial.size());
      if (top <= current) current = top, order.swap(trial), at = offset_;
    }
  }

  const std::vector<Block>& blocks_;
  const int bound_;
  std::vector<std::vector<Neighbour>> near_;
  std::vector<int> offset_, chosen_;
  std::vector<char> placed_;
  std::vector<std::pair<int, int>> taken_;
  std::vector<size_t> best_order_;
  int best_ = INT_MAX;
  int64_t steps_ = 0;
};

}  // namespace

Placement place(const std::vector<Block>& blocks, int bound) { return Placer(blocks, bound).run(); }

}  // namespace nnomc
