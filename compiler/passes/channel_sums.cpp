#include <algorithm>
#include <cmath>
#include <utility>

#include "compiler/node_numbers.hpp"
#include "compiler/passes/channels.hpp"
#include "compiler/quantise/data.hpp"
#include "nnom/window.hpp"

namespace nnomc {
namespace {

/// First and last but one of the taps along one axis that lie inside the input.
using Inside = std::pair<int, int>;

/// Those of all output pixels along an axis, each once.
std::vector<Inside> inside(int out, int stride, int pad, int kernel, int dilation, int size) {
  std::vector<Inside> all;
  for (int i = 0; i < out; ++i) {
    const int start = i * stride - pad;
    const nnom::Taps taps = nnom::taps_inside(start, kernel, dilation, size);
    const int first = (taps.first - start) / dilation;
    all.emplace_back(first, first + std::max(taps.count, 0));
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

/// Fills in how `op` walks over its input. False for kernels so large that its borders have too
/// many cases.
bool walk(const auto& op, Sums& s) {
  constexpr size_t most = 1 << 20;  // taps of all cases
  s.taps = static_cast<size_t>(op.kernel.size());
  const auto rows = inside(op.out.h, op.stride.h, op.pad.top, op.kernel.h, op.dilation.h, op.in.h);
  const auto columns =
      inside(op.out.w, op.stride.w, op.pad.left, op.kernel.w, op.dilation.w, op.in.w);
  if (rows.size() * columns.size() * s.taps > most) return false;
  for (const auto& [top, bottom] : rows)
    for (const auto& [left, right] : columns) {
      std::vector<size_t>& taps = s.cases.emplace_back();
      for (int y = top; y < bottom; ++y)
        for (int x = left; x < right; ++x) taps.push_back(static_cast<size_t>(y * op.kernel.w + x));
    }
  return true;
}

bool walk_op(const Op& op, Sums& s) {
  if (const auto* dense = std::get_if<nnom::Dense>(&op)) {
    s.reads = static_cast<size_t>(dense->in);
    s.first.assign(s.outputs, 0);
    s.cases = {{0}};
    return true;
  }
  if (const auto* depthwise = std::get_if<nnom::DepthwiseConv2D>(&op)) {
    s.reads = 1;
    for (size_t c = 0; c < s.outputs; ++c) s.first.push_back(c);
    return walk(*depthwise, s);
  }
  if (const auto* conv = std::get_if<nnom::Conv2D>(&op)) {
    s.reads = static_cast<size_t>(conv->in.c / conv->groups);
    const size_t filters = s.outputs / static_cast<size_t>(conv->groups);
    for (size_t c = 0; c < s.outputs; ++c) s.first.push_back(c / filters * s.reads);
    return walk(*conv, s);
  }
  return false;
}

}  // namespace

std::optional<double> Sums::share(size_t c, size_t i, double value) const {
  std::optional<double> share;
  for (const std::vector<size_t>& inside : cases) {
    double sum = 0;
    for (const size_t tap : inside) sum += weight(c, tap, i) * value;
    if (share && *share != sum) return {};
    share = sum;
  }
  return share;
}

NodeScales node_scales(const Graph& graph, const Node& node) {
  const auto scale = [&](int t) {
    return graph.tensors[static_cast<size_t>(t)].quantisation.value_or(Quantisation{});
  };
  NodeScales s;
  for (const int t : node.inputs) s.in.push_back(scale(t));
  s.out = scale(node.output);
  s.reference = graph.reference;
  return s;
}

std::optional<Sums> sums_of(const Graph& graph, const Node& node, const Numbers& numbers) {
  Sums s;
  s.outputs = info(node.op).channels(node.op);
  if ((numbers.quantised && !node.stored) || !walk_op(node.op, s)) return {};
  std::vector<double> unit(s.outputs, 1.0);
  s.bias.assign(s.outputs, 0.0);
  if (numbers.quantised) {
    const WeightScales scales = weight_scales(node, node_scales(graph, node));
    unit = scales.scale, s.bias = scales.bias;
  } else {
    std::copy(node.bias.begin(), node.bias.end(), s.bias.begin());
  }
  for (size_t c = 0; c < s.outputs; ++c) {
    const ChannelWeights own = channel_weights(node, c);
    for (size_t k = 0; k < own.count; ++k) {
      const auto w = static_cast<double>(node.weights[own[k]]);
      s.weights.push_back(numbers.quantised ? std::min(std::round(w / unit[c]), 127.0) : w);
    }
  }
  return s;
}

}  // namespace nnomc
