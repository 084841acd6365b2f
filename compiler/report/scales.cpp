#include "compiler/report/scales.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "compiler/quantise/recurrent_layer_data.hpp"

namespace nnomc {
namespace {

using Json = nlohmann::ordered_json;

Json entry(const Program& program, int tensor) {
  const Quantisation& q = program.scales[static_cast<std::size_t>(tensor)];
  return {{"name", program.graph.tensors[static_cast<std::size_t>(tensor)].name},
          {"bits", q.bits},
          {"scale", q.scale},
          {"zero_point", q.zero}};
}

template <class Cell>
void add_state(const Program& program, const Node& node, const nnom::RecurrentLayer<Cell>& op,
               Json& to) {
  NodeScales scales;
  for (const int t : node.inputs) scales.in.push_back(program.scales[static_cast<std::size_t>(t)]);
  scales.out = program.scales[static_cast<std::size_t>(node.output)];
  const LayerBits bits = layer_bits(op, node, scales);
  to["hidden_scale"] = std::ldexp(1, -bits.hidden);
  if (nnom::RecurrentLayer<Cell>::states > 1) to["cell_scale"] = std::ldexp(1, -bits.cell);
  if (nnom::RecurrentLayer<Cell>::gates > 1)
    to["gate_scale"] = std::ldexp(1, -bits.function[nnom::kGateFunction]);
  to["candidate_scale"] = std::ldexp(1, -bits.function[nnom::kCandidateFunction]);
}
void add_state(const Program&, const Node&, const auto&, Json&) {}

}  // namespace

std::string scales_text(const Program& program) {
  std::string text = "{\"tensors\": [";
  const char* before = "\n";
  const auto add = [&](const Json& line) {
    text += before + line.dump();
    before = ",\n";
  };
  for (const int t : program.graph.inputs) add(entry(program, t));
  // As in the model's file: the planner may have chosen another order to run them.
  std::vector<const Node*> nodes;
  for (const Node& node : program.graph.nodes) nodes.push_back(&node);
  std::ranges::sort(nodes, {}, &Node::output);
  for (const Node* node : nodes) {
    Json line = entry(program, node->output);
    std::visit([&](const auto& op) { add_state(program, *node, op, line); }, node->op);
    add(line);
  }
  return text + "\n]}\n";
}

}  // namespace nnomc
