#include "compiler/emit/emit.hpp"

#include <algorithm>
#include <map>

#include "compiler/cmsis_nn.hpp"
#include "compiler/emit/constants.hpp"
#include "compiler/emit/names.hpp"
#include "compiler/emit/text.hpp"
#include "compiler/emit/turns.hpp"
#include "compiler/error.hpp"
#include "compiler/hooks/hooks.hpp"
#include "compiler/node_numbers.hpp"
#include "nnom/model.hpp"

namespace nnomc {
namespace {

/// Layers whose bounds become constants: where that pays most for its code.
bool is_fixed(const Node& node, Optimise optimise) {
  if (node.kernels != Kernels::own) return false;
  const auto* conv = std::get_if<nnom::Conv2D>(&node.op);
  const bool first = conv && conv->in.c < 4;
  const bool depthwise = std::holds_alternative<nnom::DepthwiseConv2D>(node.op);
  return optimise == Optimise::speed ? first || depthwise : optimise == Optimise::balanced && first;
}

/// "real = 0.0039 * (stored + 128)"
std::string meaning(const Quantisation& q) {
  return fmt::format("real = {:.9g} * (stored {} {})", q.scale, q.zero < 0 ? '+' : '-',
                     std::abs(q.zero));
}

/// What runs layers, and turns or not.
std::string runner(const Graph& graph, bool turns) {
  for (const Node& node : graph.nodes) switch (node.kernels) {
      case Kernels::own:
        break;
      case Kernels::cmsis_nn:
        return "cmsis_nn::run_layer<nnom::cmsis_nn::Core::plain>";
      case Kernels::cmsis_nn_dsp:
        return "cmsis_nn::run_layer<nnom::cmsis_nn::Core::dsp>";
      case Kernels::cmsis_nn_helium:
        return "cmsis_nn::run_layer<nnom::cmsis_nn::Core::helium>";
    }
  return turns ? "run_rows<nnom::Native>" : "run_layer<nnom::Native>";
}

std::string runtime_include(const Graph& graph) {
  return runs_cmsis_nn(graph)
             ? "#include \"nnom/cmsis_nn/adapter.hpp\"\n#include \"nnom/nnom.hpp\"\n"
             : "#include \"nnom/nnom.hpp\"\n";
}

class Emitter {
 public:
  Emitter(const Program& program, const EmitOptions& options)
      : p_(program), o_(options), storage_("constexpr"), turns_(program) {
    if (!p_.numbers.quantised) throw Error("{}: only quantised models become code", p_.graph.file);
    check_hooks(p_.graph);
  }

  void make_inline() { storage_ = "inline constexpr"; }

  std::string slots(const char* which, const std::vector<int>& tensors) const {
    std::string s = fmt::format(
        "  static nnom::Slot {}(unsigned i) {{\n"
        "    static const nnom::Slot slots[] = {{\n",
        which);
    for (const int t : tensors)
      s += fmt::format("        {{{}u, {}u, {}}},\n", p_.plan.tensor[static_cast<size_t>(t)],
                       tensor_bytes(p_.graph, t, p_.numbers),
                       quantisation_text(board_quantisation(p_, t)));
    return s + "    };\n    return slots[i];\n  }\n";
  }

  std::string formats(const char* which, const std::vector<int>& tensors) const {
    std::string s = fmt::format(
        "  static nnom::Format {}_format(unsigned i) {{\n"
        "    static const nnom::Format formats[] = {{\n",
        which);
    for (const int t : tensors) {
      const Tensor& tensor = p_.graph.tensors[static_cast<size_t>(t)];
      s += fmt::format("        {{{}, {}, {{{}}}}},\n", literal(tensor.name), tensor.shape.rank,
                       fmt::join(tensor.shape.d, tensor.shape.d + tensor.shape.rank, ", "));
    }
    return s + "    };\n    return formats[i];\n  }\n";
  }

  std::string tensors(const char* type, const std::vector<int>& list) const {
    std::string s;
    for (size_t i = 0; i < list.size(); ++i) {
      const auto t = static_cast<size_t>(list[i]);
      s += fmt::format(
          "\n/// {}: {}, channels {}; {}.\ntemplate <>\nstruct Graph::{}<{}> {{\n  enum : "
          "unsigned {{ size = {} }};\n{}}};\n",
          printable(p_.graph.tensors[t].name), to_string(p_.graph.tensors[t].shape),
          o_.channels_first ? "first" : "last", meaning(p_.scales[t]), type, i,
          p_.graph.tensors[t].shape.size(),
          p_.scales[t].bits == 16 ? "  typedef int16_t Stored;\n" : "");
    }
    return s;
  }

