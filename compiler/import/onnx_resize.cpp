#include <algorithm>
#include <cmath>

#include "compiler/import/onnx_window.hpp"

namespace nnomc::onnx {
namespace {

/// One axis that changes its size.
struct Resized {
  int axis;
  int64_t in, out;
  double scale;                ///< as the file gives it, or out / in
  double from = 0, until = 1;  ///< the part of the input that is wanted, of tf_crop_and_resize
};

struct Method {
  std::string mode, coordinate, nearest;
  double cubic;          ///< coefficient a of the cubic kernel
  bool exclude_outside;  ///< weights beyond the edge are 0, the others grow
  double beyond;         ///< value beyond the edge, of tf_crop_and_resize
};

/// Where element i of the output lies in the input.
double place(const Call& call, const Resized& r, const Method& m, int64_t i) {
  const auto x = static_cast<double>(i), in = static_cast<double>(r.in),
             out = static_cast<double>(r.out);
  if (m.coordinate == "half_pixel") return (x + 0.5) / r.scale - 0.5;
  if (m.coordinate == "pytorch_half_pixel") return r.out > 1 ? (x + 0.5) / r.scale - 0.5 : 0;
  if (m.coordinate == "asymmetric") return x / r.scale;
  if (m.coordinate == "tf_half_pixel_for_nn") return (x + 0.5) / r.scale;
  if (m.coordinate == "align_corners") return r.out > 1 ? x * (in - 1) / (out - 1) : 0;
  if (m.coordinate == "half_pixel_symmetric") {
    const double middle = in / 2 * (1 - out / (r.scale * in));
    return middle + (x + 0.5) / r.scale - 0.5;
  }
  if (m.coordinate == "tf_crop_and_resize")
    return r.out > 1 ? r.from * (in - 1) + x * (r.until - r.from) * (in - 1) / (out - 1)
                     : 0.5 * (r.from + r.until) * (in - 1);
  call.fail("not supported: coordinates '{}'", m.coordinate);
}

/// The nearest element to a place.
int64_t nearest(const Call& call, const Resized& r, const Method& m, double x) {
  double i = 0;
  if (!std::isfinite(x)) call.fail("its region is not finite");
  if (m.nearest == "round_prefer_floor")
    i = std::ceil(x - 0.5);
  else if (m.nearest == "round_prefer_ceil")
    i = std::floor(x + 0.5);
  else if (m.nearest == "floor")
    i = std::floor(x);
  else if (m.nearest == "ceil")
    i = std::ceil(x);
  else
    call.fail("not supported: 'nearest_mode' {}", m.nearest);
  return static_cast<int64_t>(std::clamp(i, 0.0, static_cast<double>(r.in - 1)));
}

/// The weight of an element at this distance, by linear or cubic interpolation (Keys 1981).
double weight(const Method& m, double distance) {
  const double d = std::fabs(distance), a = m.cubic;
  if (m.mode == "linear") return std::max(0.0, 1 - d);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/// Interpolation along an axis: each output is a sum of weighted inputs.
Value interpolated(Call& call, const Value& value, const Resized& r, const Method& m) {
  if (r.in * r.out > 1 << 22) call.fail("not supported: an axis of {}", r.out);
  Weights w{static_cast<size_t>(r.out), static_cast<size_t>(r.in), {}};
  w.data.assign(w.outs * w.ins, 0);
  Constant bias{Type::f32, {r.out}, std::vector<double>(w.outs, 0)};
  for (int64_t o = 0; o < r.out; ++o) {
    const double x = place(call, r, m, o), last = static_cast<double>(r.in - 1);
    if (!std::isfinite(x)) call.fail("its region is not finite");
    if (m.coordinate == "tf_crop_and_resize" && (x < 0 || x > last)) {
      bias.data[static_cast<size_t>(o)] = double{m.beyond};
      continue;
    }
    double* row = &w.data[static_cast<size_t>(o) * w.ins];
    double sum = 0;
    for (int tap = -1; tap <= 2; ++tap) {
      const double i = std::floor(x) + tap;
      if (m.exclude_outside && (i < 0 || i > last)) continue;
      const double share = weight(m, x - i);
      row[static_cast<size_t>(std::clamp(i, 0.0, last))] += share;
      sum += share;
    }
    for (size_t i = 0; i < w.ins; ++i) row[i] /= sum;
  }
  return contract(call, value, r.axis, w, &bias);
}

/// The runtime's op does the usual cases on pictures.
std::optional<Value> by_pictures(Call& call, const std::vector<Resized>& axes, const Method& m) {
  using nnom::Coordinate;
  using nnom::Interpolation;
  constexpr std::pair<std::string_view, Coordinate> kCoordinates[] = {
      {"half_pixel", Coordinate::half_pixel},
      {"pytorch_half_pixel", Coordinate::pytorch_half_pixel},
      {"asymmetric", Coordinate::asymmetric},
      {"align_corners", Coordinate::align_corners}};
  constexpr std::pair<std::string_view, Interpolation> kRoundings[] = {
      {"floor", Interpolation::floor},
      {"ceil", Interpolation::ceil},
      {"round_prefer_floor", Interpolation::round_prefer_floor},
      {"round_prefer_ceil", Interpolation::round_prefer_ceil}};
  const Value& in = call.in(0);
  nnom::Resize op;
  bool known = m.mode != "cubic" && in.rank() >= 3 && in.rank() <= 4 && in[0] == 1;
  for (const Resized& r : axes) known = known && r.axis >= 2;
  const auto find = [&](const auto& rows, const std::string& name, auto& to) {
    const auto row = std::find_if(std::begin(rows), std::end(rows),
                                  [&](const auto& r) { return r.first == name; });
    known = known && row != std::end(rows);
    if (known) to = row->second;
  };
  find(kCoordinates, m.coordinate, op.coordinate);
  if (m.mode == "nearest") find(kRoundings, m.nearest, op.interpolation);
  if (!known) return {};
  Dims out = in.dims;
  for (const Resized& r : axes) out[static_cast<size_t>(r.axis)] = r.out;
  if (!is_small(out)) call.fail("its output is too large: {}", show(out));
  const Picture picture = picture_of(call);
  const nnom::Image from = nnom::image(call.shape(picture.tensor));
  op.out = {from.h, from.w, 0};
  op.ratio[0] = op.ratio[1] = 1;
  for (const Resized& r : axes) {
    const bool column = r.axis == in.rank() - 1;
    (column ? op.out.w : op.out.h) = static_cast<int>(r.out);
    op.ratio[column] = static_cast<float>(1 / r.scale);
  }
  return picture.like(call, call.add(op, {picture.tensor}));
}

Value resize_by(Call& call, const std::vector<Resized>& axes, const Method& m) {
  if (m.mode != "nearest" && m.mode != "linear" && m.mode != "cubic")
    call.fail("not supported: mode '{}'", m.mode);
  if (axes.empty()) return call.in(0);
  if (auto value = by_pictures(call, axes, m)) return *value;
  Value value = call.in(0);
  for (const Resized& r : axes) {
    if (m.mode != "nearest") {
      value = interpolated(call, value, r, m);
      continue;
    }
    std::vector<int64_t> indices;
    for (int64_t i = 0; i < r.out; ++i)
      indices.push_back(nearest(call, r, m, place(call, r, m, i)));
    value = gathered(call, value, r.axis, indices);
  }
  return value;
}

/// Axis `axis` of the input scaled, unless it stays as it is.
void scale(const Call& call, std::vector<Resized>& to, int axis, double factor) {
  const int64_t in = call.in(0)[axis];
  const double out = std::floor(static_cast<double>(in) * factor);
  if (!(out >= 1 && out <= static_cast<double>(kMaxElements))) call.fail("a scale of {}", factor);
  if (factor != 1) to.push_back({axis, in, static_cast<int64_t>(out), factor});
}

Value typed(Value value, Type type) {
  value.type = type;
  return value;
}

}  // namespace

Values upsample(Call& call) {
  const Value& in = call.in(0);
  std::vector<double> scales;
  if (const Attribute* given = call.find("scales", Attribute::Kind::reals))
    scales.assign(given->reals.begin(), given->reals.end());
  else
    scales = call.constant(1).data;
  if (scales.size() != in.dims.size()) call.fail("its scales don't fit {}", show(in.dims));
  std::vector<Resized> axes;
  for (int i = 0; i < in.rank(); ++i) scale(call, axes, i, scales[static_cast<size_t>(i)]);
  return {typed(
      resize_by(call, axes, {call.text("mode", "nearest"), "asymmetric", "floor", -0.75, false, 0}),
      in.type)};
}

Values resize(Call& call) {
  if (call.opset() < 11) return upsample(call);
  const Value& in = call.in(0);
  const Method m{call.text("mode", "nearest"),
                 call.text("coordinate_transformation_mode", "half_pixel"),
                 call.text("nearest_mode", "round_prefer_floor"),
                 double{call.real("cubic_coeff_a", -0.75F)},
                 call.flag("exclude_outside", false),
                 double{call.real("extrapolation_value", 0)}};
  std::vector<int> axes;
  for (int i = 0; i < in.rank(); ++i) axes.push_back(i);
  if (const auto given = call.axes("axes", SIZE_MAX, in.rank())) axes = *given;
  if (call.flag("antialias", false) ||
      call.text("keep_aspect_ratio_policy", "stretch") != "stretch")
    call.fail("not supported: 'antialias' and 'keep_aspect_ratio_policy'");
  const bool by_size = call.has(3);
  const Constant& given = call.constant(by_size ? 3 : 2);
  if (given.data.size() != axes.size())
    call.fail("its scales or sizes don't fit {}", show(in.dims));
  std::vector<Resized> to;
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t n = in[axes[i]];
    if (!by_size) {
      scale(call, to, axes[i], given.data[i]);
    } else if (const int64_t out = integer_at(given, i); out != n) {
      if (out < 1 || out > kMaxElements) call.fail("a size of {}", out);
      to.push_back({axes[i], n, out, static_cast<double>(out) / static_cast<double>(n)});
    }
  }
  for (const Resized& r : to)
    if (m.coordinate == "align_corners" &&
        static_cast<double>(r.in) * r.scale != static_cast<double>(r.out))
      call.fail(
          "not supported: aligned corners and a scale of {}, which doesn't make {} a whole "
          "number: ONNX and PyTorch differ. Give the sizes instead",
          r.scale, r.in);
  if (m.coordinate == "tf_crop_and_resize") {
    const Constant& part = call.constant(1);
    if (part.data.size() != axes.size() * 2) call.fail("its region doesn't fit {}", show(in.dims));
    for (Resized& r : to) {
      const auto i =
          static_cast<size_t>(std::find(axes.begin(), axes.end(), r.axis) - axes.begin());
      r.from = part.data[i];
      r.until = part.data[i + axes.size()];
    }
  }
  return {typed(resize_by(call, to, m), in.type)};
}

}  // namespace nnomc::onnx
