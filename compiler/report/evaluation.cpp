#include "compiler/report/evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "compiler/report/program.hpp"
#include "compiler/report/table.hpp"

namespace nnomc {
namespace {

using Align = Column::Align;

/// What shares of layers are taken of: cycles, else instructions, else seconds.
double weight_of(const LayerMeasure& layer) {
  if (layer.cycles) return static_cast<double>(*layer.cycles);
  if (layer.instructions) return static_cast<double>(*layer.instructions);
  return layer.seconds.value_or(0);
}

/// "92.80 %  464 of 500"
std::string accuracy_cell(const Classification& counts, std::size_t k) {
  return fmt::format("{:>8}  {} of {}", percent_text(static_cast<double>(counts.accuracy(k))),
                     counts.top(k), counts.samples());
}

/// The rows of accuracies, the float model's beside them.
std::string accuracy_text(const EvaluationReport& r, const Program& program, std::size_t width) {
  const Classification& counts = *r.quality.counts;
  const Classification* reference =
      r.reference && r.reference->counts ? &*r.reference->counts : nullptr;
  Table table({{"Accuracy", Align::left},
               {fmt::format("{} on {}", numbers_text(program), r.on)},
               {reference ? "float on host" : ""},
               {reference ? "difference" : ""}});
  const auto row = [&](std::size_t k) {
    std::vector<std::string> cells = {fmt::format("top-{}", k), accuracy_cell(counts, k)};
    if (reference) {
      const double points =
          100 * (static_cast<double>(counts.top(k)) - static_cast<double>(reference->top(k))) /
          std::max(1.0, static_cast<double>(counts.samples()));
      cells.push_back(accuracy_cell(*reference, k));
      cells.push_back(fmt::format("{:+.2f} points", points));
    }
    table.row(cells);
  };
  row(1);
  if (r.top_k > 1 && r.top_k < counts.classes()) row(r.top_k);
  return table.text(width);
}

/// The value of another metric, the float model's beside it.
std::string value_text(const EvaluationReport& r, const Program& program, std::size_t width) {
  const bool reference = r.reference && r.reference->value;
  Table table({{"Metric", Align::left},
               {fmt::format("{} on {}", numbers_text(program), r.on)},
               {reference ? "float on host" : ""}});
  table.row({name_of(r.metric), fmt::format("{:.6g}", *r.quality.value),
             reference ? fmt::format("{:.6g}", *r.reference->value) : ""});
  return table.text(width);
}

std::string inference_text(const Measured& m) {
  std::vector<std::string> parts;
  if (m.instructions)
    parts.push_back(count_text(static_cast<std::int64_t>(*m.instructions)) + " instructions");
  if (m.cycles)
    parts.push_back("about " + count_text(static_cast<std::int64_t>(*m.cycles)) + " cycles");
  if (m.seconds)
    parts.push_back(time_text(*m.seconds) + (m.clock_hz > 0
                                                 ? fmt::format(" at {:g} MHz", m.clock_hz / 1e6)
                                                 : " on one core of this computer"));
  return parts.empty() ? "" : fmt::format("One inference: {}\n", fmt::join(parts, ", "));
}

}  // namespace

std::string layers_text(const Program& program, const Measured& m, std::size_t width) {
  const Graph& g = program.graph;
  std::vector<LayerMeasure> layers = m.layers;
  layers.resize(g.nodes.size());
  double all = 0;
  bool cycles = false, instructions = false;
  for (const LayerMeasure& l : layers) {
    all += weight_of(l);
    cycles |= l.cycles.has_value();
    instructions |= l.instructions.has_value();
  }
  const char* const rate = cycles ? "Cycles/op" : instructions ? "Instr/op" : "Ops/us";
  const auto rate_of = [&](double weight, std::int64_t macs) -> std::string {
    const auto ops = static_cast<double>(macs);
    if (weight <= 0 || macs <= 0) return "";
    if (cycles || instructions) return fmt::format("{:.2f}", weight / ops);
    return fmt::format("{:.0f}", ops / weight / 1e6);
  };
  const double total = m.seconds.value_or(0), unit = total >= 1e-3 ? 1e3 : 1e6;
  const int decimals = total * unit < 10 ? 3 : total * unit < 1000 ? 2 : 1;
  const auto time_of = [&](const std::optional<double>& seconds) {
    return seconds ? fmt::format("{:.{}f}", *seconds * unit, decimals) : "";
  };
  Table table({{"Layer", Align::left, true},
               {"Op", Align::left, true},
               {"Operations"},
               {total >= 1e-3 ? "Time, ms" : "Time, us"},
               {"Share"},
               {rate},
               {"RAM, B"}});
  const std::vector<int> live = live_bytes(program);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Node& node = g.nodes[i];
    if (info(node.op).alias) continue;
    const std::int64_t macs = info(node.op).macs(node.op);
    const double weight = weight_of(layers[i]);
    table.row({node.name, op_text(node), count_text(macs), time_of(layers[i].seconds),
               all > 0 ? percent_text(weight / all, 1) : "", rate_of(weight, macs),
               count_text(live[i])});
  }
  table.rule();
  table.row({"total", "", count_text(g.macs()), time_of(m.seconds),
             all > 0 ? percent_text(1, 1) : "", rate_of(all, g.macs()),
             count_text(program.plan.arena_bytes)});
  return table.text(width);
}

