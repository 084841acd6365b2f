/// \file
/// All that the sections of a report show, measured and worked out before any of it is written.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/measure/memory.hpp"
#include "compiler/quantise/compare.hpp"
#include "compiler/quantise/histogram.hpp"
#include "compiler/report/html/hardware.hpp"
#include "compiler/report/html/report.hpp"

namespace nnomc {

/// The real weights of a node, and the ranges that int8 holds of them.
struct WeightFacts {
  Histogram histogram{Limits{}};
  /// The most that the scales of the channels (or of the layer) hold; empty where a layer's weights
  /// have no such scales.
  std::vector<float> held{};
};

struct Facts {
  const ReportRequest& request;
  Hardware board;
  std::vector<Hardware> boards;  ///< all that are known
  std::vector<int> arena{};      ///< for each of `boards`: packed for its core

  std::optional<Measured> measured{};  ///< on the board's core
  std::string not_measured{};          ///< why not

  std::vector<Piece> pieces{};
  std::vector<int> live{};  ///< bytes in use, by node
  std::size_t peak = 0;     ///< the node that uses the most

  std::vector<LayerError> errors{};                   ///< by node; empty where there are no samples
  std::vector<Histogram> values{};                    ///< of the float model, by tensor; likewise
  std::vector<std::optional<WeightFacts>> weights{};  ///< by node

  const Program& program() const { return request.program; }
  const Graph& graph() const { return request.program.graph; }
  /// Nodes that do something; the others rename memory.
  bool works(std::size_t node) const { return !info(graph().nodes[node].op).alias; }

  /// The larger of the shares that the model takes of the RAM and flash of `boards[index]`.
  double fullness(std::size_t index) const;

  std::int64_t stack() const { return measured ? measured->stack_bytes.value_or(0) : 0; }
  std::int64_t code() const { return measured ? measured->code_bytes.value_or(0) : 0; }
  std::int64_t ram() const { return program().plan.arena_bytes + stack(); }
  std::int64_t flash() const { return program().weights_bytes() + code(); }

  /// Cycles of one inference or, where they are not estimated, instructions; 0 if not measured.
  double work() const;
  /// The same of one layer.
  double work(std::size_t node) const;
  bool has_cycles() const { return measured && measured->cycles; }
  /// Seconds at the clock of `hardware`, if that has the core that was measured.
  std::optional<double> seconds_on(const Hardware& hardware) const;
  /// Operations of a layer.
  std::int64_t operations(std::size_t node) const;
};

/// Runs the model on samples and on the board's core. Throws an Error where there is no such board.
Facts find_facts(const ReportRequest& request);

/// What int8 (or int16) holds of a tensor's real values.
Limits held_by(const Quantisation& q);

}  // namespace nnomc
