#include "compiler/quantise/states.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "compiler/program.hpp"
#include "compiler/quantise/recurrent_layer_data.hpp"
#include "compiler/simulate/simulate.hpp"

namespace nnomc {
namespace {

/// A node that shows what another keeps to itself.
struct Probe {
  size_t node;  ///< of the graph that is measured
  int shown;
};

template <class Cell>
std::vector<Node> probes_of(const Node& node, const nnom::RecurrentLayer<Cell>& op) {
  std::vector<Node> made;
  for (const int shown : unknown_units(op)) {
    nnom::RecurrentLayer<Cell> probe = op;
    probe.sequences = true, probe.shown = shown;
    made.push_back(node);
    made.back().op = probe;
  }
  return made;
}
std::vector<Node> probes_of(const Node&, const auto&) { return {}; }

int shown_by(const Op& op) {
  return std::visit(
      [](const auto& o) {
        if constexpr (requires { o.shown; })
          return o.shown;
        else
          return 0;
      },
      op);
}

}  // namespace

void measure_states(Graph& graph, const Samples& samples) {
  Graph shown = graph;
  std::vector<Probe> probes;
  const size_t nodes = graph.nodes.size();
  for (size_t i = 0; i < nodes; ++i)
    for (Node& probe : std::visit([&](const auto& op) { return probes_of(graph.nodes[i], op); },
                                  graph.nodes[i].op)) {
      probes.push_back({i, shown_by(probe.op)});
      shown.add(std::move(probe));
    }
  if (probes.empty()) return;
  const Program program = lower_float(std::move(shown));
  for (const Probe& p : probes)
    graph.nodes[p.node].inner.resize(
        std::max(graph.nodes[p.node].inner.size(), static_cast<size_t>(p.shown) + 1));
  std::mutex mutex;
  const auto look = [&](size_t node, const void* output) {
    if (node < nodes || node - nodes >= probes.size()) return;
    const Probe& p = probes[node - nodes];
    const auto* const values = static_cast<const float*>(output);
    const int size = program.graph.shape(program.graph.nodes[node].output).size();
    float most = 0;
    for (int i = 0; i < size; ++i)
      if (std::isfinite(values[i])) most = std::max(most, std::abs(values[i]));
    const std::lock_guard lock(mutex);
    float& inner = graph.nodes[p.node].inner[static_cast<size_t>(p.shown)];
    inner = std::max(inner, most);
  };
  in_starts(samples.count(), samples.samples_a_start(), [&](size_t begin, size_t end) {
    Simulator simulator(program);
    for (size_t s = begin; s < end; ++s) {
      for (size_t i = 0; i < program.graph.inputs.size(); ++i)
        simulator.set_input(i, samples.read(s, i));
      simulator.run(look);
    }
  });
}

}  // namespace nnomc
