/// \file
/// Samples from values in memory.
#pragma once

#include <cstring>
#include <vector>

#include "compiler/data/samples.hpp"
#include "tests/temp_folder.hpp"

namespace nnomc {

/// Samples of a model with one input, from their values one after the other.
inline Samples samples_of(const Graph& graph, const std::vector<float>& values) {
  const TempFolder folder;
  const Shape& shape = graph.shape(graph.inputs[0]);
  Array array;
  array.shape = {static_cast<std::int64_t>(values.size()) / shape.size()};
  array.shape.insert(array.shape.end(), shape.d, shape.d + shape.rank);
  array.bytes.resize(values.size() * sizeof(float));
  std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
  write_npy(folder / "x.npy", array);
  return Samples(graph, {folder / "x.npy"}, {});
}

}  // namespace nnomc
