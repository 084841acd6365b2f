/// \file
/// Feeds the Keras importer configurations: anything but an Error or a graph is a bug.
///
///     clang++ -fsanitize=fuzzer,address,undefined ... && ./keras_import_fuzz corpus/
///
/// An input is a flag byte (Keras 2 or 3, .h5 or .keras) and JSON. The weights are made up: some
/// of the shapes that the JSON's layers could want, under the names that both formats use.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "compiler/error.hpp"
#include "compiler/import/keras.hpp"

namespace {

using nnomc::KerasFile;
using nnomc::Weight;

Weight ones(std::string path, std::vector<std::int64_t> shape) {
  std::int64_t size = 1;
  for (const std::int64_t n : shape) size *= n;
  return {std::move(path), std::move(shape), std::vector<float>(static_cast<std::size_t>(size), 1)};
}

void add_archive_weights(KerasFile& file) {
  for (const std::string nest : {"", "layers/functional/", "layers/sequential/"}) {
    for (const std::string suffix : {"", "_1"}) {
      const std::string layers = nest + "layers/";
      const auto add = [&](const char* group, int index, std::vector<std::int64_t> shape) {
        file.weights.push_back(
            ones(layers + group + suffix + "/vars/" + std::to_string(index), std::move(shape)));
      };
      add("dense", 0, {2, 2}), add("dense", 1, {2});
      add("conv1d", 0, {3, 2, 2}), add("conv1d", 1, {2});
      add("conv2d", 0, {3, 3, 2, 2}), add("conv2d", 1, {2});
      add("depthwise_conv2d", 0, {3, 3, 2, 2}), add("depthwise_conv2d", 1, {4});
      add("separable_conv1d", 0, {3, 2, 1}), add("separable_conv1d", 1, {1, 2, 2});
      for (int i = 0; i < 4; ++i) add("batch_normalization", i, {2});
    }
  }
}

void add_h5_weights(KerasFile& file) {
  for (const std::string layer : {"a", "b", "m"}) {
    const auto add = [&](const char* name, std::vector<std::int64_t> shape) {
      file.weight_names[layer].push_back("model_weights/" + layer + "/" + name);
      file.weights.push_back(ones(file.weight_names[layer].back(), std::move(shape)));
    };
    if (layer != "b") add("a/kernel:0", {2, 2}), add("a/bias:0", {2});
    if (layer == "a") continue;
    add("b/gamma:0", {2}), add("b/beta:0", {2});
    add("b/moving_mean:0", {2}), add("b/moving_variance:0", {2});
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const int flags = data[0];
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    KerasFile file;
    file.path = "fuzz";
    file.config = nnomc::parse_python_json(file.path, text);
    file.keras_version = (flags & 1) != 0 ? "2.15.0" : "3.8.0";
    if ((flags & 4) != 0) file.keras_version = "2.12.0";
    file.legacy_h5 = (flags & 2) != 0;
    if (file.legacy_h5)
      add_h5_weights(file);
    else
      add_archive_weights(file);
    nnomc::import_keras(file);
  } catch (const nnomc::Error&) {
  }
  return 0;
}
