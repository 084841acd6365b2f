/// \file
/// Arithmetic on arrays known before the model runs: what exporters leave of shapes.
#pragma once

#include <functional>
#include <vector>

#include "compiler/import/onnx_file.hpp"

namespace nnomc::onnx {

/// Element i as a whole number.
int64_t integer_at(const Constant& c, size_t i);
std::vector<int64_t> integers_of(const Constant& c);
/// The scales of what was dequantised, one for each entry of axis `axis` or one for all; empty if
/// there are none, or others.
std::vector<float> scales_along(const Constant& c, size_t axis);
std::vector<float> reals_of(const std::vector<double>& values);

/// A list of whole numbers.
Constant list_of(const std::vector<int64_t>& values);

/// The shape of arrays of shapes `a` and `b` combined by numpy's rules. False if they don't fit.
bool broadcast(const Dims& a, const Dims& b, Dims& to);

/// f of each pair of elements; the shapes must fit, and the result be small enough. Integers are
/// rounded towards zero.
Constant combined(const Constant& a, const Constant& b, Type type,
                  const std::function<double(double, double)>& f);
/// `c` repeated along axes of size 1 to the shape `to`, which must fit.
Constant expanded(const Constant& c, const Dims& to);
/// Axis i of the result is axis order[i] of `c`.
Constant permuted(const Constant& c, const std::vector<int>& order);
/// Entries `indices` (each within the axis) of axis `axis`, in that order.
Constant taken(const Constant& c, size_t axis, const std::vector<int64_t>& indices);
/// Arrays of one rank side by side.
Constant joined(const std::vector<const Constant*>& parts, size_t axis);

}  // namespace nnomc::onnx
