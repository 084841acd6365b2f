#include "compiler/compile.hpp"

#include "compiler/error.hpp"
#include "compiler/firmware/boards.hpp"
#include "compiler/import/keras.hpp"
#include "compiler/import/onnx.hpp"
#include "compiler/import/tflite.hpp"
#include "compiler/io/file.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/passes/stream.hpp"
#include "compiler/quantise/dialect.hpp"
#include "compiler/quantise/states.hpp"

namespace nnomc {

namespace {

/// The content of a file tells its format.
Graph import_file(const std::string& path) {
  if (is_file(path)) {
    const std::vector<std::byte> start = read_start(path, 8);
    if (is_tflite(start)) return import_tflite(path);
    if (onnx::may_be_onnx(path, as_text(start))) return import_onnx(onnx::read_onnx_file(path));
  }
  return import_keras(read_keras_file(path));
}

}  // namespace

Graph load_model(const std::string& path) {
  Graph graph = import_file(path);
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
    if (graph.reference == Reference::tflite) check_dialect(graph, options.rounding);
    return lower(options.stream ? step_by_step(graph) : graph, scales_in(graph), lowering);
  }
  Graph measured = graph;
  measure_states(measured, samples);
  const Ranges ranges = calibrate(measured, samples, options.calibration, lowering);
  if (options.stream) measured = step_by_step(std::move(measured));
  return lower(std::move(measured), ranges.scales, lowering);
}

}  // namespace nnomc
