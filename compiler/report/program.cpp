#include "compiler/report/program.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/passes/drop_channels.hpp"
#include "compiler/report/table.hpp"

namespace nnomc {
namespace {

/// "28 x 28 x 1" without spaces, as tables have it.
std::string narrow(const Shape& shape) {
  std::string s = to_string(shape);
  s.erase(std::remove(s.begin(), s.end(), ' '), s.end());
  return s;
}

/// Inputs or outputs; `note` on those that the file has in another order: "{} in the file".
std::string tensors_text(const Graph& graph, const std::vector<int>& tensors,
                         const std::vector<std::vector<int>>& orders, const char* note) {
  std::string s;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Shape& shape = graph.shape(tensors[i]);
    const Shape file = in_file_order(shape, orders, i);
    s += fmt::format("{}{} ({}{})", s.empty() ? "" : ", ",
                     graph.tensors[static_cast<std::size_t>(tensors[i])].name, to_string(shape),
                     file == shape ? "" : note + to_string(file));
  }
  return s;
}

}  // namespace

std::string numbers_text(const Program& program) {
  if (!program.numbers.quantised) return "float";
  bool narrow = false, wide = false;
  for (const Quantisation& q : program.scales) (q.bits == 8 ? narrow : wide) = true;
  if (program.numbers.scheme() == Scheme::power_of_two)
    return program.numbers.rounding == Rounding::nearest ? "int8 power-of-two"
                                                         : "int8 power-of-two truncated";
  return narrow && wide ? "int8 and int16" : wide ? "int16" : "int8";
}

std::string op_text(const Node& node) {
  std::string text = info(node.op).name;
  const Range& r = node.range;
  if (r.all()) return text;
  if (r.lo == 0 && r.hi == Range{}.hi) return text + ", relu";
  if (r.lo == 0 && r.hi == 6) return text + ", relu6";
  return text + fmt::format(", {:.3g} to {:.3g}", r.lo, r.hi);
}

std::string peak_text(const Program& program) {
  const std::vector<int> live = live_bytes(program);
  const auto peak = std::max_element(live.begin(), live.end());
  if (peak == live.end()) return "";
  const auto name = [&](std::ptrdiff_t node) {
    return "'" + program.graph.nodes[static_cast<std::size_t>(node)].name + "'";
  };
  const Plan& plan = program.plan;
  const std::ptrdiff_t at = peak - live.begin();
  std::string text = fmt::format("Peak {:>13}   at {}", bytes_text(*peak), name(at));
  if (plan.peak_node >= 0)
    text += fmt::format("; in this order any plan needs {}{}", count_text(plan.lower_bound),
                        plan.peak_node == at ? "" : ", at " + name(plan.peak_node));
  return text + "\n";
}

std::string memory_text(const Program& program, std::optional<std::int64_t> stack,
                        std::optional<std::int64_t> code, std::size_t width) {
  const std::int64_t arena = program.plan.arena_bytes, weights = program.weights_bytes();
  const auto line = [width](const char* name, std::int64_t bytes, const std::string& parts) {
    return wrapped(fmt::format("{:<5}{:>13}   ", name, bytes_text(bytes)), parts, width);
  };
  const Plan& plan = program.plan;
  const std::string turns =
      plan.in_turns == 0
          ? ""
          : wrapped(fmt::format("Rows {:>13}   ", counted(plan.in_turns, "layer")),
                    fmt::format("run row by row, up to '{}'{}; none is computed twice",
                                program.graph.nodes[plan.in_turns - 1].name,
                                plan.input_by_rows ? ", on an input that comes by rows" : ""),
                    width);
  return line("RAM", arena + stack.value_or(0),
              stack ? fmt::format("arena {} + stack {}", count_text(arena), count_text(*stack))
                    : "arena; the stack comes on top") +
         line("Flash", weights + code.value_or(0),
              code ? fmt::format("weights {} + code {}", count_text(weights), count_text(*code))
                   : "weights; the code comes on top") +
         peak_text(program) + turns;
}

std::string left_out_text(const Graph& model, const Graph& lean) {
  const std::int64_t all = channels(model), left_out = all - channels(lean);
  if (left_out == 0) return "";
  return fmt::format("Idle {:>13}   of {} left out: constant, or read by nothing\n",
                     count_text(left_out), counted(static_cast<std::size_t>(all), "channel"));
}

std::string inspect_text(const Program& program, const Graph& model, const std::string& target,
                         std::size_t width) {
  const Graph& g = program.graph;
  using Align = Column::Align;
  Table table({{"Layer", Align::left, true},
               {"Class", Align::left, true},
               {"Computed as", Align::left, true},
               {"Output"},
               {"Parameters"},
               {"Operations"},
               {"RAM, B"}});
  const std::vector<int> live = live_bytes(program);
  for (std::size_t i = 0; i < g.nodes.size(); ++i) {
    const Node& node = g.nodes[i];
    const std::int64_t macs = info(node.op).macs(node.op);
    const auto parameters = static_cast<std::int64_t>(node.weights.size() + node.bias.size());
    const bool alias = info(node.op).alias;
    table.row({node.name, node.source, alias ? "nothing" : op_text(node),
               narrow(g.shape(node.output)), parameters ? count_text(parameters) : "",
               alias ? "" : count_text(macs), alias ? "" : count_text(live[i])});
  }
  table.rule();
  table.row({"total", "", "", "", count_text(g.parameters()), count_text(g.macs()),
             count_text(program.plan.arena_bytes)});
  return fmt::format("{}\nInput   {}\nOutput  {}\n\n", g.name,
                     tensors_text(g, g.inputs, g.input_order, "; samples may be "),
                     tensors_text(g, g.outputs, g.output_order, "; in the file ")) +
         table.text(width) + fmt::format("\nAs {} for {}:\n", numbers_text(program), target) +
         memory_text(program, {}, {}, width) + left_out_text(model, g) +
         "`nnom evaluate MODEL --on cortex-m4` measures stack, code and time.\n";
}

}  // namespace nnomc
