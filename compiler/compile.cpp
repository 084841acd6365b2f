#include "compiler/compile.hpp"

#include "compiler/error.hpp"
#include "compiler/firmware/boards.hpp"
#include "compiler/import/keras.hpp"
#include "compiler/passes/passes.hpp"

namespace nnomc {

Graph load_model(const std::string& path) {
  Graph graph = import_keras(read_keras_file(path));
  optimise(graph);
  return graph;
}

Program compile(const Graph& graph, const Samples& samples, const CompileOptions& options) {
  const Lowering lowering{.numbers = {true, options.rounding, layout_of(options.target)},
                          .per_channel = options.per_channel};
  return lower(graph, calibrate(graph, samples, options.calibration, lowering).scales, lowering);
}

}  // namespace nnomc