std::string evaluation_text(const EvaluationReport& r, const Program& program, const Measured& m,
                            std::size_t width) {
  std::string text =
      fmt::format("{}, {} on {}: {}\n", r.model, numbers_text(program), r.on,
                  r.samples ? counted(r.samples, "sample") : "one inference on synthetic input");
  for (const std::string& note : r.notes) text += wrapped("  ", note, width);
  text += "\n";
  if (r.quality.counts)
    text +=
        accuracy_text(r, program, width) + "\n" + confusion_text(*r.quality.counts, width) + "\n";
  if (r.quality.value) text += value_text(r, program, width) + "\n";
  text += layers_text(program, m, width) + "\n";
  text += memory_text(program, m.stack_bytes, m.code_bytes, width);
  text += inference_text(m);
  return text + fmt::format("All this took {}.\n", time_text(r.seconds));
}

std::string evaluation_json(const EvaluationReport& r, const Program& program, const Measured& m) {
  using Json = nlohmann::ordered_json;
  const auto value = [](const auto& optional) -> Json {
    return optional ? Json(*optional) : Json(nullptr);
  };
  const auto top = [](const Quality& quality, std::size_t k) -> Json {
    if (!quality.counts || quality.counts->samples() == 0) return nullptr;
    return static_cast<double>(quality.counts->top(k)) / quality.counts->samples();
  };
  Json json;
  json["model"] = r.model;
  json["on"] = r.on;
  json["samples"] = std::max<std::size_t>(r.samples, 1);
  json["top1"] = top(r.quality, 1);
  json["topk"] = top(r.quality, r.top_k);
  json["macs"] = program.graph.macs();
  json["arena_bytes"] = program.plan.arena_bytes;
  json["weights_bytes"] = program.weights_bytes();
  json["code_bytes"] = value(m.code_bytes);
  json["stack_bytes"] = value(m.stack_bytes);
  json["instructions"] = value(m.instructions);
  json["cycles"] = value(m.cycles);
  json["seconds"] = value(m.seconds);
  for (std::size_t i = 0; i < m.layers.size(); ++i) {
    const Node& node = program.graph.nodes[i];
    if (info(node.op).alias) continue;
    json["layers"].push_back({{"name", node.name},
                              {"op", info(node.op).name},
                              {"macs", info(node.op).macs(node.op)},
                              {"instructions", value(m.layers[i].instructions)},
                              {"cycles", value(m.layers[i].cycles)}});
  }
  for (const FunctionMeasure& f : m.functions)
    json["functions"].push_back(
        {{"name", f.name}, {"instructions", f.instructions}, {"cycles", value(f.cycles)}});
  if (r.quality.value) json[name_of(r.metric)] = *r.quality.value;
  if (r.reference) {
    if (r.reference->counts) json["float_top1"] = top(*r.reference, 1);
    if (r.reference->counts) json["float_topk"] = top(*r.reference, r.top_k);
    if (r.reference->value) json[std::string("float_") + name_of(r.metric)] = *r.reference->value;
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace nnomc
