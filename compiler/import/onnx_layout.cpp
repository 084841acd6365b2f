#include "compiler/import/onnx_layout.hpp"

#include <algorithm>

namespace nnomc::onnx {

int64_t size_of(const Dims& dims) {
  int64_t size = 1;
  for (const int64_t n : dims) size *= n;
  return size;
}

bool is_small(const Dims& dims) {
  int64_t size = 1;
  for (const int64_t n : dims)
    if (n > kMaxTensor || (size *= n) > kMaxTensor) return false;
  return dims.size() <= kMaxRank;
}

void append(Axis& axis, const Axis& more) {
  for (const Run& run : more) {
    if (!axis.empty() && axis.back().step == run.count * run.step)
      axis.back() = {axis.back().count * run.count, run.step};
    else
      axis.push_back(run);
  }
}

Layout layout_in(const std::vector<int>& order, const Dims& dims) {
  Layout layout(dims.size());
  int64_t step = 1;
  for (auto axis = order.rbegin(); axis != order.rend(); ++axis) {
    if (*axis < 0) continue;
    const auto i = static_cast<size_t>(*axis);
    if (dims[i] > 1) layout[i] = {{dims[i], step}};
    step *= dims[i];
  }
  return layout;
}

Layout plain_layout(const Dims& dims) {
  std::vector<int> order;
  for (size_t i = 0; i < dims.size(); ++i) order.push_back(static_cast<int>(i));
  return layout_in(order, dims);
}

std::optional<Layout> reshaped(const Layout& layout, const Dims& to) {
  Axis runs;  // those left, outermost last
  for (auto axis = layout.rbegin(); axis != layout.rend(); ++axis)
    runs.insert(runs.end(), axis->rbegin(), axis->rend());
  Layout result;
  for (int64_t want : to) {
    Axis axis;
    while (want > 1) {
      if (runs.empty()) return {};
      Run& run = runs.back();
      if (want % run.count == 0) {
        append(axis, {run});
        want /= run.count;
        runs.pop_back();
      } else if (run.count % want == 0) {
        append(axis, {{want, run.step * (run.count / want)}});
        run.count /= want;
        want = 1;
      } else {
        return {};
      }
    }
    result.push_back(std::move(axis));
  }
  return result;
}

std::optional<std::vector<int>> memory_order(const Layout& layout) {
  std::vector<int> order;
  for (size_t i = 0; i < layout.size(); ++i) {
    if (layout[i].size() > 1) return {};
    if (!layout[i].empty()) order.push_back(static_cast<int>(i));
  }
  const auto step = [&](int i) { return layout[static_cast<size_t>(i)][0].step; };
  std::sort(order.begin(), order.end(), [&](int a, int b) { return step(a) > step(b); });
  return order;
}

Axis memory_runs(const Layout& layout) {
  Axis runs;
  for (const Axis& axis : layout) runs.insert(runs.end(), axis.begin(), axis.end());
  std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.step > b.step; });
  return runs;
}

std::vector<size_t> places_in(const Dims& from, const Layout& layout, const Dims& dims) {
  struct Place {
    Run run;
    size_t step;  // in `from`
  };
  std::vector<Place> places;
  size_t step = 1;
  for (size_t back = 0; back < from.size() && back < dims.size(); ++back) {
    const auto size = static_cast<size_t>(from[from.size() - 1 - back]);
    size_t inner = step;
    const Axis& axis = layout[dims.size() - 1 - back];
    for (auto run = axis.rbegin(); run != axis.rend(); ++run) {
      places.push_back({*run, size == 1 ? 0 : inner});
      inner *= static_cast<size_t>(run->count);
    }
    step *= size;
  }
  for (size_t i = 0; i + from.size() < dims.size(); ++i)
    for (const Run& run : layout[i]) places.push_back({run, 0});
  std::vector<size_t> found(static_cast<size_t>(size_of(dims)), 0);
  for (const Place& p : places) {
    if (p.step == 0) continue;
    const auto run = static_cast<size_t>(p.run.step), count = static_cast<size_t>(p.run.count);
    for (size_t i = 0; i < found.size(); ++i) found[i] += i / run % count * p.step;
  }
  return found;
}

}  // namespace nnomc::onnx
