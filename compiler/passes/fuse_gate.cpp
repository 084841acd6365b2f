#include "compiler/op_table.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/passes/rewrite.hpp"

namespace nnomc {
namespace {

/// x * f(x) as one function, if f has such a product; else null.
const nnom::Function* gated_by(const nnom::Activation& f) {
  static constexpr nnom::Function silu = nnom::Function::silu, hard = nnom::Function::hard_silu;
  if (f.function == nnom::Function::sigmoid) return &silu;
  return f.function == nnom::Function::hard_sigmoid ? &hard : nullptr;
}

}  // namespace

bool fuse_gate(Graph& graph) {
  for (Node& node : graph.nodes) {
    if (!std::holds_alternative<nnom::Mul>(node.op) || node.inputs.size() != 2 || !node.range.all())
      continue;
    for (const int gate : node.inputs) {
      const int x = node.inputs[gate == node.inputs[0] ? 1 : 0], p = graph.producer(gate);
      if (p < 0 || node_of(graph, p).inputs[0] != x) continue;
      const auto* f = std::get_if<nnom::Activation>(&node_of(graph, p).op);
      const nnom::Function* product = f ? gated_by(*f) : nullptr;
      if (!product) continue;
      nnom::Activation op = *f;
      op.function = *product;
      node.op = op;
      node.inputs = {x};
      return true;
    }
  }
  return false;
}

}  // namespace nnomc