  std::string declarations() const {
    size_t layers = 0;
    for (const Node& n : p_.graph.nodes) layers += !info(n.op).alias;
    const bool by_rows = p_.plan.input_by_rows;
    return fmt::format(
        "static_assert(nnom::api_version == {}, \"this file and the nnom library differ in "
        "version: convert the model again\");\n\n"
        "namespace {} {{\n\n"
        "/// What the model needs, known before it is flashed; and its layers.\n"
        "struct Graph {{\n"
        "  enum : unsigned {{\n"
        "    arena_bytes = {},    ///< RAM\n"
        "    weights_bytes = {},  ///< flash: weights, biases, rescales and tables\n"
        "    input_count = {},\n    output_count = {},\n    layer_count = {}\n  }};\n{}"
        "  /// Multiply-accumulates, and elements that other layers look at.\n"
        "  enum : unsigned long long {{ operations = {} }};\n\n"
        "  template <size_t I>\n  struct Input;\n  template <size_t I>\n  struct Output;\n\n"
        "{}{}{}{}\n"
        "  static void run(unsigned char* arena{});\n"
        "  /// Runs up to layer `last`, and tells of it; the observer, if any, hears of every "
        "layer.\n"
        "  static nnom::LayerInfo observe(unsigned char* arena{}, nnom::Observer observer, void* "
        "context,\n                                 unsigned last = ~0u);\n"
        "  /// The index of the last layer of that name, layer_count if there is none.\n"
        "  static unsigned layer(const char* name);\n"
        "{}"
        "}};\n{}{}\n"
        "using Model = nnom::Model<Graph>;    ///< owns its arena\n"
        "using Runner = nnom::Runner<Graph>;  ///< borrows one\n\n"
        "}}  // namespace {}\n",
        static_cast<int>(nnom::api_version), o_.name, p_.plan.arena_bytes, p_.weights_bytes(),
        p_.graph.inputs.size(), p_.graph.outputs.size(), layers,
        by_rows ? fmt::format("  /// Rows of the input, which come one by one.\n"
                              "  enum : int {{ input_rows = {} }};\n",
                              p_.graph.shape(p_.graph.inputs[0])[0])
                : "",
        p_.graph.macs(), slots("input", p_.graph.inputs), slots("output", p_.graph.outputs),
        formats("input", p_.graph.inputs), formats("output", p_.graph.outputs),
        by_rows ? ", nnom::Rows rows" : "", by_rows ? ", nnom::Rows rows" : "",
        p_.plan.state ? "  /// What is kept between runs becomes what it is before the first.\n"
                        "  static void reset(unsigned char* arena);\n"
                      : "",
        tensors("Input", p_.graph.inputs), tensors("Output", p_.graph.outputs), o_.name);
  }

  /// Constants and the run function, inside namespace o_.name.
  std::string definitions() {
    std::string constants, turns, calls, resets;
    Names names;
    bool int8 = false;                       // any node computes in it
    std::map<std::string, std::string> ops;  // initialiser -> name: layers of one geometry share
    for (size_t i = 0; i < p_.graph.nodes.size(); ++i) {
      const Node& node = p_.graph.nodes[i];
      const OpInfo& op = info(node.op);
      if (op.alias) continue;
      const std::string id = names.unique(node.name);
      constants += arrays_text(p_, i, id, storage_, o_);
      const std::string init = fmt::format("nnom::{} {{}}{}", op.name, op.op_text(node.op));
      const auto [at, fresh] = ops.emplace(init, id + "_op");
      if (fresh)
        constants +=
            fmt::format("{} nnom::{} {}{};\n", storage_, op.name, at->second, op.op_text(node.op));
      const Numbers& numbers = p_.node_numbers[i];
      int8 |= numbers.width == Width::int8;
      constants += data_text(p_, i, id, storage_);
      constants += fmt::format("{} nnom::Buffers<nnom::{}> {}_at{};\n\n", storage_, op.name, id,
                               op.buffers_text(node.op, p_.plan.nodes[i]));
      const bool in_turns = i < p_.plan.in_turns;
      (in_turns ? turns : calls) += fmt::format(
          "  layer({}, {}, {}, {}_data, {}_at{});\n", literal(node.name),
          p_.keeps_output(i) ? tensor_bytes(p_.graph, node.output, p_.numbers) : 0,
          is_fixed(node, o_.optimise) ? fmt::format("nnom::fixed<{}>", at->second) : at->second, id,
          id, in_turns ? turns_.turn(node) : "");
      if (op.memory(node.op, numbers).state)
        resets +=
            fmt::format("  nnom::reset_layer({}, {}_data, {}_at, arena);\n", at->second, id, id);
    }
    for (const Variable& v : p_.graph.variables) {
      const auto t = static_cast<size_t>(v.tensor);
      const std::vector<unsigned char> bytes = initial_bytes(p_, v);
      const bool even = std::ranges::count(bytes, bytes[0]) == std::ssize(bytes);
      const std::string id = names.unique(p_.graph.tensors[t].name) + "_initial";
      if (!even)
        constants += fmt::format("{} unsigned char {}[] = {{\n{}}};\n\n", storage_, id,
                                 elements_text(bytes.data(), bytes.size()));
      resets += fmt::format("  __builtin_mem{}(arena + {}, {}, {});\n", even ? "set" : "cpy",
                            p_.plan.tensor[t], even ? std::to_string(bytes[0]) : id, bytes.size());
    }
    if (p_.plan.state)
      resets = "\ninline void reset_layers(unsigned char* arena) {\n" + resets + "}\n";
    return fmt::format(
        "{}{}{}"
        "/// Calls layer(name, bytes of output, op, data, buffers) for each layer in turn.\n"
        "template <class Layer>\n[[gnu::always_inline]] inline void layers(Layer layer) {{\n{}}}\n"
        "{}",
        int8 ? numbers_alias(p_) : "", constants, turns.empty() ? "" : turns_.functions(turns),
        calls, resets);
  }

