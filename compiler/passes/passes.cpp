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

}  // namespace

void optimise(Graph& graph) {
  using Pass = bool (*)(Graph&);
  const std::vector<Pass> bits = {remove_identities, fold_pad};  // leave every byte as it is
  const std::vector<Pass> reals = {remove_identities, fold_pad,   fold_affine,
                                   fuse_gate,         fuse_range, keep_last};
  for (bool changed = true; changed;) {
    changed = false;
    for (const Pass pass : graph.quantised() ? bits : reals)
      while (pass(graph)) changed = true;
  }
  drop_unused_tensors(graph);
}

}  // namespace nnomc
