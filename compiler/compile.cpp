#include "compiler/compile.hpp"

#include "compiler/error.hpp"
#include "compiler/firmware/boards.hpp"
#include "compiler/import/keras.hpp"
#include "compiler/import/onnx.hpp"
#include "compiler/io/file.hpp"
#include "compiler/passes/passes.hpp"

namespace nnomc {

Graph load_model(const std::string& path) {
  const bool onnx = is_file(path) && onnx::may_be_onnx(path, as_text(read_start(path, 8)));
  Graph graph =
      onnx ? import_onnx(onnx::read_onnx_file(path)) : import_keras(read_keras_file(path));
  optimise(graph);
  return graph;
}

Program compile(const Graph& graph, const Samples& samples, const CompileOptions& options) {
  const Lowering lowering{.numbers = {true, options.rounding, layout_of(options.target)},
                          .per_channel = options.per_channel};
  return lower(graph, calibrate(graph, samples, options.calibration, lowering).scales, lowering);
}

}  // namespace nnomc
