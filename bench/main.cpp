// What `make bench` runs: the cost of each model on each core, compiled for size and for speed,
// beside what was recorded last.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <set>
#include <thread>

#include "bench/measure.hpp"
#include "bench/tables.hpp"
#include "compiler/error.hpp"
#include "compiler/firmware/boards.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/io/file.hpp"
#include "compiler/report/table.hpp"

namespace nnomc::bench {
namespace {

struct Options {
  std::vector<std::string> models, cores, optimise = levels();
  unsigned at_once = std::max(1U, std::thread::hardware_concurrency());
  bool print = false, tables = false;
};

/// Every model that is here on every core whose compiler is; what is left out is said.
std::vector<Job> jobs_for(const Options& o, const std::vector<Model>& models) {
  std::vector<Job> jobs;
  std::set<std::string> missing;
  const auto wanted = [](const std::vector<std::string>& list, const std::string& name) {
    return list.empty() || std::ranges::count(list, name) > 0;
  };
  for (const Model& model : models) {
    if (!wanted(o.models, model.name)) continue;
    if (!std::filesystem::exists(in_project(model.file))) {
      missing.insert(fmt::format("{} ({}): there is no {}", model.name, model.from, model.file));
      continue;
    }
    for (const std::string& core : core_names()) {
      if (!wanted(o.cores, core)) continue;
      const Board board = find_board(core);
      if (find_program(board.compiler).empty() || find_program(board.emulator).empty()) {
        missing.insert(
            fmt::format("{}: {} and {} are needed", core, board.compiler, board.emulator));
        continue;
      }
      for (const std::string& optimise : o.optimise) jobs.push_back({model, core, optimise});
    }
  }
  for (const std::string& text : missing) fmt::print("Left out: {}\n", text);
  return jobs;
}

/// `now` in place of what there was of the same model, core and level.
std::vector<Run> merged(std::vector<Run> runs, const std::vector<Run>& now) {
  for (const Run& r : now) {
    std::erase_if(runs, [&](const Run& old) { return old.key() == r.key(); });
    runs.push_back(r);
  }
  return runs;
}

std::vector<Record> recorded(std::vector<Record> history, const std::vector<Run>& runs,
                             const Checkout& at) {
  if (history.empty() || history.back().commit != at.commit)
    history.push_back({at.commit, at.date, {}});
  for (const Run& r : runs)
    history.back().runs[r.key()] = {r.instructions, r.cycles, r.arena, r.code};
  return history;
}

void write_document() {
  const std::string path = in_project("docs/benchmarks.md");
  write_file(path, with_tables(std::string(as_text(read_file(path))), read_figures()));
}

void write_results(const std::vector<Run>& runs, const std::vector<Model>& models,
                   const std::vector<Record>& history, const Checkout& at) {
  write_runs(merged(read_runs(), runs), models);
  if (at.commit.empty() || at.changed)
    fmt::print("Not in bench/history.json: {}\n",
               at.commit.empty() ? "there is no git" : "there are changes that are not committed");
  else
    write_history(recorded(history, runs, at));
  write_document();
  fmt::print("Wrote bench/results.json and the tables of docs/benchmarks.md\n");
}

int bench(const Options& o) {
  if (o.tables) {
    write_document();
    return 0;
  }
  const std::vector<Model> models = read_models();
  const std::vector<Record> history = read_history();
  const Checkout at = checkout();
  const Measurement m =
      measure(jobs_for(o, models), o.at_once, at.commit + (at.changed ? "+" : ""));
  fmt::print("{}\n", terminal_table(m.runs, history, terminal_columns(STDOUT_FILENO)));
  fmt::print("{}", goals_text(read_goals(), m.runs));
  if (const std::string worse = regressions(m.runs, history); !worse.empty())
    fmt::print("More than 1 % worse than recorded last:\n{}", worse);
  if (!o.print) write_results(m.runs, models, history, at);
  for (const std::string& failure : m.failures) fmt::print("Failed: {}\n", failure);
  return m.failures.empty() ? 0 : 1;
}

}  // namespace
}  // namespace nnomc::bench

int main(int argc, char** argv) try {
  nnomc::bench::Options o;
  CLI::App app{"The cost of models on emulated cores, beside what was recorded last"};
  app.add_option("--models", o.models, "names in bench/models.json [all]")->delimiter(',');
  app.add_option("--cores", o.cores, "cores [all]")->delimiter(',');
  app.add_option("--optimise", o.optimise, "levels [size,speed]")
      ->delimiter(',')
      ->check(CLI::IsMember(nnomc::bench::levels()));
  app.add_option("--jobs", o.at_once, "how many to run at once [a processor each]")
      ->check(CLI::PositiveNumber);
  app.add_flag("--print", o.print, "write no files");
  app.add_flag("--tables", o.tables, "measure nothing: make the document's tables anew");
  CLI11_PARSE(app, argc, argv);
  return nnomc::bench::bench(o);
} catch (const std::exception& error) {
  fmt::print(stderr, "nnom_bench: {}\n", error.what());
  return 1;
}
