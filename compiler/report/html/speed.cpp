#include <fmt/format.h>

#include <algorithm>

#include "compiler/report/html/sections.hpp"
#include "compiler/report/program.hpp"
#include "compiler/report/table.hpp"

namespace nnomc {
namespace {

constexpr std::size_t kFunctions = 12;  // the most expensive ones are listed

std::string whole(double n) { return count_text(static_cast<std::int64_t>(n)); }

/// Milliseconds or microseconds, as one unit for all rows.
struct Unit {
  const char* name;
  double factor;
  int decimals;
};
Unit unit_for(double seconds) {
  if (seconds >= 0.1) return {"ms", 1e3, 2};
  if (seconds >= 1e-3) return {"ms", 1e3, 3};
  return {"µs", 1e6, 1};
}

Html layers(const Facts& f) {
  const double all = f.work();
  const bool measured = all > 0;
  const auto total = f.seconds_on(f.board);
  const Unit unit = unit_for(total.value_or(0));
  const auto time = [&](double work) {
    return measured ? fmt::format("{:.{}f}", work / f.board.clock_hz * unit.factor, unit.decimals)
                    : std::string();
  };
  const auto operations = static_cast<double>(f.graph().macs());
  const std::string what = f.has_cycles() ? "Cycles" : "Instructions";
  HtmlTable table(
      measured ? fmt::format("Layers, at {:g} MHz{}", f.board.clock_hz / 1e6,
                             f.has_cycles() ? "" : " and one instruction a cycle")
               : "Layers, by operations: not measured",
      {{"Layer", false},
       {measured ? fmt::format("Time, {}", unit.name) : ""},
       {measured ? "Share of time" : "Share of operations"},
       {"Output"},
       {"Operations", true, "products, or what else the layer does for each output"},
       {measured ? what : ""},
       {what + " each", true, "for one operation: what is high is far from the core's best"},
       {"RAM, B", true, "bytes of the arena in use while the layer runs"}},
      true);
  for (std::size_t i = 0; i < f.graph().nodes.size(); ++i) {
    if (!f.works(i)) continue;
    const Node& node = f.graph().nodes[i];
    const double work = f.work(i), macs = static_cast<double>(f.operations(i));
    const double share = measured ? work / all : macs / std::max(operations, 1.0);
    table.row({layer_cell(node),
               {time(work)},
               {barred(share, "", percent_text(share, 1)), number(1e4 * share)},
               {to_string(f.graph().shape(node.output))},
               {whole(macs)},
               {measured ? whole(work) : ""},
               {measured && macs > 0 ? fmt::format("{:.2f}", work / macs) : ""},
               {count_text(f.live[i])}});
  }
  table.total({{"total"},
               {time(all)},
               {},
               {},
               {whole(operations)},
               {measured ? whole(all) : ""},
               {measured ? fmt::format("{:.2f}", all / std::max(operations, 1.0)) : ""},
               {count_text(f.program().plan.arena_bytes)}});
  return table.html();
}

Html functions(const Facts& f) {
  if (!f.measured || f.measured->functions.empty()) return {};
  HtmlTable table("Functions of the firmware, those that they call left out",
                  {{"Function", false}, {f.has_cycles() ? "Cycles" : "Instructions"}, {"Share"}});
  const auto& all = f.measured->functions;
  for (std::size_t i = 0; i < std::min(all.size(), kFunctions); ++i) {
    const double work =
        static_cast<double>(f.has_cycles() ? all[i].cycles.value_or(0) : all[i].instructions);
    table.row({{tag("code", shortened(all[i].name, 90))},
               {whole(work)},
               {percent_text(work / f.work(), 1)}});
  }
  return tag("details", tag("summary", "By function of the firmware") + table.html());
}

}  // namespace

Html speed_section(const Facts& f) {
  Html lead;
  if (const auto seconds = f.seconds_on(f.board)) {
    const auto slowest = std::max_element(
        f.graph().nodes.begin(), f.graph().nodes.end(), [&](const Node& a, const Node& b) {
          return f.work(static_cast<std::size_t>(&a - f.graph().nodes.data())) <
                 f.work(static_cast<std::size_t>(&b - f.graph().nodes.data()));
        });
    const double share =
        f.work(static_cast<std::size_t>(slowest - f.graph().nodes.begin())) / f.work();
    lead = Html((f.has_cycles() ? "" : "About ") + time_text(*seconds)) + " on a " +
           core_title(f.board.core) + " at " + fmt::format("{:g} MHz; ", f.board.clock_hz / 1e6) +
           tag("b", slowest->name) + " takes " + percent_text(share, 0) + " of it.";
  } else {
    lead = "Not measured: " + Html(f.not_measured) + ". Operations show which layers are large.";
  }
  const std::string how =
      !f.measured ? ""
      : f.has_cycles()
          ? fmt::format(
                "The firmware ran under QEMU as a {}. Instructions are counted exactly; "
                "cycles are an estimate from Arm's instruction tables, with memory that "
                "answers at once.",
                core_title(f.board.core))
          : fmt::format(
                "The firmware ran under QEMU as a {}. Instructions are counted exactly; "
                "there is no model of this core's cycles, so the times assume one "
                "instruction a cycle: they are estimates.",
                core_title(f.board.core));
  return section("speed", "How fast, layer by layer", lead,
                 layers(f) + functions(f) + tag("p", {{"class", "note"}}, how));
}

}  // namespace nnomc
