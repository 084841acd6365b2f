// The user's functions, compiled for this computer and called in this process: they are code that
// the user names on the command line, none comes from a model's file.
#include <dlfcn.h>

#include <algorithm>
#include <filesystem>
#include <type_traits>

#include "compiler/emit/text.hpp"
#include "compiler/error.hpp"
#include "compiler/firmware/firmware.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/firmware/process.hpp"
#include "compiler/hooks/hooks.hpp"
#include "compiler/io/file.hpp"

namespace nnomc {
namespace {

namespace fs = std::filesystem;

/// The name under which the library has the function of node `index`, on type E.
template <class E>
std::string symbol(size_t index) {
  return fmt::format("nnom_hook_{}_on_{}", index, type_text<E>());
}

/// Elements of an output that a hook doesn't set are not finite, and so are noticed.
constexpr const char* kUnset =
    "  for (int i = 0; i < call.out.size(); ++i) call.out.stored[i] = __builtin_nanf(\"\");\n";

template <class E>
std::string exported(size_t index) {
  const std::string type = type_text<E>();
  return fmt::format(
      "extern \"C\" void {}(const nnom::HookCall<{}>& call) {{\n{}  node_{}_hook(call);\n}}\n",
      symbol<E>(index), type, std::is_same_v<E, float> ? kUnset : "", index);
}

std::string library_source(const Graph& graph) {
  std::string text = fmt::format("#include \"nnom/hook.hpp\"\n#include \"{}\"\n\n{}\n",
                                 fs::path(graph.hooks).filename().string(), hook_stand_ins(graph));
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (!node.hook) continue;
    const std::string id = fmt::format("node_{}", i);
    if (!node.weights.empty())
      text += fmt::format("static constexpr float {}_weights[] = {{\n{}}};\n", id,
                          elements_text(node.weights.data(), node.weights.size()));
    text += "namespace {\n" + hook_text(graph, node, id) + "}\n" + exported<float>(i) +
            exported<int8_t>(i) + exported<int16_t>(i);
  }
  return text;
}

std::string host_compiler() {
  for (const char* name : {"g++", "c++", "clang++"})
    if (std::string path = find_program(name); !path.empty()) return path;
  throw Error(
      "g++ is needed to compile the functions in --hooks but not installed; on Debian or Ubuntu: "
      "apt-get install g++");
}

template <class E>
void find_symbol(void* library, size_t index, nnom::Hook<E>& function) {
  function = reinterpret_cast<nnom::Hook<E>>(dlsym(library, symbol<E>(index).c_str()));
  if (!function) throw Error("{}", dlerror());
}

}  // namespace

void load_hooks(Graph& graph, const std::string& header) {
  if (!is_file(header))
    throw Error("--hooks {}: no such file; `nnom hooks MODEL -o {}` writes one to fill in", header,
                header);
  const auto calls = [](const Node& node) { return node.hook.has_value(); };
  if (std::none_of(graph.nodes.begin(), graph.nodes.end(), calls))
    throw Error("--hooks {}: {} has no layers that are code of your own", header, graph.file);
  graph.hooks = header;
  const TempDir folder;
  const std::string source = folder.file("hooks.cpp"), library = folder.file("libhooks.so");
  write_file(source, library_source(graph));
  const std::string beside = fs::absolute(header).parent_path().string();
  const Outcome outcome = run_command(
      {.arguments = {host_compiler(), "-std=c++20", "-O2", "-ffp-contract=off", "-fPIC", "-shared",
                     "-I" + beside, "-I" + data_dir() + "/runtime", source, "-o", library}});
  if (outcome.exit_code != 0) {
    const std::string log = outcome.output + outcome.errors;
    throw BuildError(fmt::format("--hooks {}: {}", header, first_complaint(log)), log);
  }
  void* const loaded = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!loaded) throw Error("--hooks {}: {}", header, dlerror());
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    std::optional<Hook>& hook = graph.nodes[i].hook;
    if (!hook) continue;
    find_symbol(loaded, i, hook->on_float);
    find_symbol(loaded, i, hook->on_int8);
    find_symbol(loaded, i, hook->on_int16);
  }
}

namespace {

[[noreturn]] void ask_for(const Graph& graph, const Node& node) {
  throw Error(
      "{}: layer '{}' ({}) is code of your own: give the header that has it with --hooks. "
      "`nnom hooks {} -o hooks.hpp` writes one to fill in; in namespace hooks there has to be: "
      "{}",
      graph.file, node.name, node.source, graph.file, hook_signature(node));
}

}  // namespace

void check_hooks(const Graph& graph) {
  for (const Node& node : graph.nodes)
    if (node.hook && !node.hook->on_float) ask_for(graph, node);
}

void check_hooks_in_source(const Graph& graph) {
  for (const Node& node : graph.nodes)
    if (node.hook && graph.hooks.empty()) ask_for(graph, node);
}

}  // namespace nnomc
