#include "compiler/compile.hpp"

#include "compiler/cmsis_nn.hpp"
#include "compiler/error.hpp"
#include "compiler/firmware/boards.hpp"
#include "compiler/hooks/hooks.hpp"
#include "compiler/import/keras.hpp"
#include "compiler/import/onnx.hpp"
#include "compiler/import/tflite.hpp"
#include "compiler/io/file.hpp"
#include "compiler/passes/drop_channels.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/passes/stream.hpp"
#include "compiler/quantise/dialect.hpp"
#include "compiler/quantise/states.hpp"

namespace nnomc {

namespace {

/// The content of a file tells its format.
Graph import_file(const std::string& path, const std::vector<LambdaOption>& lambdas) {
  if (is_file(path)) {
    const std::vector<std::byte> start = read_start(path, 8);
    const bool tflite = is_tflite(start);
    if (tflite || onnx::may_be_onnx(path, as_text(start))) {
      if (!lambdas.empty())
        throw Error("--lambda {}: layers of your own are for Keras models, which {} is not",
                    lambdas[0].text, path);
      return tflite ? import_tflite(path) : import_onnx(onnx::read_onnx_file(path));
    }
  }
  return import_keras(read_keras_file(path), lambdas);
}

}  // namespace

Graph load_model(const std::string& path, const HookOptions& hooks) {
  Graph graph = import_file(path, hooks.lambdas);
  optimise(graph);
  if (!hooks.header.empty()) load_hooks(graph, hooks.header);
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

Lowering lowering_of(const CompileOptions& options) {
  Lowering lowering{
      .numbers = {true, options.rounding, layout_of(options.target, options.optimise)},
      .per_channel = options.per_channel};
  if (!options.cmsis_nn) return lowering;
  if (options.rounding != Rounding::double_rounding)
    throw Error("--kernels cmsis-nn: CMSIS-NN rounds twice: add --rounding double");
  if (options.limits.ram || options.limits.input_by_rows)
    throw Error("--kernels cmsis-nn: CMSIS-NN runs layers as a whole, not row by row");
  lowering.numbers.layout = Layout::plain;
  lowering.kernels = cmsis_nn_kernels(options.target);
  return lowering;
}

Program compile(const Graph& graph, const Samples& samples, const CompileOptions& options) {
  Lowering final = lowering_of(options), lowering = final;
  lowering.kernels = Kernels::own;  // what is calibrated runs here
  final.reorder = true;
  final.limits = options.limits;
  if (graph.quantised()) {
    if (!options.ranges.empty())
      throw Error("--range {}: {} is quantised by its file, which gives every scale",
                  options.ranges.begin()->first, graph.file);
    if (graph.reference == Reference::tflite) check_dialect(graph, options.rounding);
    Graph lean = options.stream ? step_by_step(graph) : graph;
    drop_many_channels(lean, final.numbers);
    return lower(std::move(lean), scales_in(graph), final);
  }
  Graph measured = graph;
  drop_many_channels(measured, final.numbers);
  measure_states(measured, samples);
  const Ranges ranges = calibrate(measured, samples, options.calibration, lowering, options.ranges);
  if (options.stream) measured = step_by_step(std::move(measured));
  return lower(std::move(measured), ranges.scales, final);
}

}  // namespace nnomc
