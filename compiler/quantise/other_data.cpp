#include "compiler/quantise/other_data.hpp"

#include <algorithm>

namespace nnomc {

std::vector<double> resize_places(const nnom::Resize& op, int in, int out, float ratio) {
  using nnom::Coordinate, nnom::Interpolation;
  // In float, as TFLite and ONNX Runtime compute them: nearest pixels depend on it.
  const auto n = static_cast<float>(in), m = static_cast<float>(out);
  float scale = ratio > 0 ? ratio : n / m;
  if (op.coordinate == Coordinate::align_corners) scale = out > 1 ? (n - 1) / (m - 1) : 0;
  const bool half = op.coordinate == Coordinate::half_pixel ||
                    (op.coordinate == Coordinate::pytorch_half_pixel && out > 1);
  std::vector<double> places;
  for (int i = 0; i < out; ++i) {
    const float middle = (static_cast<float>(i) + (half ? 0.5f : 0)) * scale;
    const float place = half ? middle - 0.5f : middle;
    double p = static_cast<double>(place);
    if (op.coordinate == Coordinate::pytorch_half_pixel && !half) p = 0;
    switch (op.interpolation) {
      case Interpolation::linear:
        break;
      case Interpolation::floor:
        p = std::floor(p);
        break;
      case Interpolation::ceil:
        p = std::ceil(p);
        break;
      case Interpolation::round_prefer_floor:
        p = std::ceil(p - 0.5);
        break;
      case Interpolation::round_prefer_ceil:  // of half pixels as TFLite: the middle, rounded down
        p = half ? std::floor(static_cast<double>(middle)) : std::floor(p + 0.5);
        break;
    }
    places.push_back(std::clamp(p, 0.0, static_cast<double>(in - 1)));
  }
  return places;
}

}  // namespace nnomc
