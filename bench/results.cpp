#include "bench/results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <tuple>

#include "compiler/error.hpp"
#include "compiler/io/file.hpp"

namespace nnomc::bench {
namespace {

constexpr const char* kModels = "bench/models.json";
constexpr const char* kResults = "bench/results.json";
constexpr const char* kHistory = "bench/history.json";

Json read_json(const std::string& name) {
  const std::string path = in_project(name);
  if (!std::filesystem::exists(path)) return {};
  try {
    return Json::parse(as_text(read_file(path)));
  } catch (const Json::exception& error) {
    throw Error("{}: {}", path, error.what());
  }
}

/// The file whose object has one list, `list`, an element a line.
void write_lines(const std::string& name, const std::string& comment, const std::string& list,
                 const std::vector<Json>& lines) {
  std::string text = fmt::format("{{\n  \"comment\": {},\n  \"{}\": [", Json(comment).dump(), list);
  for (std::size_t i = 0; i < lines.size(); ++i)
    text += (i ? ",\n    " : "\n    ") + lines[i].dump();
  write_file(in_project(name), text + "\n  ]\n}\n");
}

Json optional_json(const std::optional<std::int64_t>& value) {
  return value ? Json(*value) : Json(nullptr);
}

std::optional<std::int64_t> optional_of(const Json& json) {
  if (json.is_null()) return {};
  return json.get<std::int64_t>();
}

Json layer_json(const Part& p) {
  return {p.name, p.op, p.macs, p.instructions, optional_json(p.cycles)};
}
Json function_json(const Part& p) { return {p.name, p.instructions, optional_json(p.cycles)}; }

Json run_json(const Run& r) {
  Json json = {{"model", r.model},
               {"core", r.core},
               {"optimise", r.optimise},
               {"commit", r.commit},
               {"macs", r.macs},
               {"instructions", r.instructions},
               {"cycles", optional_json(r.cycles)},
               {"arena_bytes", r.arena},
               {"stack_bytes", r.stack},
               {"weights_bytes", r.weights},
               {"code_bytes", r.code}};
  json["layers"] = Json::array();
  for (const Part& p : r.layers) json["layers"].push_back(layer_json(p));
  json["functions"] = Json::array();
  for (const Part& p : r.functions) json["functions"].push_back(function_json(p));
  return json;
}

/// What run_json() and evaluate's JSON have in common.
Run figures_of(const Json& json) {
  Run r;
  json.at("macs").get_to(r.macs);
  json.at("instructions").get_to(r.instructions);
  r.cycles = optional_of(json.at("cycles"));
  json.at("arena_bytes").get_to(r.arena);
  json.at("stack_bytes").get_to(r.stack);
  json.at("weights_bytes").get_to(r.weights);
  json.at("code_bytes").get_to(r.code);
  return r;
}

Run stored_run(const Json& json) {
  Run r = figures_of(json);
  json.at("model").get_to(r.model);
  json.at("core").get_to(r.core);
  json.at("optimise").get_to(r.optimise);
  json.at("commit").get_to(r.commit);
  for (const Json& l : json.at("layers"))
    r.layers.push_back({l.at(0), l.at(1), l.at(2), l.at(3), optional_of(l.at(4))});
  for (const Json& f : json.at("functions"))
    r.functions.push_back({f.at(0), "", 0, f.at(1), optional_of(f.at(2))});
  return r;
}

}  // namespace

std::string in_project(const std::string& path) { return NNOM_SOURCE_DIR "/" + path; }

const std::vector<std::string>& levels() {
  static const std::vector<std::string> both = {"size", "speed"};
  return both;
}

std::vector<Model> read_models() {
  std::vector<Model> models;
  const Json json = read_json(kModels);
  for (const Json& m : json.at("models"))
    models.push_back({m.at("name"), m.at("title"), m.at("from"), m.at("file"), m.at("options")});
  return models;
}

Run run_of(const Json& evaluation) {
  Run r = figures_of(evaluation);
  r.core = evaluation.at("on");
  for (const Json& l : evaluation.at("layers"))
    r.layers.push_back({l.at("name"), l.at("op"), l.at("macs"), l.at("instructions"),
                        optional_of(l.at("cycles"))});
  for (const Json& f : evaluation.at("functions"))
    if (f.at("instructions").get<std::int64_t>() * 100 >= r.instructions)
      r.functions.push_back(
          {short_name(f.at("name")), "", 0, f.at("instructions"), optional_of(f.at("cycles"))});
  return r;
}

std::vector<Run> read_runs() {
  std::vector<Run> runs;
  const Json json = read_json(kResults);
  if (json.contains("runs"))
    for (const Json& run : json["runs"]) runs.push_back(stored_run(run));
  return runs;
}

void write_runs(std::vector<Run> runs, const std::vector<Model>& models) {
  const auto place = [&](const Run& r) {
    return std::ranges::find(models, r.model, &Model::name) - models.begin();
  };
  std::ranges::stable_sort(runs, [&](const Run& a, const Run& b) {
    return std::tuple(place(a), a.core, a.optimise) < std::tuple(place(b), b.core, b.optimise);
  });
  std::vector<Json> lines;
  for (const Run& r : runs) lines.push_back(run_json(r));
  write_lines(kResults,
              "Written by `make bench`. A layer: name, op, MACs, instructions, cycles; a function: "
              "name, instructions, cycles. Cycles are estimates, null where there is no model of "
              "the core.",
              "runs", lines);
}

std::vector<Record> read_history() {
  std::vector<Record> history;
  const Json json = read_json(kHistory);
  if (!json.contains("commits")) return history;
  for (const Json& c : json["commits"]) {
    Record record{c.at("commit"), c.at("date"), {}};
    for (const auto& [key, r] : c.at("runs").items())
      record.runs[key] = {r.at(0), optional_of(r.at(1)), r.at(2), r.at(3)};
    history.push_back(std::move(record));
  }
  return history;
}

void write_history(const std::vector<Record>& history) {
  std::vector<Json> lines;
  for (const Record& record : history) {
    Json runs = Json::object();
    for (const auto& [key, c] : record.runs)
      runs[key] = {c.instructions, optional_json(c.cycles), c.arena, c.code};
    lines.push_back({{"commit", record.commit}, {"date", record.date}, {"runs", runs}});
  }
  write_lines(
      kHistory,
      "Written by `make bench`, a line a commit, oldest first. A run: instructions, cycles, "
      "bytes of the arena, bytes of code.",
      "commits", lines);
}

const Costs* last_costs(const std::vector<Record>& history, const std::string& key,
                        const std::string& commit) {
  for (auto record = history.rbegin(); record != history.rend(); ++record)
    if (const auto found = record->runs.find(key);
        record->commit != commit && found != record->runs.end())
      return &found->second;
  return nullptr;
}

std::string short_name(const std::string& function) {
  std::string text;
  int depth = 0;
  const std::string_view clone = " [clone", hidden = "(anonymous namespace)::";
  for (std::size_t i = 0; i < function.size(); ++i) {
    const std::string_view rest = std::string_view(function).substr(i);
    if (rest.starts_with(clone)) break;
    if (rest.starts_with(hidden)) {
      i += hidden.size() - 1;
      continue;
    }
    const char c = function[i];
    if (c == '<' || c == '(' || c == '{') {
      if (depth == 0 && c == '(') break;
      if (++depth == 1) text += c;
      continue;
    }
    if (c == '>' || c == ')' || c == '}') {
      if (--depth == 0) text += c;
      continue;
    }
    if (depth > 1) continue;
    if (depth == 0 && c == ' ')
      text.clear();  // what stood before is the type it returns
    else
      text += c;
  }
  for (const std::string_view space : {"nnom::"})
    for (std::size_t at; (at = text.find(space)) != std::string::npos;)
      text.erase(at, space.size());
  while (text.size() > 1 && text[text.size() - 2] == ' ') text.erase(text.size() - 2, 1);
  return text;
}

}  // namespace nnomc::bench
