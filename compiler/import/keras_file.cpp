#include "compiler/import/keras_file.hpp"

#include <utility>

#include "compiler/error.hpp"
#include "compiler/io/file.hpp"
#include "compiler/io/zip.hpp"

namespace nnomc {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 256;                              // of the configuration
constexpr std::uint64_t kMaxConfig = 256U << 20;            // bytes
constexpr std::uint64_t kMaxHdf5 = std::uint64_t{1} << 30;  // bytes
constexpr std::string_view kHdf5Magic = "\x89HDF\r\n\x1a\n";

/// `text` with Python's names for what JSON can't say replaced outside of strings.
std::string without_python_numbers(std::string_view text) {
  std::string result;
  bool quoted = false;
  std::size_t i = 0;
  const auto replace = [&](std::string_view word, std::string_view by) {
    if (!text.substr(i).starts_with(word)) return false;
    result += by;
    i += word.size();
    return true;
  };
  while (i < text.size()) {
    if (!quoted && (replace("NaN", "null") || replace("Infinity", "1.7976931348623157e308"))) {
      continue;
    }
    if (text[i] == '"') quoted = !quoted;
    if (quoted && text[i] == '\\' && i + 1 < text.size()) result += text[i++];
    result += text[i++];
  }
  return result;
}

json model_config(const std::string& name, std::string_view text) {
  json config = parse_python_json(name, text);
  const bool complete = config.is_object() && config.contains("class_name") &&
                        config["class_name"].is_string() && config.contains("config") &&
                        (config["config"].is_object() || config["config"].is_array());
  if (!complete) throw Error("{}: its configuration isn't that of a Keras model", name);
  return config;
}

/// The version in metadata.json, or "" if it isn't told.
std::string version_of(const std::string& path, const Zip& zip) {
  if (!zip.contains("metadata.json")) return "";
  const std::vector<std::byte> text = zip.read("metadata.json", kMaxConfig);
  const json metadata = parse_python_json(path + ": metadata.json", as_text(text));
  if (!metadata.is_object()) return "";
  const auto version = metadata.find("keras_version");
  return version != metadata.end() && version->is_string() ? version->get<std::string>() : "";
}

KerasFile read_archive(const std::string& path, const Hdf5Limits& limits) {
  const Zip zip(path);
  for (const char* member : {"config.json", "model.weights.h5"}) {
    if (!zip.contains(member)) {
      throw Error(
          "{}: is a zip archive without '{}', so not a .keras file. Save the whole model "
          "from Keras: model.save('model.keras')",
          path, member);
    }
  }
  KerasFile file;
  file.path = path;
  file.keras_version = version_of(path, zip);
  file.config = model_config(path + ": config.json", as_text(zip.read("config.json", kMaxConfig)));
  std::vector<std::byte> image = zip.read("model.weights.h5", kMaxHdf5);
  file.weights = read_hdf5(path + ": model.weights.h5", image, Hdf5Kind::weights, limits).weights;
  return file;
}

KerasFile read_h5(const std::string& path, const Hdf5Limits& limits) {
  std::vector<std::byte> image = read_file(path, kMaxHdf5);
  Hdf5Content content = read_hdf5(path, image, Hdf5Kind::model, limits);
  KerasFile file;
  file.path = path;
  file.legacy_h5 = true;
  file.keras_version = std::move(content.keras_version);
  file.config = model_config(path, content.model_config);
  file.layer_names = std::move(content.layer_names);
  file.weight_names = std::move(content.weight_names);
  file.weights = std::move(content.weights);
  return file;
}

}  // namespace

json parse_python_json(const std::string& name, std::string_view text) {
  const auto check = [&](int depth, json::parse_event_t, json&) {
    if (depth > kMaxDepth) throw Error("{}: its configuration is nested too deeply", name);
    return true;
  };
  try {
    return json::parse(without_python_numbers(text), check);
  } catch (const json::exception& error) {
    throw Error("{}: its configuration is damaged: {}", name, error.what());
  }
}

KerasFile read_keras_file(const std::string& path, const Hdf5Limits& limits) {
  if (is_directory(path)) {
    throw Error(
        "{}: is a folder (perhaps a SavedModel). Save the model from Keras as one file: "
        "model.save('model.keras')",
        path);
  }
  const std::vector<std::byte> start = read_start(path, kHdf5Magic.size());
  if (as_text(start) == kHdf5Magic) return read_h5(path, limits);
  if (Zip::is_zip(start)) return read_archive(path, limits);
  throw Error("{}: is neither a .keras nor an .h5 file", path);
}

}  // namespace nnomc
