#include "compiler/import/onnx_constants.hpp"

#include <algorithm>
#include <cmath>

#include "compiler/import/onnx_layout.hpp"

namespace nnomc::onnx {
namespace {

/// A whole number as a type of fewer than 64 bits keeps it.
double wrapped(Type type, double v) {
  const int bits = type == Type::u8 || type == Type::i8     ? 8
                   : type == Type::u16 || type == Type::i16 ? 16
                   : type == Type::u32 || type == Type::i32 ? 32
                                                            : 0;
  if (!bits || !std::isfinite(v)) return v;
  const double range = std::ldexp(1, bits);
  const bool negative = type == Type::i8 || type == Type::i16 || type == Type::i32;
  const double low = negative ? -range / 2 : 0;
  return v - std::floor((v - low) / range) * range;
}

}  // namespace

int64_t integer_at(const Constant& c, size_t i) {
  constexpr double kLimit = 9.2e18;  // fits 64 bits
  const double v = c.data[i];
  return std::isnan(v) ? 0 : static_cast<int64_t>(std::clamp(v, -kLimit, kLimit));
}

std::vector<int64_t> integers_of(const Constant& c) {
  std::vector<int64_t> values;
  for (size_t i = 0; i < c.data.size(); ++i) values.push_back(integer_at(c, i));
  return values;
}

std::vector<float> scales_along(const Constant& c, size_t axis) {
  return c.scale.size() == 1 || c.axis == axis ? c.scale : std::vector<float>{};
}

std::vector<float> reals_of(const std::vector<double>& values) {
  std::vector<float> reals;
  reals.reserve(values.size());
  for (const double v : values) reals.push_back(static_cast<float>(v));
  return reals;
}

Constant list_of(const std::vector<int64_t>& values) {
  return {Type::i64, {static_cast<int64_t>(values.size())}, {values.begin(), values.end()}};
}

bool broadcast(const Dims& a, const Dims& b, Dims& to) {
  to.assign(std::max(a.size(), b.size()), 1);
  for (size_t back = 1; back <= to.size(); ++back) {
    const int64_t m = back <= a.size() ? a[a.size() - back] : 1;
    const int64_t n = back <= b.size() ? b[b.size() - back] : 1;
    if (m != n && m != 1 && n != 1) return false;
    to[to.size() - back] = m == 1 ? n : m;
  }
  return true;
}

Constant combined(const Constant& a, const Constant& b, Type type,
                  const std::function<double(double, double)>& f) {
  Constant to;
  to.type = type;
  broadcast(a.dims, b.dims, to.dims);
  const Layout layout = plain_layout(to.dims);
  const std::vector<size_t> in_a = places_in(a.dims, layout, to.dims);
  const std::vector<size_t> in_b = places_in(b.dims, layout, to.dims);
  for (size_t i = 0; i < in_a.size(); ++i) {
    const double v = f(a.data[in_a[i]], b.data[in_b[i]]);
    to.data.push_back(is_integer(type) ? wrapped(type, std::trunc(v)) : v);
  }
  return to;
}

Constant expanded(const Constant& c, const Dims& to) {
  return combined(c, {c.type, to, std::vector<double>(static_cast<size_t>(size_of(to)), 0)}, c.type,
                  [](double v, double) { return v; });
}

Constant permuted(const Constant& c, const std::vector<int>& order) {
  Constant to{c.type, {}, {}};
  for (const int axis : order) to.dims.push_back(c.dims[static_cast<size_t>(axis)]);
  for (const size_t i : places_in(c.dims, layout_in(order, c.dims), c.dims))
    to.data.push_back(c.data[i]);
  to.scale = c.scale;
  while (to.axis < order.size() && order[to.axis] != static_cast<int>(c.axis)) ++to.axis;
  return to;
}

Constant taken(const Constant& c, size_t axis, const std::vector<int64_t>& indices) {
  Constant to{c.type, c.dims, {}};
  to.dims[axis] = static_cast<int64_t>(indices.size());
  const auto length = static_cast<size_t>(c.dims[axis]);
  size_t inner = 1;
  for (size_t i = axis + 1; i < c.dims.size(); ++i) inner *= static_cast<size_t>(c.dims[i]);
  for (size_t outer = 0; outer * length * inner < c.data.size(); ++outer)
    for (const int64_t index : indices) {
      const auto from =
          static_cast<std::ptrdiff_t>((outer * length + static_cast<size_t>(index)) * inner);
      to.data.insert(to.data.end(), c.data.begin() + from,
                     c.data.begin() + from + static_cast<std::ptrdiff_t>(inner));
    }
  return to;
}

Constant joined(const std::vector<const Constant*>& parts, size_t axis) {
  Constant to{parts[0]->type, parts[0]->dims, {}};
  to.dims[axis] = 0;
  size_t outer = 1;
  for (size_t i = 0; i < axis; ++i) outer *= static_cast<size_t>(to.dims[i]);
  for (const Constant* part : parts) to.dims[axis] += part->dims[axis];
  for (size_t i = 0; i < outer; ++i)
    for (const Constant* part : parts) {
      const auto length = static_cast<std::ptrdiff_t>(part->data.size() / outer);
      const auto from = part->data.begin() + static_cast<std::ptrdiff_t>(i) * length;
      to.data.insert(to.data.end(), from, from + length);
    }
  return to;
}

}  // namespace nnomc::onnx
