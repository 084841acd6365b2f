// Damaged HDF5 files through the process that reads them. The input is a whole file, or changes to
// a small sound one: a byte that chooses it, then triples of a 16-bit offset and a new byte. The
// coverage of the child isn't seen, so the changes are as good as random.
#include <pthread.h>
#include <sanitizer/common_interface_defs.h>

#include <cstdlib>
#include <cstring>

#include "compiler/error.hpp"
#include "compiler/import/hdf5_child.hpp"
#include "tests/keras_files.hpp"

namespace {

const std::string& sound_file(unsigned number) {
  static const std::string files[] = {
      nnomc::make_h5(nnomc::H5Style::fixed), nnomc::make_h5(nnomc::H5Style::variable),
      nnomc::make_h5(nnomc::H5Style::split), nnomc::make_weights_h5()};
  return files[number];
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  // A crash of the child is no finding: it shall not write a file of its own.
  pthread_atfork(nullptr, nullptr, [] { __sanitizer_set_death_callback(nullptr); });
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string file(reinterpret_cast<const char*>(data), size);
  nnomc::Hdf5Kind kind = nnomc::Hdf5Kind::model;
  if (file.rfind("\x89HDF", 0) != 0) {
    file = sound_file(data[0] % 4);
    if (data[0] % 4 == 3) kind = nnomc::Hdf5Kind::weights;
    for (std::size_t i = 1; i + 3 <= size; i += 3) {
      const std::size_t offset = data[i] + 256U * data[i + 1];
      file[offset % file.size()] = static_cast<char>(data[i + 2]);
    }
  }
  nnomc::Hdf5Limits limits;
  limits.time = std::chrono::milliseconds(500);
  limits.weights = 64 << 20;
  try {
    nnomc::read_hdf5("x.h5", std::as_writable_bytes(std::span<char>(file)), kind, limits);
  } catch (const nnomc::Error& error) {
    if (std::strncmp(error.what(), "x.h5: ", 6) != 0) std::abort();
  }
  return 0;
}
