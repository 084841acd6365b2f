/// \file
/// Batch normalisation that stands alone: a scale and a shift of each channel.
#pragma once

#include "nnom/network/layers.hpp"

namespace nnom {

/// The square root of v, 0 where it has none, by Newton's method from above.
constexpr double root(double v) {
  if (!(v > 0)) return 0;
  double x = v > 1 ? v : 1;
  for (double next; (next = (x + v / x) / 2) < x;) x = next;
  return x;
}

/// What a trained BatchNormalization does: gamma * (x - mean) / sqrt(variance + epsilon) + beta, as
/// x * factor + offset. Like arrays of weights it is a constant of a namespace.
template <int channels>
struct Normalisation {
  float factor[channels]{}, offset[channels]{};

  using Values = const float (&)[channels];

  constexpr Normalisation(Values gamma, Values beta, Values mean, Values variance,
                          float epsilon = 0.001f) {
    for (int c = 0; c < channels; ++c) {
      const double f = double{gamma[c]} / root(double{variance[c]} + double{epsilon});
      factor[c] = static_cast<float>(f);
      offset[c] = static_cast<float>(double{beta[c]} - double{mean[c]} * f);
    }
  }
};

namespace layers {

/// {..., c} -> the same.
template <int channels>
constexpr auto batch_norm(const Normalisation<channels>& normalisation,
                          Quantisation out = unknown) {
  Layer<DepthwiseConv2D> l;
  l.op.kernel = {1, 1};
  return with(l, normalisation.factor, normalisation.offset, out);
}

}  // namespace layers
}  // namespace nnom
