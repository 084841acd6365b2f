/// \file
/// Keras models written by hand, as tests need them.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "compiler/error.hpp"
#include "compiler/import/keras.hpp"
#include "compiler/import/keras_file.hpp"

namespace nnomc {

/// One entry of a model's layer list: fields of its "config" without the name, as JSON without
/// braces. `calls` are its "inbound_nodes".
struct LayerText {
  std::string class_name, name, fields;
  std::string calls = "[]";
};

inline std::string to_json(const LayerText& l) {
  return fmt::format(
      R"({{"class_name": "{}", "config": {{"name": "{}", "trainable": true{}{}}}, "inbound_nodes": {}}})",
      l.class_name, l.name, l.fields.empty() ? "" : ", ", l.fields, l.calls);
}

inline std::string to_json(const std::vector<LayerText>& layers) {
  std::string list;
  for (const LayerText& l : layers) list += (list.empty() ? "" : ", ") + to_json(l);
  return "[" + list + "]";
}

/// A .keras archive with this configuration.
inline KerasFile keras_file(const std::string& config, std::vector<Weight> weights = {}) {
  KerasFile file;
  file.path = "model.keras";
  file.config = nlohmann::json::parse(config);
  file.keras_version = "3.8.0";
  file.weights = std::move(weights);
  return file;
}

/// A Sequential model: an input of the shape (as JSON, with batch axis), then the layers.
inline KerasFile sequential(const std::string& shape, std::vector<LayerText> layers,
                            std::vector<Weight> weights = {}) {
  layers.insert(layers.begin(), {"InputLayer", "in", "\"batch_shape\": " + shape});
  return keras_file(
      fmt::format(R"({{"class_name": "Sequential", "config": {{"name": "net", "layers": {}}}}})",
                  to_json(layers)),
      std::move(weights));
}

/// A functional model; `inputs` and `outputs` are lists of ["layer", call, tensor].
inline std::string functional(const std::string& inputs, const std::string& outputs,
                              const std::vector<LayerText>& layers) {
  return fmt::format(
      R"({{"class_name": "Functional", "config": {{"name": "net", "layers": {}, "input_layers": {}, "output_layers": {}}}}})",
      to_json(layers), inputs, outputs);
}

/// A call of Keras 3 with the tensor [layer, call, 0].
inline std::string tensor(const std::string& layer, int call = 0) {
  return fmt::format(
      R"({{"class_name": "__keras_tensor__", "config": {{"keras_history": ["{}", {}, 0]}}}})",
      layer, call);
}

/// Arguments of a call of Keras 3.
inline std::string args(const std::string& list) {
  return R"({"args": [)" + list + R"(], "kwargs": {}})";
}

/// The message of the error that importing `file` leads to.
inline std::string error_of(const KerasFile& file) {
  try {
    import_keras(file);
  } catch (const Error& error) {
    return error.what();
  }
  return "(imported)";
}

/// A variable of an archive, filled with 0, 1, 2, ...
inline Weight counting(std::string path, std::vector<std::int64_t> shape) {
  std::int64_t size = 1;
  for (const std::int64_t n : shape) size *= n;
  Weight weight{std::move(path), std::move(shape), {}};
  for (std::int64_t i = 0; i < size; ++i) weight.data.push_back(static_cast<float>(i));
  return weight;
}

}  // namespace nnomc
