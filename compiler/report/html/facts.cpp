#include "compiler/report/html/facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "compiler/error.hpp"
#include "compiler/firmware/boards.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/plan/plan.hpp"
#include "compiler/quantise/data.hpp"
#include "compiler/quantise/observe.hpp"

namespace nnomc {
namespace {

/// Why firmware for `core` can't be built and run here; empty if it can.
std::string missing_tools(const std::string& core) {
  const Board board = find_board(core);
  if (find_program(board.compiler).empty())
    return fmt::format("{} is not installed (Debian: {})", board.compiler, board.compiler_packages);
  if (find_program(board.emulator).empty())
    return fmt::format("{} is not installed (Debian: {})", board.emulator, board.emulator_packages);
  return "";
}

/// One inference on the emulated core, on the first of the samples.
void measure(Facts& f) {
  const ReportRequest& r = f.request;
  if (!r.measure) {
    f.not_measured = "it was not asked for";
    return;
  }
  f.not_measured = missing_tools(f.board.core);
  if (!f.not_measured.empty()) return;
  Samples one = r.samples;
  if (one.count() > 0) one.limit(1);
  const Inputs inputs = one.count() > 0 ? inputs_of(r.program, one) : noise_for(r.program);
  EmitOptions emitting;
  emitting.optimise = r.options.optimise;
  try {
    f.measured = run_on_core(r.program, inputs, f.board.core, emitting, true);
  } catch (const Error& error) {
    f.not_measured = error.what();
  }
}

/// The arena in the packing of each board's core.
void size_arenas(Facts& f) {
  const Program& p = f.program();
  std::map<Layout, int> known{{p.numbers.layout, p.plan.arena_bytes}};
  for (const Hardware& h : f.boards) {
    Numbers numbers = p.numbers;
    numbers.layout = layout_of(h.core == "cortex-m0plus" ? "cortex-m0" : h.core);
    if (f.request.options.target == "any" || f.request.options.cmsis_nn)
      numbers.layout = p.numbers.layout;
    if (!known.contains(numbers.layout)) {
      MemoryLimits limits = f.request.options.limits;
      limits.ram = limits.ram ? p.plan.arena_bytes : 0;
      try {
        known[numbers.layout] = plan_within(p.graph, numbers, limits).arena_bytes;
      } catch (const Error&) {  // it needs more than what was asked for
        known[numbers.layout] = plan_memory(p.graph, numbers).arena_bytes;
      }
    }
    f.arena.push_back(known[numbers.layout]);
  }
}

/// The scales of a linear node's channels, or what its file says.
std::vector<float> held_weights(const Facts& f, const Node& node) {
  const Program& p = f.program();
  std::vector<float> held;
  if (!p.numbers.quantised || !info(node.op).linear) return held;
  NodeScales scales;
  for (const int t : node.inputs) scales.in.push_back(p.scales[static_cast<std::size_t>(t)]);
  scales.out = p.scales[static_cast<std::size_t>(node.output)];
  scales.per_channel = f.request.options.per_channel;
  scales.reference = p.graph.reference;
  scales.scheme = p.numbers.scheme();
  const WeightScales w = weight_scales(node, scales);
  for (std::size_t c = 0; c < w.scale.size(); ++c)
    if (w.used[c]) held.push_back(static_cast<float>(127 * w.scale[c]));
  if (!w.per_channel && !held.empty()) held.resize(1);
  return held;
}

void look_at_weights(Facts& f) {
  for (const Node& node : f.graph().nodes) {
    f.weights.emplace_back();
    if (node.weights.empty()) continue;
    const auto [lo, hi] = std::ranges::minmax_element(node.weights);
    f.weights.back() = WeightFacts{Histogram({*lo, *hi}), held_weights(f, node)};
    f.weights.back()->histogram.add(node.weights);
  }
}

void look_at_values(Facts& f) {
  const Samples& samples = f.request.samples;
  if (samples.count() == 0 || !f.program().numbers.quantised) return;
  f.errors = compare_with_float(f.program(), samples, f.request.options.per_channel);
  const Program reference = lower_float(f.graph());
  Progress progress("looking at values", 2 * samples.count());
  const std::vector<Limits> seen = min_max(reference, samples, progress);
  f.values = histograms(reference, samples, seen, f.program().numbers.scheme(), progress);
}

}  // namespace

Limits held_by(const Quantisation& q) {
  return {static_cast<float>(q.scale * (q.lowest() - q.zero)),
          static_cast<float>(q.scale * (q.highest() - q.zero))};
}

double Facts::fullness(std::size_t index) const {
  const Hardware& h = boards[index];
  return std::max(static_cast<double>(arena[index] + stack()) / static_cast<double>(h.ram_bytes),
                  static_cast<double>(flash()) / static_cast<double>(h.flash_bytes));
}

double Facts::work() const {
  if (!measured) return 0;
  if (measured->cycles) return static_cast<double>(*measured->cycles);
  if (measured->instructions) return static_cast<double>(*measured->instructions);
  double sum = 0;
  for (std::size_t i = 0; i < measured->layers.size(); ++i) sum += work(i);
  return sum;
}

double Facts::work(std::size_t node) const {
  if (!measured || node >= measured->layers.size()) return 0;
  const LayerMeasure& layer = measured->layers[node];
  return static_cast<double>(has_cycles() ? layer.cycles.value_or(0)
                                          : layer.instructions.value_or(0));
}

std::optional<double> Facts::seconds_on(const Hardware& hardware) const {
  if (hardware.core != board.core || work() <= 0) return {};
  return work() / hardware.clock_hz;
}

std::int64_t Facts::operations(std::size_t node) const {
  const Op& op = graph().nodes[node].op;
  return info(op).macs(op);
}

Facts find_facts(const ReportRequest& request) {
  Facts f{.request = request,
          .board = find_hardware(request.board.empty() ? Hardware::usual : request.board),
          .boards = all_hardware()};
  f.pieces = pieces_of(request.program);
  f.live = live_bytes(request.program);
  f.peak = static_cast<std::size_t>(std::ranges::max_element(f.live) - f.live.begin());
  size_arenas(f);
  look_at_weights(f);
  look_at_values(f);
  measure(f);
  return f;
}

}  // namespace nnomc
