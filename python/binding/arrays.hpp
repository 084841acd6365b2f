/// \file
/// Arrays of numpy as the compiler has them, and back.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <utility>
#include <vector>

#include "compiler/data/read.hpp"
#include "compiler/program.hpp"

namespace nnomc::binding {

/// An array in C order and the machine's byte order, and how messages call it.
using NamedArray = std::pair<std::string, pybind11::array>;

/// Copies the arrays; Error if elements are no real numbers.
std::vector<Source> sources_of(const std::vector<NamedArray>& arrays);

/// `values` as float32 or, of one or two bytes, as intN.
pybind11::array array_of(const std::vector<float>& values,
                         const std::vector<pybind11::ssize_t>& shape);
pybind11::array array_of(const std::vector<std::byte>& stored, int bits,
                         const std::vector<pybind11::ssize_t>& shape);

/// (28, 28, 1)
pybind11::tuple tuple_of(const Shape& shape);

}  // namespace nnomc::binding