  std::string functions(const std::string& specifier, const std::string& space) const {
    const bool turns = p_.plan.in_turns > 0, by_rows = p_.plan.input_by_rows;
    const std::string rows = by_rows ? ", nnom::Rows rows" : "";
    const std::string first =
        turns ? fmt::format("  {}run_turns(arena{});\n", space, by_rows ? ", rows" : "") : "";
    return fmt::format(
               "{0}void Graph::run(unsigned char* arena{2}) {{\n{3}"
               "  {1}layers([arena](const char*, unsigned, const auto& op, const auto& data, const "
               "auto& "
               "at) {{\n"
               "    nnom::{5}(op, data, at, arena);\n  }});\n}}\n\n"
               "{0}nnom::LayerInfo Graph::observe(unsigned char* arena{2}, nnom::Observer "
               "observer, void* "
               "context, unsigned last) {{\n"
               "  nnom::LayerInfo reached{{}};\n  unsigned index = 0;\n"
               "  const auto tell = [&](const char* name, const char* type, int64_t macs, const "
               "void* "
               "output, unsigned bytes) __attribute__((noinline)) {{\n"
               "    reached = {{name, type, index++, macs, output, bytes}};\n"
               "    if (observer) observer(context, reached);\n  }};\n{3}{4}"
               "  {1}layers([&](const char* name, unsigned bytes, const auto& op, const auto& "
               "data, const "
               "auto& at) {{\n"
               "    if (index > last) return;\n"
               "    nnom::{5}(op, data, at, arena);\n"
               "    tell(name, nnom::value(op).name, nnom::value(op).macs(), arena + "
               "at.out.offset, "
               "bytes);\n  }});\n  return reached;\n}}\n\n",
               specifier, space, rows, first,
               turns ? fmt::format("  {}turns([&](const char* name, unsigned bytes, const auto& "
                                   "op, const auto&, "
                                   "const auto& at, const nnom::Turn&) {{\n"
                                   "    if (index > last) return;\n"
                                   "    tell(name, nnom::value(op).name, nnom::value(op).macs(), "
                                   "bytes ? arena + "
                                   "at.out.offset : nullptr, bytes);\n  }});\n",
                                   space)
                     : "",
               runner(p_.graph, turns)) +
           fmt::format(
               "{0}unsigned Graph::layer(const char* name) {{\n"
               "  unsigned index = 0, found = layer_count;\n"
               "  const auto look = [&](const char* other, auto&&...) {{\n"
               "    if (nnom::same_text(name, other)) found = index;\n    ++index;\n  }};\n"
               "{3}  {1}layers(look);\n"
               "  return found;\n}}\n{2}",
               specifier, space,
               p_.plan.state ? fmt::format("\n{}void Graph::reset(unsigned char* arena) {{ "
                                           "{}reset_layers(arena); }}\n",
                                           specifier, space)
                             : "",
               turns ? fmt::format("  {}turns(look);\n", space) : "");
  }

 private:
  static std::string printable(const std::string& s) {
    const std::string l = literal(s);
    return l.substr(1, l.size() - 2);
  }

  const Program& p_;
  const EmitOptions& o_;
  std::string storage_;
  TurnsText turns_;
};

}  // namespace

Generated emit(const Program& program, const EmitOptions& options) {
  Emitter e(program, options);
  Generated g;
  g.header = notice(options) + "#pragma once\n\n#include \"nnom/model.hpp\"\n\n" + e.declarations();
  g.source = notice(options) + optimise_pragma(program, options, false) +
             fmt::format(
                 "#include \"{}\"\n\n{}{}\nnamespace {} {{\n"
                 "namespace {{\n\n{}\n}}  // namespace\n\n{}\n}}  // namespace {}\n",
                 options.file, runtime_include(program.graph), hooks_include(program.graph),
                 options.name, e.definitions(), e.functions("", ""), options.name);
  return g;
}

std::string emit_single_header(const Program& program, const EmitOptions& options) {
  Emitter e(program, options);
  e.make_inline();
  return notice(options) + "#pragma once\n\n" + optimise_pragma(program, options, true) +
         runtime_include(program.graph) + hooks_include(program.graph) + "\n" + e.declarations() +
         fmt::format(
             "\nnamespace {} {{\nnamespace detail {{\n\n{}\n}}  // namespace detail\n\n{}"
             "\n}}  // namespace {}\n",
             options.name, e.definitions(), e.functions("inline ", "detail::"), options.name) +
         "\n#if defined(__GNUC__) && !defined(__clang__)\n#pragma GCC pop_options\n#endif\n";
}

}  // namespace nnomc
