/// \file
/// Keras's model files, before anything is made of them: configuration and variables.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "compiler/import/hdf5_child.hpp"

namespace nnomc {

/// What a model file holds. Weights are found by path:
///
///     .keras  "layers/conv2d_1/vars/0": named after the layer's class, numbered in the model's
///     order .h5     weight_names["conv1"][0] == "model_weights/conv1/conv1/kernel:0"
struct KerasFile {
  std::string path;
  /// The whole model: {"class_name": ..., "config": {...}, ...}. Python's Infinity is the largest
  /// double, its NaN is null.
  nlohmann::json config;
  std::string keras_version;  ///< "2.4.0"; may be empty
  bool legacy_h5 = false;     ///< an .h5 file, not a .keras archive
  std::vector<Weight> weights;
  /// .h5 only: the paths of each layer's weights in the layer's order. Variables of the model
  /// itself are under "top_level_model_weights".
  std::map<std::string, std::vector<std::string>> weight_names;
  std::vector<std::string> layer_names;  ///< .h5 only: of the outermost model, in the file's order
};

/// Reads a .keras or .h5 file; its content tells which it is. The optimizer's state is left out,
/// numbers of any kind become float. Error if the file is damaged or isn't a whole model.
KerasFile read_keras_file(const std::string& path, const Hdf5Limits& limits = {});

/// Parses JSON as Python writes it, with NaN and Infinity; `name` is for messages. Error if it is
/// malformed or nested too deeply to be walked recursively.
nlohmann::json parse_python_json(const std::string& name, std::string_view text);

}  // namespace nnomc
