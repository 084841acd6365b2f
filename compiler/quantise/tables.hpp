/// \file
/// Tables of functions of one stored value.
#pragma once

#include "compiler/quantise/data.hpp"

namespace nnomc {

/// The 256 outputs of a function of one stored value.
template <class F>
std::vector<int8_t> table_of(const Quantisation& in, const Quantisation& out, F function) {
  std::vector<int8_t> table;
  for (int q = -128; q < 128; ++q) table.push_back(quantise(function(dequantise(q, in)), out));
  return table;
}

/// A table that brings input i from its scale to that of the output; null where they are the same.
inline const int8_t* keep_table(const Making& m, size_t i, const Quantisation& in,
                                const Quantisation& out) {
  if (in == out) return nullptr;
  return m.keep("table" + std::to_string(i), table_of(in, out, [](double x) { return x; }));
}

}  // namespace nnomc
