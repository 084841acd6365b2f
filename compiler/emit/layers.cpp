#include <algorithm>
#include <map>
#include <memory>

#include "compiler/cmsis_nn.hpp"
#include "compiler/emit/constants.hpp"
#include "compiler/emit/names.hpp"
#include "compiler/emit/text.hpp"
#include "compiler/error.hpp"
#include "compiler/hooks/hooks.hpp"
#include "compiler/node_numbers.hpp"
#include "nnom/network/plan.hpp"

namespace nnomc {
namespace {

const char* const kStorage = "inline constexpr";

/// The layer API must know every arithmetic that a quantised model may have.
template <class N>
constexpr bool is_known() {
  if constexpr (N::quantised) return nnom::IndexOfNumbers<N>::value >= 0;
  return true;
}
template <class... N>
struct Known {
  static constexpr bool all = (is_known<N>() && ...);
};
static_assert(AllNumbers<Known>::all);

/// A program as calls of nnom::Network.
class Describer {
 public:
  Describer(const Program& program, const EmitOptions& options) : p_(program), o_(options) {
    names_.unique("m");
    for (const int t : p_.graph.inputs) tensor(t, "input", "");
    for (const Variable& v : p_.graph.variables) variable(v);
    for (size_t i = 0; i < p_.graph.nodes.size(); ++i) node(i);
    for (const Variable& v : p_.graph.variables)
      if (v.next >= 0) calls_ += fmt::format("  m.keep({}, {});\n", at(v.tensor), at(v.next));
    for (const int t : p_.graph.outputs) calls_ += fmt::format("  m.output({});\n", at(t));
  }

  /// The constants, and the function that describes the model.
  std::string text() const {
    return (int8_ ? numbers_alias(p_) : "") + constants_ +
           "/// Adds the model's layers to a network.\n"
           "constexpr void describe(nnom::Network& m) {\n" +
           calls_ + "}\n";
  }

 private:
  const std::string& at(int t) const { return name_of_.at(t); }
  /// "const auto name = ", where the tensor is named again.
  std::string declared(int t) const {
    const bool read =
        !p_.graph.consumers(t).empty() || p_.graph.is_output(t) || p_.graph.is_variable(t);
    return read ? "const auto " + at(t) + " =" : "";
  }
  std::string quantisation(int t) const {
    return "nnom::Quantisation" + quantisation_text(board_quantisation(p_, t));
  }

  /// A tensor that no layer gives.
  void tensor(int t, const char* kind, const std::string& more) {
    const auto i = static_cast<size_t>(t);
    const std::string& name = p_.graph.tensors[i].name;
    name_of_[t] = names_.unique(name) + "_";
    calls_ += fmt::format("  {} m.{}{}({}, nnom::Shape{}, {}{});\n", declared(t), kind,
                          p_.scales[i].bits == 16 ? "<int16_t>" : "", literal(name),
                          value_text(p_.graph.tensors[i].shape), quantisation(t), more);
  }

  void variable(const Variable& v) {
    const std::vector<unsigned char> bytes = initial_bytes(p_, v);
    const Quantisation& q = p_.scales[static_cast<size_t>(v.tensor)];
    const auto zero = static_cast<unsigned char>(q.zero);
    if (std::ranges::count(bytes, zero) == std::ssize(bytes))
      return tensor(v.tensor, "variable", "");
    const std::string id =
        names_.unique(p_.graph.tensors[static_cast<size_t>(v.tensor)].name + "_initial");
    constants_ += fmt::format("{} unsigned char {}[] = {{\n{}}};\n\n", kStorage, id,
                              elements_text(bytes.data(), bytes.size()));
    tensor(v.tensor, "variable", ", " + id);
  }

  void node(size_t i) {
    const Node& node = p_.graph.nodes[i];
    const OpInfo& op = info(node.op);
    const std::string id = names_.unique(node.name);
    int8_ |= p_.node_numbers[i].width == Width::int8;
    constants_ += arrays_text(p_, i, id, kStorage, o_);
    constants_ += data_text(p_, i, id, kStorage) + "\n";
    std::string inputs;
    for (const int t : node.inputs) inputs += ", " + at(t);
    name_of_[node.output] = id + "_";
    calls_ += fmt::format("  {}\n      m.layer({}, nnom::{}{}, {}_data,\n              {}{});\n",
                          declared(node.output), literal(node.name), op.name, op.op_text(node.op),
                          id, quantisation(node.output), inputs);
  }

