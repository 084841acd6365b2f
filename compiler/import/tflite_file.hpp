/// \file
/// A TensorFlow Lite file, verified before anything is read.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "tflite_generated.h"

namespace nnomc::tflite {

class File {
 public:
  /// Throws an Error if `bytes` are no model, or one this project can't read.
  File(std::string path, std::vector<std::byte> bytes);

  const std::string& path() const { return path_; }
  /// A graph; the first is the main one. Null if there is none of this number.
  const format::Graph* graph(int index) const;
  const format::Graph& graph() const { return *graph(0); }
  const format::Tensor& tensor(int index) const { return tensor(graph(), index); }
  static const format::Tensor& tensor(const format::Graph& graph, int index);
  /// What is stored for a tensor; empty if it is computed.
  std::span<const unsigned char> data(const format::Tensor& tensor) const;
  /// Which operator it is: a number of TFLite's, or -1 for a custom one.
  int code(const format::Operator& op) const;
  /// The name of a custom operator.
  std::string custom_name(const format::Operator& op) const;

  /// The options of an operator; the defaults where there are none.
  template <class Options>
  const Options& options(const format::Operator& op) const {
    const auto* options = reinterpret_cast<const Options*>(op.options());
    if (!options) return *reinterpret_cast<const Options*>(no_options());
    flatbuffers::Verifier verifier(data_(), bytes_.size());
    if (!options->Verify(verifier)) damaged("options of an operator");
    return *options;
  }

 private:
  const unsigned char* data_() const {
    return reinterpret_cast<const unsigned char*>(bytes_.data());
  }
  const format::Model& model() const { return *format::GetModel(bytes_.data()); }
  static const void* no_options();
  [[noreturn]] void damaged(const char* what) const;
  void check() const;

  std::string path_;
  std::vector<std::byte> bytes_;
};

/// A vector of the file, which may be missing. Nobody vouches for how it is aligned.
template <class T>
std::vector<T> numbers(const flatbuffers::Vector<T>* vector) {
  std::vector<T> copy(vector ? vector->size() : 0);
  if (!copy.empty()) std::memcpy(copy.data(), vector->Data(), copy.size() * sizeof(T));
  return copy;
}

}  // namespace nnomc::tflite
