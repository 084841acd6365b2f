#include <algorithm>

#include "compiler/passes/channels.hpp"

namespace nnomc {
namespace {

/// Ties of one op; each says whether it keeps channels apart.
struct Ties {
  std::vector<Shape> in;
  Shape out;
  const Tie& tie;
  bool fixed;  ///< constants have a scale that doesn't depend on them

  size_t channels() const { return static_cast<size_t>(out.back()); }
  /// One for one.
  bool straight() const {
    for (size_t i = 0; i < in.size(); ++i)
      for (size_t c = 0; c < channels(); ++c) tie(i, c, c);
    return true;
  }

  bool operator()(const auto&) const { return false; }
  bool operator()(const nnom::DepthwiseConv2D&) const { return straight(); }
  bool operator()(const nnom::Activation&) const { return straight(); }
  bool operator()(const nnom::Resize&) const { return straight(); }
  template <class Rule>
  bool operator()(const nnom::Pool2D<Rule>&) const {
    return straight();
  }
  template <class Rule>
  bool operator()(const nnom::Elementwise<Rule>& op) const {
    if (op.constant >= 0 && !fixed) return false;
    for (const Shape& s : in)
      if (s.back() != out.back()) return false;
    return straight();
  }
  template <class Rule>
  bool operator()(const nnom::Reduce<Rule>& op) const {
    return !op.axes[in[0].rank - 1] && straight();
  }
  bool operator()(const nnom::Pad& op) const {
    const int last = in[0].rank - 1;
    return !op.before[last] && !op.after[last] && straight();
  }
  bool operator()(const nnom::Transpose& op) const {
    return op.order[in[0].rank - 1] == in[0].rank - 1 && straight();
  }
  bool operator()(const nnom::Slice& op) const {
    const int last = in[0].rank - 1;
    return op.step[last] == 1 && op.out[last] == in[0][last] && straight();
  }
  bool operator()(const nnom::Concat& op) const {
    if (op.axis != out.rank - 1) return straight();
    size_t before = 0;
    for (size_t i = 0; i < in.size(); ++i)
      for (int c = 0; c < in[i].back(); ++c) tie(i, static_cast<size_t>(c), before++);
    return true;
  }
  /// Element i has channel i % channels before and after.
  bool operator()(const nnom::Reshape&) const {
    const auto before = static_cast<size_t>(in[0].back()), after = channels();
    if (before % after && after % before) return false;
    for (size_t c = 0; c < std::max(before, after); ++c) tie(0, c % before, c % after);
    return true;
  }
};

}  // namespace

bool tie_channels(const Graph& graph, const Node& node, const Tie& tie) {
  if (node.inputs.empty() || graph.shape(node.output).rank == 0) return false;
  Ties ties{{}, graph.shape(node.output), tie, !graph.quantised() || node.stored};
  for (const int t : node.inputs) {
    ties.in.push_back(graph.shape(t));
    if (graph.shape(t).rank == 0) return false;
  }
  return std::visit(ties, node.op);
}

}  // namespace nnomc
