#include "compiler/passes/passes.hpp"
#include "compiler/passes/rewrite.hpp"

namespace nnomc {
namespace {

/// Whether `slice` takes row `row` of a tensor of shape `from`, and nothing else.
bool takes_row(const nnom::Slice& slice, const Shape& from, int row) {
  bool whole = slice.begin[0] == row && slice.out[0] == 1;
  for (int i = 1; i < from.rank; ++i)
    whole = whole && slice.out[i] == from[i] && slice.step[i] == 1;
  return whole;
}

/// Has a layer that makes a row for each step make the last one alone.
template <class Cell>
bool made_last(nnom::RecurrentLayer<Cell>& op, const nnom::Slice& slice, Shape& shape) {
  if (!op.sequences || !takes_row(slice, shape, op.backwards ? 0 : op.steps - 1)) return false;
  op.sequences = false;
  Shape last{shape.rank - 1, {}};
  for (int i = 1; i < shape.rank; ++i) last.d[i - 1] = shape[i];
  shape = last;
  return true;
}
bool made_last(auto&, const nnom::Slice&, Shape&) { return false; }

}  // namespace

bool keep_last(Graph& graph) {
  for (Node& n : graph.nodes) {
    const auto* slice = std::get_if<nnom::Slice>(&n.op);
    Node* layer = slice ? sole_producer(graph, n) : nullptr;
    if (!layer) continue;
    Shape& shape = graph.tensors[static_cast<size_t>(layer->output)].shape;
    if (!std::visit([&](auto& op) { return made_last(op, *slice, shape); }, layer->op)) continue;
    n.op = nnom::Reshape{graph.shape(n.output)};
    return true;
  }
  return false;
}

}  // namespace nnomc
