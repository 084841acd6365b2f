/// \file
/// What the process that reads HDF5 tells the compiler: a stream of records.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nnomc {

/// One variable of a model.
struct Weight {
  std::string path;                 ///< of the dataset in its HDF5 file, without a leading '/'
  std::vector<std::int64_t> shape;  ///< as Keras stores it; empty for a single number
  std::vector<float> data;          ///< last dimension fastest; other number types are converted
};

/// What an HDF5 file written by Keras holds.
struct Hdf5Content {
  std::string model_config;              ///< JSON; empty in a file of weights only
  std::string keras_version;             ///< "2.4.0"; may be empty
  std::vector<std::string> layer_names;  ///< of the .h5 format, in the file's order
  /// Of the .h5 format: paths of each layer's datasets in the layer's order.
  std::map<std::string, std::vector<std::string>> weight_names;
  std::vector<Weight> weights;
};

/// Turns what is found in a file into records, as it is found.
class Hdf5MessageWriter {
 public:
  /// `put` takes the message's bytes, piece by piece.
  explicit Hdf5MessageWriter(std::function<void(std::string_view)> put) : put_(std::move(put)) {}

  void model_config(std::string_view json);
  void keras_version(std::string_view version);
  void layer_name(std::string_view name);
  void weight_names(std::string_view layer, const std::vector<std::string>& paths);
  void weight(std::string_view path, std::span<const std::int64_t> shape,
              std::span<const float> data);
  /// Says why the file can't be used; ends the message.
  void failure(std::string_view message);
  /// Ends the message of a file read to its end.
  void end();

 private:
  std::function<void(std::string_view)> put_;
};

/// Reads a whole message about the file `name`. The sender may have crashed or been taken over by
/// the file it read, so every length is checked: Error if the message isn't complete and valid, or
/// reports a failure.
Hdf5Content parse_hdf5_message(const std::string& name, std::span<const std::byte> message);

}  // namespace nnomc
