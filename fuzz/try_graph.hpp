/// \file
/// What fuzzers do with a graph that an importer made of a file.
#pragma once

#include <cstddef>
#include <cstdint>

#include "compiler/compile.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/simulate/simulate.hpp"

/// Rewrites the graph; lowers, plans and runs it if that takes little. `salt` picks the rounding.
inline void try_graph(nnomc::Graph graph, std::size_t salt) {
  constexpr std::int64_t kSmall = 100'000;  // operations, elements
  nnomc::optimise(graph);
  std::int64_t elements = 0;
  for (const nnomc::Tensor& t : graph.tensors) elements += t.shape.size();
  if (graph.macs() >= kSmall || elements >= kSmall) return;
  nnomc::CompileOptions options;
  options.rounding = salt % 2 ? nnomc::Rounding::single_rounding : nnomc::Rounding::double_rounding;
  const nnomc::Program program =
      graph.quantised() ? nnomc::compile(graph, {}, options) : nnomc::lower_float(graph);
  nnomc::Simulator(program).run();
}
