/// \file
/// Feeds the ONNX importer files: anything but an Error or a graph is a bug.
///
///     build/fuzz/fuzz/onnx_import_fuzz -max_total_time=300 new/ fuzz/corpus/onnx/
#include <span>

#include "compiler/error.hpp"
#include "compiler/import/onnx.hpp"
#include "try_graph.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  try {
    try_graph(nnomc::import_onnx(nnomc::onnx::parse_onnx("fuzz", {bytes, size})), size);
  } catch (const nnomc::Error&) {
  }
  return 0;
}
