#include "bench/tables.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

#include "compiler/error.hpp"
#include "compiler/report/table.hpp"

namespace nnomc::bench {
namespace {

/// A Markdown table; the columns from `right` on are aligned to the right.
class Markdown {
 public:
  Markdown(const std::vector<std::string>& titles, std::size_t right) {
    row(titles);
    std::vector<std::string> rule;
    for (std::size_t i = 0; i < titles.size(); ++i) rule.push_back(i < right ? "---" : "---:");
    row(rule);
  }
  void row(const std::vector<std::string>& cells) {
    text_ += fmt::format("| {} |\n", fmt::join(cells, " | "));
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string millions(std::int64_t n) { return fmt::format("{:.3f}", static_cast<double>(n) / 1e6); }
std::string ratio(std::int64_t a, std::int64_t b) {
  return b == 0 ? "" : fmt::format("{:.2f}", static_cast<double>(a) / static_cast<double>(b));
}

const Run* find(const std::vector<Run>& runs, const std::string& model, const std::string& core,
                const std::string& optimise) {
  for (const Run& r : runs)
    if (r.model == model && r.core == core && r.optimise == optimise) return &r;
  return nullptr;
}

std::vector<std::string> cores_of(const std::vector<Run>& runs, bool with_cycles) {
  std::vector<std::string> cores;
  for (const Run& r : runs)
    if ((r.cycles || !with_cycles) && !std::ranges::count(cores, r.core)) cores.push_back(r.core);
  return cores;
}

const std::string& title_of(const Figures& f, const std::string& model) {
  for (const Model& m : f.models)
    if (m.name == model) return m.title;
  return model;
}

std::string goals_table(const Figures& f) {
  Markdown table({"Model", "Core", "Made for", "Figure", "Goal", "Measured", "Met",
                  "TFLM + CMSIS-NN", "Of it"},
                 4);
  for (const Goal& g : f.goals) {
    const auto figure = figure_of(g, f.runs);
    if (!figure) continue;
    std::string name = g.figure;
    std::ranges::replace(name, '_', ' ');
    table.row({title_of(f, g.model), g.core, g.optimise, name, count_text(g.at_most),
               count_text(*figure), *figure <= g.at_most ? "yes" : "no",
               g.peer ? count_text(*g.peer) : "", g.peer ? ratio(*figure, *g.peer) : ""});
  }
  return table.text();
}

/// Millions, and in brackets a MAC, of one figure of every model on every core.
std::string cost_table(const Figures& f, const std::string& optimise, bool cycles) {
  const std::vector<std::string> cores = cores_of(f.runs, cycles);
  std::vector<std::string> titles = {"Model", "MACs"};
  titles.insert(titles.end(), cores.begin(), cores.end());
  Markdown table(titles, 1);
  for (const Model& m : f.models) {
    std::vector<std::string> cells = {m.title, ""};
    for (const std::string& core : cores) {
      const Run* r = find(f.runs, m.name, core, optimise);
      if (r) cells[1] = count_text(r->macs);
      const std::int64_t n = !r ? 0 : cycles ? r->cycles.value_or(0) : r->instructions;
      cells.push_back(n ? fmt::format("{} ({})", millions(n), ratio(n, r->macs)) : "");
    }
    if (!cells[1].empty()) table.row(cells);
  }
  return table.text();
}

/// Bytes on `core`, for size and for speed.
std::string memory_table(const Figures& f, const std::string& core) {
  Markdown table({"Model", "Arena, size", "Arena, speed", "Stack, size", "Stack, speed", "Weights",
                  "Code, size", "Code, speed"},
                 1);
  for (const Model& m : f.models) {
    const Run *small = find(f.runs, m.name, core, "size"),
              *fast = find(f.runs, m.name, core, "speed");
    if (!small || !fast) continue;
    std::vector<std::string> cells = {m.title};
    for (const std::int64_t n : {small->arena, fast->arena, small->stack, fast->stack,
                                 fast->weights, small->code, fast->code})
      cells.push_back(count_text(n));
    table.row(cells);
  }
  return table.text();
}

/// The costs of a run's layers, in order, and their shares.
std::string layers_table(const Run& run) {
  Markdown table(
      {"Layer", "Op", "MACs", "Instructions", run.cycles ? "Cycles" : "", "A MAC", "Share"}, 2);
  for (const Part& p : run.layers) {
    const std::int64_t cost = p.cycles.value_or(p.instructions);
    table.row({"`" + p.name + "`", p.op, count_text(p.macs), count_text(p.instructions),
               p.cycles ? count_text(*p.cycles) : "", ratio(cost, p.macs),
               percent_text(static_cast<double>(cost) / static_cast<double>(run.cost()), 1)});
  }
  return table.text();
}

std::string functions_table(const Run& run) {
  Markdown table({"Function", "Instructions", "Cycles", "Share"}, 1);
  for (const Part& p : run.functions) {
    const std::int64_t cost = p.cycles.value_or(p.instructions);
    table.row({"`" + p.name + "`", count_text(p.instructions),
               p.cycles ? count_text(*p.cycles) : "",
               percent_text(static_cast<double>(cost) / static_cast<double>(run.cost()), 1)});
  }
  return table.text();
}

/// Cycles of the models that have goals in cycles, a row a commit.
std::string history_table(const Figures& f) {
  std::vector<const Goal*> goals;
  std::vector<std::string> titles = {"Commit", "Date"};
  for (const Goal& g : f.goals)
    if (g.figure == "cycles") goals.push_back(&g), titles.push_back(g.model);
  Markdown table(titles, 2);
  for (const Record& record : f.history) {
    std::vector<std::string> cells = {record.commit, record.date};
    for (const Goal* g : goals) {
      const auto run = record.runs.find(g->model + " " + g->core + " " + g->optimise);
      cells.push_back(run == record.runs.end() ? "" : millions(run->second.cost()));
    }
    table.row(cells);
  }
  return table.text();
}

/// The table that a document calls by these words.
std::string table_named(const std::vector<std::string>& words, const Figures& f) {
  const std::string& kind = words[0];
  if (kind == "goals" && words.size() == 1) return goals_table(f);
  if (kind == "history" && words.size() == 1) return history_table(f);
  if (kind == "instructions" && words.size() == 2) return cost_table(f, words[1], false);
  if (kind == "cycles" && words.size() == 2) return cost_table(f, words[1], true);
  if (kind == "memory" && words.size() == 2) return memory_table(f, words[1]);
  const bool layers = kind == "layers", functions = kind == "functions";
  if ((layers || functions) && words.size() == 4) {
    const Run* run = find(f.runs, words[1], words[2], words[3]);
    if (!run) throw Error("nothing was measured of '{}'", fmt::join(words, " "));
    return layers ? layers_table(*run) : functions_table(*run);
  }
  throw Error("there is no table called '{}'", fmt::join(words, " "));
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream stream(text);
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

/// "+1.2 %"; nothing where there is no change.
std::string change_text(std::int64_t now, std::int64_t before) {
  if (now == before || before == 0) return "";
  return fmt::format("{:+.2f} %",
                     100 * static_cast<double>(now - before) / static_cast<double>(before));
}

/// A figure that commits are compared by.
struct Compared {
  const char* name;
  std::int64_t (*now)(const Run&);
  std::int64_t (*before)(const Costs&);
};
constexpr Compared kCompared[] = {
    {"cost", [](const Run& r) { return r.cost(); }, [](const Costs& c) { return c.cost(); }},
    {"arena", [](const Run& r) { return r.arena; }, [](const Costs& c) { return c.arena; }},
    {"code", [](const Run& r) { return r.code; }, [](const Costs& c) { return c.code; }},
};

}  // namespace

Figures read_figures() { return {read_models(), read_runs(), read_goals(), read_history()}; }

std::string with_tables(const std::string& document, const Figures& figures) {
  const std::string begins = "<!-- table ", closes = " -->\n", ends = "<!-- end -->";
  std::string text;
  std::size_t at = 0;
  for (std::size_t begin; (begin = document.find(begins, at)) != std::string::npos;) {
    const std::size_t name = begin + begins.size(), close = document.find(closes, name);
    const std::size_t end = document.find(ends, name);
    if (close == std::string::npos || end == std::string::npos || end < close)
      throw Error("the table at '{}' has no '{}'", document.substr(begin, 60), ends);
    const std::string words = document.substr(name, close - name);
    text += document.substr(at, close + closes.size() - at) + "\n";
    text += table_named(words_of(words), figures) + "\n";
    at = end;
  }
  return text + document.substr(at);
}

std::string terminal_table(const std::vector<Run>& runs, const std::vector<Record>& history,
                           std::size_t width) {
  using Align = Column::Align;
  Table table({{"Model", Align::left},
               {"Core", Align::left},
               {"For", Align::left},
               {"Instructions"},
               {"Cycles"},
               {"A MAC"},
               {"Change"},
               {"Arena"},
               {"Change"},
               {"Stack"},
               {"Weights"},
               {"Code"},
               {"Change"}});
  for (const Run& r : runs) {
    const Costs* before = last_costs(history, r.key(), r.commit);
    std::vector<std::string> changes;
    for (const Compared& c : kCompared)
      changes.push_back(before ? change_text(c.now(r), c.before(*before)) : "");
    table.row({r.model, r.core, r.optimise, count_text(r.instructions),
               r.cycles ? count_text(*r.cycles) : "", ratio(r.cost(), r.macs), changes[0],
               count_text(r.arena), changes[1], count_text(r.stack), count_text(r.weights),
               count_text(r.code), changes[2]});
  }
  return table.text(width);
}

std::string regressions(const std::vector<Run>& runs, const std::vector<Record>& history) {
  std::string text;
  for (const Run& r : runs) {
    const Costs* before = last_costs(history, r.key(), r.commit);
    if (!before) continue;
    for (const Compared& c : kCompared)
      if (c.now(r) * 100 > c.before(*before) * 101)
        text += fmt::format("  {} on {} for {}: {} {}, was {} ({})\n", r.model, r.core, r.optimise,
                            c.name, count_text(c.now(r)), count_text(c.before(*before)),
                            change_text(c.now(r), c.before(*before)));
  }
  return text;
}

}  // namespace nnomc::bench
