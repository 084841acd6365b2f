#include "compiler/data/check.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "compiler/error.hpp"
#include "compiler/op_table.hpp"

namespace nnomc {
namespace {

constexpr size_t kMany = 10;  // samples that should differ

/// How much the first layer with weights that reads `input` makes of a value, if there is one.
std::optional<double> gain_after(const Graph& graph, int input) {
  std::vector<int> reached = {input};
  for (const Node& node : graph.nodes) {
    const bool follows = std::ranges::any_of(
        node.inputs, [&](int t) { return std::ranges::find(reached, t) != reached.end(); });
    if (!follows) continue;
    const OpInfo& op = info(node.op);
    if (op.linear && !node.weights.empty()) {
      double sum = 0;
      for (const float w : node.weights) sum += std::abs(static_cast<double>(w));
      return sum / static_cast<double>(op.channels(node.op));
    }
    if (!op.alias && !op.same_scale) return {};  // it may scale the values itself
    reached.push_back(node.output);
  }
  return {};
}

}  // namespace

std::vector<std::string> doubts(const Graph& graph, const Samples& samples) {
  std::vector<std::string> questions;
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const Tensor& tensor = graph.tensors[static_cast<size_t>(graph.inputs[i])];
    const Samples::Extent seen = samples.extent(i);
    const std::string about = fmt::format("input '{}': its samples go from {:.4g} to {:.4g}",
                                          tensor.name, seen.lo, seen.hi);
    const double spread = static_cast<double>(seen.hi) - static_cast<double>(seen.lo);
    if (tensor.quantisation) {
      const double scale = tensor.quantisation->scale;
      const double lo = scale * (tensor.quantisation->lowest() - tensor.quantisation->zero);
      const double hi = scale * (tensor.quantisation->highest() - tensor.quantisation->zero);
      if (spread > 3 * (hi - lo) || (samples.count() >= kMany && spread < (hi - lo) / 16))
        questions.push_back(fmt::format(
            "{}, but the model was quantised for {:.4g} to {:.4g}: give --scale and --offset that "
            "turn one into the other",
            about, lo, hi));
      continue;
    }
    const std::optional<double> gain = gain_after(graph, graph.inputs[i]);
    if (!gain) continue;
    const double largest = static_cast<double>(std::max(std::abs(seen.lo), std::abs(seen.hi)));
    if (seen.whole && seen.lo >= 0 && seen.hi >= 32 && seen.hi <= 255 && *gain * largest > 200)
      questions.push_back(about +
                          ", and its weights look as if it was trained on smaller ones: if that "
                          "was 0 to 1, add --scale 1/255; if -1 to 1, --scale 2/255 --offset -1");
    if (largest <= 1 && *gain * largest < 0.2)
      questions.push_back(about +
                          ", and its weights look as if it was trained on larger ones: if it "
                          "scales 0 to 255 itself, leave out --scale and --offset");
  }
  return questions;
}

}  // namespace nnomc
