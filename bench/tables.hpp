/// \file
/// Tables of the figures, in Markdown for docs/benchmarks.md and as text for a terminal.
#pragma once

#include "bench/results.hpp"

namespace nnomc::bench {

/// A figure of a run that is to be at most so large.
struct Goal {
  std::string model, core, optimise, figure;
  std::int64_t at_most = 0;
  std::optional<std::int64_t> peer;  ///< TFLite Micro's with CMSIS-NN
};

std::vector<Goal> read_goals();
/// The figure of a goal; none where it wasn't measured.
std::optional<std::int64_t> figure_of(const Goal& goal, const std::vector<Run>& runs);

/// All that the document shows.
struct Figures {
  std::vector<Model> models;
  std::vector<Run> runs;
  std::vector<Goal> goals;
  std::vector<Record> history;
};

/// Everything the files of bench/ hold.
Figures read_figures();

/// `document`, where what stands between each `<!-- table NAME -->` and `<!-- end -->` is made
/// anew. Error that says which name is unknown, or which table doesn't end.
std::string with_tables(const std::string& document, const Figures& figures);

/// `runs` beside what was recorded last.
std::string terminal_table(const std::vector<Run>& runs, const std::vector<Record>& history,
                           std::size_t width);
/// Those that take more than 1 % more of anything than what was recorded last, a line each.
std::string regressions(const std::vector<Run>& runs, const std::vector<Record>& history);
/// "Goals met: 3 of 30", and a line for each that isn't.
std::string goals_text(const std::vector<Goal>& goals, const std::vector<Run>& runs);

}  // namespace nnomc::bench
