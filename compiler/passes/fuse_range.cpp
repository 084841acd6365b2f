#include <algorithm>
#include <optional>

#include "compiler/op_table.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/passes/rewrite.hpp"

namespace nnomc {
namespace {

/// The one number that a Maximum or Minimum compares with.
template <class O>
std::optional<float> limit(const Node& node) {
  const auto* op = std::get_if<O>(&node.op);
  if (!op || op->constant < 0 || node.weights.size() != 1) return {};
  return node.weights[0];
}

/// The range of a node that does nothing but limit its input to it.
std::optional<Range> range_of(const Node& node) {
  Range range;
  if (const auto low = limit<nnom::Maximum>(node)) {
    range.lo = *low;
  } else if (const auto high = limit<nnom::Minimum>(node)) {
    range.hi = *high;
  } else {
    const auto* f = std::get_if<nnom::Activation>(&node.op);
    if (!f || f->function != nnom::Function::relu || f->slope != 0 || f->threshold != 0) return {};
    range = {0, f->high};
  }
  return node.range.all() ? std::optional(range) : std::nullopt;
}

/// Whether no byte changes where `before` takes over: nothing is rounded between the two, and
/// `range` has no end but zero.
bool is_exact(const Graph& graph, const Node& before, const Node& node, const Range& range) {
  const auto scale = [&](const Node& n) {
    return graph.tensors[static_cast<size_t>(n.output)].quantisation;
  };
  return scale(before) == scale(node) && scale(node)->bits == 8 && range.lo == 0 &&
         range.hi == Range{}.hi;
}

bool fuse(Graph& graph, bool exactly) {
  for (Node& node : graph.nodes) {
    const auto range = range_of(node);
    Node* before = range ? sole_producer(graph, node) : nullptr;
    if (!before || !info(before->op).clamps ||
        graph.shape(node.output) != graph.shape(before->output) ||
        (exactly && !is_exact(graph, *before, node, *range)))
      continue;
    const float lo = std::min(std::max(before->range.lo, range->lo), range->hi);
    before->range = {lo, std::max(std::min(before->range.hi, range->hi), lo)};
    absorb(graph, *before, node);
    return true;
  }
  return false;
}

}  // namespace

bool fuse_range(Graph& graph) { return fuse(graph, false); }
bool fuse_range_exactly(Graph& graph) { return fuse(graph, true); }

}  // namespace nnomc
