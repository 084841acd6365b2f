// Hooks as C++ text.
#include <filesystem>
#include <set>

#include "compiler/emit/names.hpp"
#include "compiler/error.hpp"
#include "compiler/hooks/hooks.hpp"

namespace nnomc {
namespace {

std::vector<std::string> input_names(const Node& node) {
  if (node.inputs.size() == 1) return {"x"};
  std::vector<std::string> names;
  for (size_t i = 0; i < node.inputs.size(); ++i) names.push_back(fmt::format("x{}", i));
  return names;
}

/// Text of a file within a comment, or a string without its quotes.
std::string printable(const std::string& text) {
  const std::string quoted = literal(text);
  return quoted.substr(1, quoted.size() - 2);
}

std::string header_name(const Graph& graph) {
  return std::filesystem::path(graph.hooks).filename().string();
}

/// The weights as members: where each begins in the array of all.
std::string weight_members(const Hook& hook, const std::string& id) {
  std::string members;
  int at = 0;
  for (size_t i = 0; i < hook.weights.size(); ++i) {
    members += fmt::format("  const float* weight{} = {}_weights + {};\n", i, id, at);
    at += hook.weights[i].size();
  }
  return members;
}

}  // namespace

std::string hook_signature(const Node& node) {
  std::string inputs;
  for (const std::string& name : input_names(node)) inputs += "const auto& " + name + ", ";
  return fmt::format("void {}({}auto& y{})", node.hook->function, inputs,
                     node.hook->has_parameters() ? ", const auto& p" : "");
}

std::string hook_stand_ins(const Graph& graph) {
  std::set<std::string> names;
  for (const Node& node : graph.nodes)
    if (node.hook) names.insert(node.hook->function);
  if (names.empty()) return "";
  std::string text = "namespace hooks {\n";
  for (const std::string& name : names) text += fmt::format("nnom::NoHook {}(...);\n", name);
  return text + "}  // namespace hooks\n";
}

std::string hook_text(const Graph& graph, const Node& node, const std::string& id) {
  const Hook& hook = *node.hook;
  std::string parameters, inputs;
  for (const std::string& p : hook.parameters) parameters += "  " + p + ";\n";
  parameters += weight_members(hook, id);
  for (size_t i = 0; i < node.inputs.size(); ++i) inputs += fmt::format("call.in[{}], ", i);
  std::string text, p;
  if (hook.has_parameters()) {
    text = fmt::format("struct {}_parameters {{\n{}}};\n", id, parameters);
    p = fmt::format("  constexpr {}_parameters p{{}};\n", id);
  }
  const std::string call =
      fmt::format("::hooks::{}({}call.out{})", hook.function, inputs, p.empty() ? "" : ", p");
  const std::string complaint = fmt::format(
      "{} has no function that layer '{}' ({}) could call. Write, in namespace hooks: {}",
      header_name(graph), node.name, node.source, hook_signature(node));
  return text + fmt::format(
                    "template <class E>\nvoid {0}_hook(const nnom::HookCall<E>& call) {{\n{1}"
                    "  static_assert(nnom::is_hook<decltype({2})>,\n                {3});\n"
                    "  {2};\n}}\n",
                    id, p, call, literal(complaint));
}

std::string hook_skeleton(const Graph& graph) {
  std::string text =
      "// Functions of layers that are code of your own. See docs/lambda.md of NNoM.\n"
      "#pragma once\n\nnamespace hooks {\n";
  std::set<std::string> written;
  for (const Node& node : graph.nodes) {
    if (!node.hook || !written.insert(hook_signature(node)).second) continue;
    const std::vector<std::string> names = input_names(node);
    std::string shapes, members;
    for (size_t i = 0; i < names.size(); ++i)
      shapes += fmt::format("{} is {}, ", names[i], to_string(graph.shape(node.inputs[i])));
    for (const std::string& p : node.hook->parameters) members += fmt::format("/// p: {}\n", p);
    for (size_t i = 0; i < node.hook->weights.size(); ++i)
      members += fmt::format("/// p: weight{}, {} floats\n", i, to_string(node.hook->weights[i]));
    text += fmt::format(
        "\n/// Layer '{}' ({}): {}y {}.\n{}{} {{\n"
        "#error \"write what {} computes, and take this line out\"\n"
        "  for (int i = 0; i < y.size(); ++i) y.set(i, {}[i]);\n}}\n",
        printable(node.name), printable(node.source), shapes, to_string(graph.shape(node.output)),
        members, hook_signature(node), node.hook->function, names[0]);
  }
  if (written.empty())
    throw Error("{}: it has no layers that are code of your own, so it needs no hooks", graph.file);
  return text + "\n}  // namespace hooks\n";
}

}  // namespace nnomc
