#include "compiler/report/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compiler/report/program.hpp"
#include "compiler/report/table.hpp"

namespace nnomc {
namespace {

std::string decibels_text(double sqnr) {
  return std::isfinite(sqnr) ? fmt::format("{:.1f}", sqnr) : "exact";
}

}  // namespace

std::string comparison_text(const Program& program, const std::vector<LayerError>& errors,
                            std::size_t width) {
  std::vector<LayerError> order = errors;
  std::stable_sort(order.begin(), order.end(),
                   [](const LayerError& a, const LayerError& b) { return a.sqnr < b.sqnr; });
  Table table({{"Layer", Column::Align::left, true},
               {"Op", Column::Align::left, true},
               {"SQNR, dB"},
               {"Worst channel"},
               {"Float range"},
               {"Step"},
               {"Clipped"}});
  for (const LayerError& e : order) {
    const Node& node = program.graph.nodes[e.node];
    if (info(node.op).alias) continue;
    const bool several = program.graph.shape(node.output).back() > 1 && e.worst_channel >= 0;
    table.row({node.name, op_text(node), decibels_text(e.sqnr),
               several ? fmt::format("{} (#{})", decibels_text(e.worst), e.worst_channel) : "",
               fmt::format("{:.3g} to {:.3g}", e.lo, e.hi),
               fmt::format("{:.3g}", program.scales[static_cast<std::size_t>(node.output)].scale),
               e.clipped > 0 ? percent_text(e.clipped) : ""});
  }
  return table.text(width) + "\n" +
         wrapped("",
                 "SQNR: the float output's power over that of its difference to int8's, with the "
                 "errors of all layers before; 20 dB is an error of a tenth, 40 dB of a hundredth. "
                 "Worst channel: of those whose values reach a step. Step: what one unit of int8 "
                 "stands for.",
                 width);
}

}  // namespace nnomc
