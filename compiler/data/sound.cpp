#include <sndfile.h>

#include <algorithm>
#include <memory>

#include "compiler/data/read.hpp"
#include "compiler/error.hpp"

namespace nnomc {

Array read_sound(const std::string& path, const Shape& shape) {
  const int channels = shape.rank == 2 ? shape[1] : 1;
  if (shape.rank < 1 || shape.rank > 2)
    throw Error(
        "{}: the model's input is {}, which is no sound: samples, or samples x channels. Compute "
        "its features first, and give them as an array",
        path, to_string(shape));
  SF_INFO info{};
  const std::unique_ptr<SNDFILE, int (*)(SNDFILE*)> file(sf_open(path.c_str(), SFM_READ, &info),
                                                         sf_close);
  if (!file) throw Error("{}: can't be read as a sound: {}", path, sf_strerror(nullptr));
  if (info.channels != channels)
    throw Error("{}: has {} channel{}, but the model's input is {}", path, info.channels,
                info.channels == 1 ? "" : "s", to_string(shape));
  Array array;
  array.shape = {shape[0], channels};
  array.bytes.resize(static_cast<size_t>(shape.size()) * sizeof(float));
  // A file that ends early leaves zeros.
  sf_readf_float(file.get(), reinterpret_cast<float*>(array.bytes.data()),
                 std::min<sf_count_t>(info.frames, shape[0]));
  return array;
}

}  // namespace nnomc
