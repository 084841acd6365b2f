/// \file
/// What `nnom report` writes: one page of HTML with all there is to know of a model before it is
/// flashed. It needs no network, no other file, and no script to be read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/compile.hpp"
#include "compiler/report/evaluation.hpp"

namespace nnomc {

/// What a report is about. `model`, `program` and `options` must outlive the request.
struct ReportRequest {
  std::string name;               ///< of the model
  const Graph& model;             ///< as load_model() gave it
  const Program& program;         ///< what compile() made of it
  const CompileOptions& options;  ///< with which it did
  std::string calibration{};      ///< "calibrated on 100 samples"
  bool sizing_only = false;       ///< calibrated on random numbers: the page says so everywhere
  Samples samples{};              ///< what errors and histograms are of; none: they are left out
  std::string board{};            ///< a name in ports/hardware.json; empty: Hardware::usual
  bool measure = true;            ///< run it on the board's core, emulated, if the tools are there
  /// Accuracy of the program and, as its `reference`, of the float model, from a Judge.
  std::optional<EvaluationReport> evaluation{};
  std::vector<std::string> classes{};  ///< their names; empty: numbers
};

/// Measures what the page shows and returns the page. Throws an Error where there is no such board.
/// Without a cross compiler and an emulator the page says that nothing was measured.
///
///     const Graph graph = load_model("model.keras");
///     const Program program = compile(graph, samples, options);
///     write_file("report.html", html_report({.name = "model", .model = graph, .program = program,
///                                            .options = options, .samples = samples}));
std::string html_report(const ReportRequest& request);

}  // namespace nnomc
