/// \file
/// From ranges to scales: which tensors have a scale of their own.
#pragma once

#include <optional>
#include <vector>

#include "compiler/graph.hpp"
#include "compiler/quantise/histogram.hpp"

namespace nnomc {

/// The quantisation that a node's output always has (softmax, sigmoid, tanh, a table's rows), if
/// any.
std::optional<Quantisation> fixed_output(const Node& node, Scheme scheme = Scheme::affine);

/// The quantisation that an input of the network must have: that of row numbers of an Embedding.
std::optional<Quantisation> fixed_input(const Graph& graph, int tensor);

/// That of numbers from 0 to count - 1, which tell places.
inline Quantisation quantisation_of_places(int count) { return {1, count > 128 ? -128 : 0}; }

/// Whether a tensor's range is to be found from data.
bool needs_range(const Graph& graph, int tensor);

/// The quantisation of every tensor from the limits of those that need a range. A linear op's range
/// is at least 2^-20 of the largest value it could reach, so that no accumulator overflows when it
/// is rescaled.
std::vector<Quantisation> scales_of(const Graph& graph, const std::vector<Limits>& limits,
                                    Scheme scheme = Scheme::affine);

}  // namespace nnomc
