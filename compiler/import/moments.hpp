/// \file
/// Mean and deviation of a tensor along some axes, as the importers' normalisations need them.
#pragma once

#include <vector>

#include "nnom/ops.hpp"

namespace nnomc {

/// V: how an importer calls a tensor.
template <class V>
struct Moments {
  V mean, centred, inverse;  ///< inverse: 1 / standard deviation
};

/// Adds the nodes to `call`, by the functions that the importer has for its tensors: reduced(),
/// minus(), plus() and apply(). `epsilon` is an operand. `outside`: it is added to the deviation,
/// not to the variance.
template <class Call, class V, class Epsilon>
Moments<V> moments(Call& call, const V& in, const std::vector<int>& axes, const Epsilon& epsilon,
                   bool outside = false) {
  using nnom::Function;
  const V mean = reduced<nnom::Mean>(call, in, axes, "/mean");
  const V centred = minus(call, in, mean, "/centred");
  const V square = apply(call, centred, Function::square, "/square");
  V variance = reduced<nnom::Mean>(call, square, axes, "/variance");
  if (outside) variance = apply(call, variance, Function::sqrt, "/deviation");
  variance = plus(call, variance, epsilon, "/epsilon");
  return {mean, centred,
          apply(call, variance, outside ? Function::reciprocal : Function::rsqrt, "/inverse")};
}

}  // namespace nnomc
