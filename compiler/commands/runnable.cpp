#include "compiler/commands/runnable.hpp"

#include <utility>

#include "compiler/report/table.hpp"

namespace nnomc {

Runnable::Runnable(Program made, const Graph& graph, const ModelOptions& options)
    : program(std::move(made)), whole(program) {
  if (!options.compile.stream) return;
  whole = with_sequences(std::move(whole), graph);
  steps = static_cast<std::size_t>(graph.shape(graph.inputs.at(0))[0]);
}

Measured Runnable::measure_on(const std::string& on, const Inputs& inputs,
                              const ModelOptions& options, bool costs) const {
  EmitOptions emitting;
  emitting.name = model_name(options, stem_of(options.model));
  emitting.optimise = options.compile.optimise;
  const Inputs runs = options.compile.stream ? steps_of(inputs, steps) : inputs;
  Measured measured = on == "host" ? run_on_host(program, runs, "running")
                                   : run_on_core(program, runs, on, emitting, costs);
  if (options.compile.stream)
    measured.outputs = sequences_of(program, whole, measured.outputs, steps);
  return measured;
}

}  // namespace nnomc
