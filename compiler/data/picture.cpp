#include <stb/stb_image.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "compiler/data/read.hpp"
#include "compiler/error.hpp"
#include "compiler/io/file.hpp"

namespace nnomc {
namespace {

/// Where pixel `i` of `to` lies between pixels of `from`: the first of two, and the share of the
/// second.
struct Place {
  int first = 0, second = 0;
  float share = 0;
};

Place place(int i, int from, int to) {
  const float at = std::clamp(
      (static_cast<float>(i) + 0.5f) * static_cast<float>(from) / static_cast<float>(to) - 0.5f,
      0.0f, static_cast<float>(from - 1));
  const int first = static_cast<int>(at);
  return {first, std::min(first + 1, from - 1), at - static_cast<float>(first)};
}

}  // namespace

Array read_picture(const std::string& path, const Shape& shape) {
  const int channels = shape.rank == 3 ? shape[2] : 1;
  if (shape.rank < 2 || shape.rank > 3 || (channels != 1 && channels != 3))
    throw Error(
        "{}: the model's input is {}, which is no picture: height x width, or height x width x 1 "
        "or 3",
        path, to_string(shape));
  const std::vector<std::byte> file = read_file(path);
  int width = 0, height = 0, stored = 0;
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load_from_memory(reinterpret_cast<const stbi_uc*>(file.data()),
                            static_cast<int>(std::min<size_t>(file.size(), INT32_MAX)), &width,
                            &height, &stored, channels),
      stbi_image_free);
  if (!pixels) throw Error("{}: can't be read as a picture: {}", path, stbi_failure_reason());
  Array array;
  array.dtype = DType::u8;
  array.shape = {shape[0], shape[1], channels};
  array.bytes.resize(static_cast<size_t>(shape.size()));
  auto* out = array.bytes.data();
  for (int y = 0; y < shape[0]; ++y) {
    const Place v = place(y, height, shape[0]);
    for (int x = 0; x < shape[1]; ++x) {
      const Place h = place(x, width, shape[1]);
      for (int c = 0; c < channels; ++c) {
        const auto at = [&](int row, int column) {
          return static_cast<float>(
              pixels.get()[(static_cast<size_t>(row) * static_cast<size_t>(width) +
                            static_cast<size_t>(column)) *
                               static_cast<size_t>(channels) +
                           static_cast<size_t>(c)]);
        };
        const auto across = [&](int row) {
          return at(row, h.first) + (at(row, h.second) - at(row, h.first)) * h.share;
        };
        const float value = across(v.first) + (across(v.second) - across(v.first)) * v.share;
        *out++ = static_cast<std::byte>(std::lround(value));
      }
    }
  }
  return array;
}

}  // namespace nnomc