  const Program& p_;
  const EmitOptions& o_;
  Names names_;
  std::map<int, std::string> name_of_;  // of each tensor
  std::string constants_, calls_;
  bool int8_ = false;  // any node computes in it
};

/// Fails if a network can't hold the graph.
void check_size(const Graph& g) {
  constexpr size_t kNodes = nnom::Network::most_nodes, kEnds = nnom::Network::most_ends;
  if (g.nodes.size() > kNodes ||
      std::max({g.inputs.size(), g.outputs.size(), g.variables.size()}) > kEnds)
    throw Error(
        "{}: a network of the layer API has up to {} layers, and {} inputs, outputs and variables: "
        "convert it without --emit layers",
        g.file, kNodes, kEnds);
}

}  // namespace

Plan layers_plan(const Program& program) {
  const Graph& g = program.graph;
  check_size(g);
  const auto net = std::make_unique<nnom::Network>();
  std::map<int, int> tensor;  // of the network, in the order they are described in
  const auto add = [&](int t) {
    nnom::TensorInfo& info = net->tensor[net->tensors];
    info.shape = g.shape(t);
    info.bytes = program.scales[static_cast<size_t>(t)].bits / 8;
    info.root = net->tensors;
    tensor[t] = net->tensors++;
    return &info;
  };
  for (const int t : g.inputs) add(t);
  for (const Variable& v : g.variables) add(v.tensor);
  std::vector<nnom::Memory> memory;
  for (size_t i = 0; i < g.nodes.size(); ++i) {
    const Node& from = g.nodes[i];
    nnom::Node& node = net->node[net->nodes];
    for (const int t : from.inputs) node.in[node.inputs++] = tensor.at(t);
    node.alias = info(from.op).alias;
    nnom::TensorInfo* const out = add(from.output);
    out->producer = net->nodes++;
    if (node.alias) out->root = net->tensor[node.in[0]].root;
    node.out = tensor.at(from.output);
    memory.push_back(info(from.op).memory(from.op, program.node_numbers[i]));
  }
  for (const Variable& v : g.variables)
    net->variable_of[net->variables++] = {tensor.at(v.tensor), v.next < 0 ? -1 : tensor.at(v.next),
                                          nullptr};
  for (const int t : g.outputs) net->output_of[net->outputs++] = tensor.at(t);
  const nnom::MemoryPlan made = nnom::plan_memory(*net, memory.data(), 1);
  Plan plan = program.plan;
  plan.arena_bytes = made.arena_bytes;
  for (const auto& [t, own] : tensor) plan.tensor[static_cast<size_t>(t)] = made.tensor[own];
  for (size_t i = 0; i < g.nodes.size(); ++i) {
    const auto place = [&](int t) { return plan.tensor[static_cast<size_t>(t)]; };
    NodePlace& n = plan.nodes[i];
    std::transform(g.nodes[i].inputs.begin(), g.nodes[i].inputs.end(), n.in.begin(), place);
    n.out = place(g.nodes[i].output);
    n.scratch = made.scratch[i], n.state = made.state[i];
  }
  return plan;
}

std::string emit_layers(const Program& program, const EmitOptions& options) {
  const Graph& g = program.graph;
  if (!program.numbers.quantised) throw Error("{}: only quantised models become code", g.file);
  if (runs_cmsis_nn(program.graph))
    throw Error("--emit layers: has NNoM's kernels: leave out --kernels cmsis-nn");
  check_size(g);
  check_hooks(g);
  return notice(options) + "#pragma once\n\n" + optimise_pragma(program, options, true) +
         fmt::format(
             "#include \"nnom/build.hpp\"\n{}\n"
             "static_assert(nnom::api_version == {}, \"this file and the nnom library differ in "
             "version: convert the model again\");\n\n"
             "namespace {} {{\nnamespace detail {{\n\n{}\n}}  // namespace detail\n\n"
             "using Graph = nnom::Graph<detail::describe>;\n"
             "using Model = nnom::Model<Graph>;    ///< owns its arena\n"
             "using Runner = nnom::Runner<Graph>;  ///< borrows one\n\n"
             "}}  // namespace {}\n",
             hooks_include(g), static_cast<int>(nnom::api_version), options.name,
             Describer(program, options).text(), options.name) +
         "\n#if defined(__GNUC__) && !defined(__clang__)\n#pragma GCC pop_options\n#endif\n";
}

}  // namespace nnomc
