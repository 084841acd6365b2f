#include "compiler/quantise/other_data.hpp"

#include <algorithm>

namespace nnomc {
namespace {

using nnom::Coordinate, nnom::Interpolation, nnom::Resize;

bool is_half(const Resize& op, int out) {
  return op.coordinate == Coordinate::half_pixel ||
         (op.coordinate == Coordinate::pytorch_half_pixel && out > 1);
}

/// Pixels of input from one of output to the next.
template <class Real>
Real scale_of(const Resize& op, int in, int out, float ratio) {
  if (op.coordinate == Coordinate::align_corners)
    return out > 1 ? static_cast<Real>(in - 1) / static_cast<Real>(out - 1) : 0;
  if (op.coordinate == Coordinate::pytorch_half_pixel && out == 1) return 0;
  return ratio > 0 ? static_cast<Real>(ratio) : static_cast<Real>(in) / static_cast<Real>(out);
}

/// The pixel nearest to the place of pixel i. In float, as in TFLite and ONNX Runtime.
double nearest(const Resize& op, int i, bool half, float scale) {
  const float middle = (static_cast<float>(i) + (half ? 0.5f : 0)) * scale;
  const double place = static_cast<double>(half ? middle - 0.5f : middle);
  switch (op.interpolation) {
    case Interpolation::ceil:
      return std::ceil(place);
    case Interpolation::round_prefer_floor:
      return std::ceil(place - 0.5);
    case Interpolation::round_prefer_ceil:  // of half pixels as TFLite: the middle, rounded down
      return std::floor(half ? static_cast<double>(middle) : place + 0.5);
    default:
      return std::floor(place);
  }
}

/// In the order of XNNPACK, which computes in float.
template <class Real>
double place_of(int i, bool half, Real scale) {
  constexpr Real kHalf = static_cast<Real>(0.5);
  const Real place = static_cast<Real>(i) * scale;
  return static_cast<double>(half ? place + (kHalf * scale - kHalf) : place);
}

/// In units of 2^-10, as TFLite Micro has it, and both dialects in int16.
int micro_place(const Resize& op, int i, int in, int out, float ratio) {
  int scale = (1024 * in + out / 2) / out;
  if (ratio > 0) scale = static_cast<int>(std::lround(1024 * static_cast<double>(ratio)));
  if (op.coordinate == Coordinate::align_corners)
    scale = out > 1 ? (1024 * (in - 1) + (out - 1) / 2) / (out - 1) : scale;
  return i * scale + (is_half(op, out) ? scale / 2 - 512 : 0);
}

}  // namespace

template <class Rescale>
std::vector<ResizePlace> resize_places(const Resize& op, int in, int out, float ratio) {
  constexpr bool real = std::is_same_v<Rescale, nnom::Unscaled>;
  constexpr bool micro = nnom::Blend<Rescale>::one == nnom::Blend<nnom::Double>::one;
  const bool half = is_half(op, out);
  const auto scale = scale_of<float>(op, in, out, ratio);
  const double last = in - 1;
  std::vector<ResizePlace> places;
  for (int i = 0; i < out; ++i) {
    if (op.interpolation != Interpolation::linear) {
      const double pixel = std::clamp(nearest(op, i, half, scale), 0.0, last);
      places.push_back({static_cast<int>(pixel), 0});
      continue;
    }
    const double place = std::clamp(real ? place_of(i, half, scale_of<double>(op, in, out, ratio))
                                    : micro ? micro_place(op, i, in, out, ratio) / 1024.0
                                            : place_of(i, half, scale),
                                    0.0, last);
    const int from = static_cast<int>(place);
    const double fraction = (place - from) * nnom::Blend<Rescale>::one;
    places.push_back({from, real ? fraction : std::nearbyint(fraction)});
  }
  return places;
}
template std::vector<ResizePlace> resize_places<nnom::Unscaled>(const Resize&, int, int, float);
template std::vector<ResizePlace> resize_places<nnom::Single>(const Resize&, int, int, float);
template std::vector<ResizePlace> resize_places<nnom::Double>(const Resize&, int, int, float);
template std::vector<ResizePlace> resize_places<nnom::PowerOfTwo>(const Resize&, int, int, float);
template std::vector<ResizePlace> resize_places<nnom::Reduced>(const Resize&, int, int, float);

}  // namespace nnomc
