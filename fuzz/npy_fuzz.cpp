// Any bytes as an .npy file: an Error or an array whose parts agree.
#include <cstdlib>
#include <cstring>

#include "compiler/error.hpp"
#include "compiler/io/array.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::byte> file(size);
  if (size > 0) std::memcpy(file.data(), data, size);
  try {
    const nnomc::Array array = nnomc::parse_npy("x.npy", std::move(file));
    std::int64_t product = 1;
    for (const std::int64_t extent : array.shape) product *= extent;
    if (product != array.size()) std::abort();
    std::vector<float> values(static_cast<std::size_t>(array.size()));
    array.read(0, values);
    for (std::int64_t i = 0; i < array.size(); ++i) array.at(i);
  } catch (const nnomc::Error&) {
  }
  return 0;
}
