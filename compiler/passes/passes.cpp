#include "compiler/passes/passes.hpp"

#include <utility>
#include <vector>

namespace nnomc {
namespace {

/// Drops the tensors that no node makes any more, and renumbers the others.
void drop_unused_tensors(Graph& graph) {
  std::vector<int> place(graph.tensors.size(), -1);
  std::vector<Tensor> kept;
  const auto keep = [&](int& t) {
    int& p = place[static_cast<size_t>(t)];
    if (p < 0) {
      p = static_cast<int>(kept.size());
      kept.push_back(graph.tensors[static_cast<size_t>(t)]);
    }
    t = p;
  };
  for (int& t : graph.inputs) keep(t);
  for (Node& n : graph.nodes) {
    for (int& t : n.inputs) keep(t);
    keep(n.output);
  }
  for (int& t : graph.outputs) keep(t);
  for (Variable& v : graph.variables) {
    keep(v.tensor);
    if (v.next >= 0) keep(v.next);
  }
  graph.tensors = std::move(kept);
}

using Pass = bool (*)(Graph&);

void repeat(Graph& graph, const std::vector<Pass>& passes) {
  for (bool changed = true; changed;) {
    changed = false;
    for (const Pass pass : passes)
      while (pass(graph)) changed = true;
  }
  drop_unused_tensors(graph);
}

}  // namespace

void optimise(Graph& graph) {
  if (!graph.quantised()) return optimise_reals(graph);
  // Which leave every byte as it is.
  repeat(graph, {remove_identities, fold_pad, fuse_range_exactly, merge_common});
}

void optimise_reals(Graph& graph) {
  repeat(graph,
         {remove_identities, fold_pad, fold_affine, fuse_sum, fuse_gate, fuse_range, keep_last});
}

}  // namespace nnomc
