/// \file
/// The right answers to a set of samples.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/data/samples.hpp"
#include "compiler/graph.hpp"

namespace nnomc {

/// Reads one class for each of `samples` samples from `spec` ("y.npy", "y.npz:key", "y.csv", or the
/// folder of pictures or sounds that the samples are, whose folders are the classes): whole numbers
/// of any type, or `classes` numbers a sample of which the largest counts (one-hot, or the scores
/// of another model). Axes of size 1 don't matter. Throws an Error where the number of samples
/// differs, or that names the place of a class that the model doesn't have.
std::vector<std::uint32_t> read_classes(const std::string& spec, std::size_t classes,
                                        std::size_t samples);

/// What an output of shape `shape` should be, sample after sample. Throws an Error where the shape
/// or the number of samples differs, or a value is not finite.
std::vector<float> read_targets(const std::string& spec, const Shape& shape, std::size_t samples);

}  // namespace nnomc
