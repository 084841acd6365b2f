#include <fmt/format.h>

#include <algorithm>

#include "bench/tables.hpp"
#include "compiler/error.hpp"
#include "compiler/io/file.hpp"
#include "compiler/report/table.hpp"

namespace nnomc::bench {

std::vector<Goal> read_goals() {
  std::vector<Goal> goals;
  const Json json = Json::parse(as_text(read_file(in_project("bench/goals.json"))));
  for (const Json& g : json.at("goals")) {
    goals.push_back(
        {g.at("model"), g.at("core"), g.at("optimise"), g.at("figure"), g.at("at_most"), {}});
    if (!g.at("peer").is_null()) goals.back().peer = g["peer"].get<std::int64_t>();
  }
  return goals;
}

std::optional<std::int64_t> figure_of(const Goal& goal, const std::vector<Run>& runs) {
  const auto run = std::ranges::find_if(runs, [&](const Run& r) {
    return r.model == goal.model && r.core == goal.core && r.optimise == goal.optimise;
  });
  if (run == runs.end()) return {};
  if (goal.figure == "cycles") return run->cycles;
  if (goal.figure == "instructions") return run->instructions;
  if (goal.figure == "arena_bytes") return run->arena;
  if (goal.figure == "code_bytes") return run->code;
  throw Error("bench/goals.json: no run has a figure called '{}'", goal.figure);
}

std::string goals_text(const std::vector<Goal>& goals, const std::vector<Run>& runs) {
  std::size_t met = 0, measured = 0;
  std::string missed;
  for (const Goal& g : goals) {
    const auto figure = figure_of(g, runs);
    if (!figure) continue;
    ++measured;
    if (*figure <= g.at_most) {
      ++met;
      continue;
    }
    missed += fmt::format(
        "  {} on {} for {}: {} {}, goal {} ({:+.1f} %)\n", g.model, g.core, g.optimise,
        count_text(*figure), g.figure, count_text(g.at_most),
        100.0 * static_cast<double>(*figure - g.at_most) / static_cast<double>(g.at_most));
  }
  if (measured == 0) return "";
  return fmt::format("Goals met: {} of {}{}\n{}", met, measured,
                     missed.empty() ? "" : "; missed:", missed);
}

}  // namespace nnomc::bench
