/// \file
/// Feeds the TFLite importer files: anything but an Error or a graph is a bug.
///
///     build/fuzz/fuzz/tflite_import_fuzz -max_total_time=300 new/ fuzz/corpus/tflite/
#include <cstring>
#include <vector>

#include "compiler/error.hpp"
#include "compiler/import/tflite.hpp"
#include "try_graph.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::byte> bytes(size);
  if (size) std::memcpy(bytes.data(), data, size);
  try {
    try_graph(nnomc::import_tflite("fuzz", std::move(bytes)), size);
  } catch (const nnomc::Error&) {
  }
  return 0;
}
