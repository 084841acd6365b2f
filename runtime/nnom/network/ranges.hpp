/// \file
/// Measures the ranges of a model made by hand, with real numbers, on a PC.
#pragma once

#include "nnom/network/graph.hpp"

namespace nnom {

/// What the layers of the model that `describe` builds give for the samples it has seen. Ranges
/// that are still missing in the model may be missing here.
///
///     static nnom::Ranges<digits> ranges;
///     for (const auto& image : images) ranges.see(image);
///     for (const auto& layer : ranges.layers)
///       printf("%s: nnom::range(%g, %g)\n", layer.name, layer.lo, layer.hi);
template <auto describe>
class Ranges {
  using G = Graph<describe, Float<float, layout::Plain>>;

 public:
  /// Of the output of one layer: the smallest and the largest value seen, and 0.
  struct Seen {
    const char* name;
    float lo, hi;
  };
  Seen layers[G::layer_count]{};

  /// Input I, to be filled before see().
  template <size_t I = 0>
  Span<float, G::template Input<I>::size> input() {
    return Span<float, G::template Input<I>::size>::at(
        reinterpret_cast<float*>(arena_.data + G::input(I).offset));
  }
  /// Output I of the sample seen last, in real numbers.
  template <size_t I = 0>
  Span<const float, G::template Output<I>::size> output() const {
    return Span<const float, G::template Output<I>::size>::at(
        reinterpret_cast<const float*>(arena_.data + G::output(I).offset));
  }

  /// Runs the model on what the inputs hold. State begins anew with each sample.
  void see() {
    if constexpr (requires { G::reset(arena_.data); }) G::reset(arena_.data);
    G::observe(
        arena_.data,
        [](void* self, const LayerInfo& layer) { static_cast<Ranges*>(self)->add(layer); }, this);
  }
  /// The same, of a model with one input.
  void see(Span<const float, G::template Input<0>::size> sample) {
    for (size_t i = 0; i < sample.size(); ++i) input()[i] = sample[i];
    see();
  }

 private:
  void add(const LayerInfo& layer) {
    Seen& seen = layers[layer.index];
    seen.name = layer.name;
    const auto* const values = static_cast<const float*>(layer.output);
    for (size_t i = 0; i < layer.output_bytes / sizeof(float); ++i) {
      if (values[i] < seen.lo) seen.lo = values[i];
      if (values[i] > seen.hi) seen.hi = values[i];
    }
  }

  Arena<G> arena_;
};

}  // namespace nnom
