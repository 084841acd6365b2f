// Any bytes as the message of a process that reads HDF5, and the configuration in it.
#include <cstdlib>

#include "compiler/error.hpp"
#include "compiler/import/hdf5_message.hpp"
#include "compiler/import/keras_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto bytes = std::as_bytes(std::span<const std::uint8_t>(data, size));
    const nnomc::Hdf5Content content = nnomc::parse_hdf5_message("x.h5", bytes);
    for (const nnomc::Weight& weight : content.weights) {
      std::int64_t product = 1;
      for (const std::int64_t extent : weight.shape) product *= extent;
      if (product != static_cast<std::int64_t>(weight.data.size())) std::abort();
    }
    const nlohmann::json config = nnomc::parse_python_json("x.h5", content.model_config);
    if (nlohmann::json(config).dump().empty()) std::abort();  // Both recurse.
  } catch (const nnomc::Error&) {
  }
  return 0;
}
