/// \file
/// Feeds the ONNX importer files: anything but an Error or a graph is a bug.
///
///     build/fuzz/fuzz/onnx_import_fuzz -max_total_time=300 fuzz/corpus/onnx
#include <cstddef>
#include <cstdint>
#include <span>

#include "compiler/error.hpp"
#include "compiler/import/onnx.hpp"
#include "compiler/passes/passes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  try {
    nnomc::Graph graph = nnomc::import_onnx(nnomc::onnx::parse_onnx("fuzz", {bytes, size}));
    nnomc::optimise(graph);
  } catch (const nnomc::Error&) {
  }
  return 0;
}
