#include "compiler/compile.hpp"

#include "compiler/error.hpp"
#include "compiler/firmware/boards.hpp"
#include "compiler/import/keras.hpp"
#include "compiler/import/tflite.hpp"
#include "compiler/io/file.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/quantise/dialect.hpp"

namespace nnomc {

Graph load_model(const std::string& path) {
  Graph graph =
      is_tflite(read_start(path, 8)) ? import_tflite(path) : import_keras(read_keras_file(path));
  optimise(graph);
  return graph;
}

namespace {

/// The scales that the model's file gives.
std::vector<Quantisation> scales_in(const Graph& graph) {
  std::vector<Quantisation> scales;
  for (const Tensor& t : graph.tensors) scales.push_back(t.quantisation.value());
  return scales;
}

}  // namespace

Program compile(const Graph& graph, const Samples& samples, const CompileOptions& options) {
  const Lowering lowering{.numbers = {true, options.rounding, layout_of(options.target)},
                          .per_channel = options.per_channel};
  if (graph.quantised()) {
    check_dialect(graph, options.rounding);
    return lower(graph, scales_in(graph), lowering);
  }
  return lower(graph, calibrate(graph, samples, options.calibration, lowering).scales, lowering);
}

}  // namespace nnomc
