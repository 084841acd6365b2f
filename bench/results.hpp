/// \file
/// What `make bench` measures, and the files it keeps: bench/models.json says what to measure,
/// bench/results.json holds the figures, bench/history.json those of earlier commits.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace nnomc::bench {

using Json = nlohmann::ordered_json;

struct Model {
  std::string name, title;
  std::string from;                  ///< who made it
  std::string file;                  ///< from the root of the project
  std::vector<std::string> options;  ///< of `nnom evaluate`
};

/// What instructions and cycles of one inference are counted for: a layer, or a function.
struct Part {
  std::string name, op;   ///< `op` of layers
  std::int64_t macs = 0;  ///< of layers
  std::int64_t instructions = 0;
  std::optional<std::int64_t> cycles;
};

/// One model on one core, compiled for `size` or `speed`.
struct Run {
  std::string model, core, optimise;
  std::string commit;  ///< at which it was measured; with a + if there were changes
  std::int64_t macs = 0, instructions = 0;
  std::optional<std::int64_t> cycles;
  std::int64_t arena = 0, stack = 0, weights = 0, code = 0;  ///< bytes
  std::vector<Part> layers;
  std::vector<Part> functions;  ///< those that take 1 % or more

  std::string key() const { return model + " " + core + " " + optimise; }
  /// What it costs: cycles, where they are estimated, else instructions.
  std::int64_t cost() const { return cycles.value_or(instructions); }
};

/// The figures that commits are compared by.
struct Costs {
  std::int64_t instructions = 0;
  std::optional<std::int64_t> cycles;
  std::int64_t arena = 0, code = 0;

  std::int64_t cost() const { return cycles.value_or(instructions); }
};

/// What was measured at one commit, by Run::key().
struct Record {
  std::string commit, date;
  std::map<std::string, Costs> runs;
};

/// The path of a file of the project, given from its root.
std::string in_project(const std::string& path);

std::vector<Model> read_models();
const std::vector<std::string>& levels();  ///< size, speed

/// The figures of one run, from what `nnom evaluate --json` writes.
Run run_of(const Json& evaluation);

/// None where the file isn't there.
std::vector<Run> read_runs();
/// In the order of `models`, then of cores.
void write_runs(std::vector<Run> runs, const std::vector<Model>& models);

/// Oldest first; none where the file isn't there.
std::vector<Record> read_history();
void write_history(const std::vector<Record>& history);
/// The last costs recorded under `key` at another commit than `commit`.
const Costs* last_costs(const std::vector<Record>& history, const std::string& key,
                        const std::string& commit);

/// A function's name without arguments, nested template arguments and namespaces of ours:
/// "run_layer<target::Dsp, Conv2D, Linear>".
std::string short_name(const std::string& function);

}  // namespace nnomc::bench
