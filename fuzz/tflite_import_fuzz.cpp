/// \file
/// Feeds the TFLite importer files: anything but an Error or a graph is a bug. Small graphs are
/// quantised, planned and run too.
///
///     build/fuzz/fuzz/tflite_import_fuzz -max_total_time=300 new/ fuzz/corpus/tflite/
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "compiler/compile.hpp"
#include "compiler/error.hpp"
#include "compiler/import/tflite.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/simulate/simulate.hpp"

namespace {

constexpr std::int64_t kSmall = 100'000;  // operations, elements

bool is_small(const nnomc::Graph& graph) {
  std::int64_t elements = 0;
  for (const nnomc::Tensor& t : graph.tensors) elements += t.shape.size();
  return graph.macs() < kSmall && elements < kSmall;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::byte> bytes(size);
  if (size) std::memcpy(bytes.data(), data, size);
  try {
    nnomc::Graph graph = nnomc::import_tflite("fuzz", std::move(bytes));
    nnomc::optimise(graph);
    if (!is_small(graph)) return 0;
    nnomc::CompileOptions options;
    options.rounding =
        size % 2 ? nnomc::Rounding::single_rounding : nnomc::Rounding::double_rounding;
    const nnomc::Program program =
        graph.quantised() ? nnomc::compile(graph, {}, options) : nnomc::lower_float(graph);
    nnomc::Simulator(program).run();
  } catch (const nnomc::Error&) {
  }
  return 0;
}
