/// \file
/// What the oracle for real values and that for stored ones share: windows, sums, moves.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <vector>

#include "compiler/graph.hpp"
#include "tests/oracle_shapes.hpp"

namespace nnomc::oracle {

template <class T>
using Tensors = std::vector<std::vector<T>>;

inline size_t at(int i) { return static_cast<size_t>(i); }
inline size_t place(const nnom::Image& p, int y, int x, int c) {
  return at((y * p.w + x) * p.c + c);
}

/// Calls visit(y, x, tap) for every tap of output pixel (oy, ox) that lies inside the input.
void for_taps(const auto& op, int oy, int ox, auto visit) {
  for (int ky = 0; ky < op.kernel.h; ++ky)
    for (int kx = 0; kx < op.kernel.w; ++kx) {
      const int y = oy * op.stride.h + ky * op.dilation.h - op.pad.top;
      const int x = ox * op.stride.w + kx * op.dilation.w - op.pad.left;
      if (y >= 0 && y < op.in.h && x >= 0 && x < op.in.w) visit(y, x, ky * op.kernel.w + kx);
    }
}

/// Calls visit(oy, ox, o) for every output element, in order.
void for_outputs(const auto& op, auto visit) {
  for (int oy = 0; oy < op.out.h; ++oy)
    for (int ox = 0; ox < op.out.w; ++ox)
      for (int o = 0; o < op.out.c; ++o) visit(oy, ox, o);
}

/// The sums of products of a layer with weights, without bias. `T` is exact: double or int64_t.
/// Inputs are relative to their zero, so a border adds nothing.
template <class T>
struct Products {
  const std::vector<T>&in, &weights;

  std::vector<T> operator()(const nnom::Conv2D& op) const {
    std::vector<T> out;
    const int filters = op.out.c / op.groups, channels = op.in.c / op.groups;
    for_outputs(op, [&](int oy, int ox, int o) {
      T sum = 0;
      for_taps(op, oy, ox, [&](int y, int x, int tap) {
        for (int c = 0; c < channels; ++c)
          sum += in[place(op.in, y, x, o / filters * channels + c)] *
                 weights[at((o * op.kernel.size() + tap) * channels + c)];
      });
      out.push_back(sum);
    });
    return out;
  }
  std::vector<T> operator()(const nnom::DepthwiseConv2D& op) const {
    std::vector<T> out;
    for_outputs(op, [&](int oy, int ox, int o) {
      T sum = 0;
      for_taps(op, oy, ox, [&](int y, int x, int tap) {
        sum += in[place(op.in, y, x, o)] * weights[at(tap * op.out.c + o)];
      });
      out.push_back(sum);
    });
    return out;
  }
  std::vector<T> operator()(const nnom::TransposeConv2D& op) const {
    std::vector<T> out(at(op.out.size()));
    for (int y = 0; y < op.in.h; ++y)
      for (int x = 0; x < op.in.w; ++x)
        for_outputs(op, [&](int oy, int ox, int o) {
          const int ky = oy + op.pad.top - y * op.stride.h;
          const int kx = ox + op.pad.left - x * op.stride.w;
          if (ky < 0 || ky >= op.kernel.h || kx < 0 || kx >= op.kernel.w) return;
          for (int c = 0; c < op.in.c; ++c)
            out[place(op.out, oy, ox, o)] +=
                in[place(op.in, y, x, c)] *
                weights[at(((o * op.kernel.h + ky) * op.kernel.w + kx) * op.in.c + c)];
        });
    return out;
  }
  std::vector<T> operator()(const nnom::Dense& op) const {
    std::vector<T> out;
    for (int o = 0; o < op.out; ++o) {
      T sum = 0;
      for (int i = 0; i < op.in; ++i) sum += in[at(i)] * weights[at(o * op.in + i)];
      out.push_back(sum);
    }
    return out;
  }
  std::vector<T> operator()(const auto&) const { return {}; }
};

/// Ops that take their output from the values in a window, channel by channel: end(values).
template <class T>
std::vector<T> pooled(const auto& op, const std::vector<T>& in,
                      const std::function<T(const std::vector<T>&)>& end) {
  std::vector<T> out;
  for_outputs(op, [&](int oy, int ox, int c) {
    std::vector<T> values;
    for_taps(op, oy, ox, [&](int y, int x, int) { values.push_back(in[place(op.in, y, x, c)]); });
    out.push_back(end(values));
  });
  return out;
}

/// What max pooling gives for a window without values is not defined; none has such.
template <class T>
T largest(const std::vector<T>& v) {
  return *std::max_element(v.begin(), v.end());
}

template <class T>
T sum_of(const std::vector<T>& values) {
  T sum = 0;
  for (const T v : values) sum += v;
  return sum;
}

/// The place of the first or last of the largest or smallest values along an axis.
template <class T>
std::vector<int> places(const Graph& graph, const Node& node, const nnom::ArgMax& op,
                        const std::vector<T>& in) {
  const Shape &from = graph.shape(node.inputs[0]), &to = graph.shape(node.output);
  std::vector<int> out;
  for (int i = 0; i < to.size(); ++i) {
    Index index = index_of(to, i);
    std::vector<T> values;
    for (int& k = index[at(op.axis)]; k < from[op.axis]; ++k)
      values.push_back(in[element_of(from, index)]);
    const T best = op.smallest ? *std::min_element(values.begin(), values.end()) : largest(values);
    out.push_back(static_cast<int>(
        op.last ? values.rend() - std::find(values.rbegin(), values.rend(), best) - 1
                : std::find(values.begin(), values.end(), best) - values.begin()));
  }
  return out;
}

/// Ops that only move values; a constant border is `value`.
template <class T>
struct Moves {
  const Graph& graph;
  const Node& node;
  const Tensors<T>& in;
  T value;

  std::vector<T> operator()(const nnom::Pad& op) const {
    const Shape from = graph.shape(node.inputs[0]), to = graph.shape(node.output);
    std::vector<T> out;
    for (int i = 0; i < to.size(); ++i) {
      Index index = index_of(to, i);
      bool inside = true;
      for (int axis = 0; axis < to.rank; ++axis) {
        int& k = index[at(axis)];
        k -= op.before[axis];
        inside &= k >= 0 && k < from[axis];
        if (op.mode == nnom::Beyond::reflect && k < 0) k = -k;
        if (op.mode == nnom::Beyond::reflect && k >= from[axis]) k = 2 * (from[axis] - 1) - k;
        if (op.mode == nnom::Beyond::symmetric && k < 0) k = -1 - k;
        if (op.mode == nnom::Beyond::symmetric && k >= from[axis]) k = 2 * from[axis] - 1 - k;
        if (op.mode == nnom::Beyond::edge) k = std::clamp(k, 0, from[axis] - 1);
      }
      const bool fill = op.mode == nnom::Beyond::constant && !inside;
      out.push_back(fill ? value : in[0][element_of(from, index)]);
    }
    return out;
  }
  std::vector<T> operator()(const nnom::Slice& op) const {
    const Shape from = graph.shape(node.inputs[0]), to = graph.shape(node.output);
    std::vector<T> out;
    for (int i = 0; i < to.size(); ++i) {
      Index index = index_of(to, i);
      for (int axis = 0; axis < to.rank; ++axis)
        index[at(axis)] = op.begin[axis] + index[at(axis)] * op.step[axis];
      out.push_back(in[0][element_of(from, index)]);
    }
    return out;
  }
  std::vector<T> operator()(const nnom::Gather& op) const {
    const Shape from = graph.shape(node.inputs[0]), to = graph.shape(node.output);
    std::vector<T> out;
    for (int i = 0; i < to.size(); ++i) {
      const Index index = index_of(to, i);
      const auto first = index.begin() + op.axis, last = first + op.indices.rank;
      Index source(index.begin(), first);
      source.push_back(static_cast<int>(node.weights[element_of(op.indices, Index(first, last))]));
      source.insert(source.end(), last, index.end());
      out.push_back(in[0][element_of(from, source)]);
    }
    return out;
  }
  std::vector<T> operator()(const nnom::Reshape&) const { return in[0]; }
  std::vector<T> operator()(const nnom::Transpose& op) const {
    const Shape from = graph.shape(node.inputs[0]), to = graph.shape(node.output);
    std::vector<T> out;
    for (int i = 0; i < to.size(); ++i) {
      std::array<int, 6> index{};  // by axis of the input
      for (int axis = to.rank - 1, rest = i; axis >= 0; rest /= to[axis--])
        index[at(op.order[axis])] = rest % to[axis];
      int source = 0;
      for (int axis = 0; axis < from.rank; ++axis) source = source * from[axis] + index[at(axis)];
      out.push_back(in[0][at(source)]);
    }
    return out;
  }
  std::vector<T> operator()(const nnom::Concat& op) const {
    const Shape to = graph.shape(node.output);
    int inner = 1;
    for (int axis = op.axis + 1; axis < to.rank; ++axis) inner *= to[axis];
    std::vector<T> out;
    for (int i = 0; i < to.size(); ++i) {
      int along = i / inner % to[op.axis];
      const int outer = i / inner / to[op.axis];
      size_t k = 0;
      for (; along >= graph.shape(node.inputs[k])[op.axis]; ++k)
        along -= graph.shape(node.inputs[k])[op.axis];
      const int length = graph.shape(node.inputs[k])[op.axis];
      out.push_back(in[k][at((outer * length + along) * inner + i % inner)]);
    }
    return out;
  }
  std::vector<T> operator()(const auto&) const { return {}; }
};

inline std::vector<double> softmax(const nnom::Softmax& op, std::vector<double> x, size_t length) {
  for (double& v : x) v *= static_cast<double>(op.beta);
  std::vector<double> out;
  for (size_t begin = 0; begin < x.size(); begin += length) {
    const auto first = x.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last = first + static_cast<std::ptrdiff_t>(length);
    const double top = *std::max_element(first, last);
    double sum = 0;
    for (auto i = first; i != last; ++i) sum += std::exp(*i - top);
    for (auto i = first; i != last; ++i)
      out.push_back(op.log ? *i - top - std::log(sum) : std::exp(*i - top) / sum);
  }
  return out;
}

/// Where an output pixel of Resize lies between two of the input, along one axis. `T`: places are
/// computed in double for linear interpolation, in float for nearest pixels, which depend on it.
struct Between {
  int from = 0, to = 0;
  double fraction = 0;
};
template <class T>
double resized_place(const nnom::Resize& op, int i, int in, int out, float ratio) {
  using nnom::Coordinate;
  const T scale = ratio > 0 ? static_cast<T>(ratio) : static_cast<T>(in) / static_cast<T>(out);
  const auto x = static_cast<T>(i);
  if (op.coordinate == Coordinate::asymmetric) return static_cast<double>(x * scale);
  if (op.coordinate == Coordinate::align_corners)
    return out > 1 ? static_cast<double>(x * (static_cast<T>(in - 1) / static_cast<T>(out - 1)))
                   : 0;
  if (op.coordinate == Coordinate::pytorch_half_pixel && out == 1) return 0;
  constexpr T half = static_cast<T>(0.5);
  return static_cast<double>((x + half) * scale - half);
}
inline Between between(const nnom::Resize& op, int i, int in, int out, float ratio) {
  using nnom::Interpolation;
  if (op.interpolation != Interpolation::linear) {
    const double place = resized_place<float>(op, i, in, out, ratio);
    const double down = std::floor(place), rest = place - down;
    const bool up = op.interpolation == Interpolation::ceil                 ? rest > 0
                    : op.interpolation == Interpolation::round_prefer_floor ? rest > 0.5
                    : op.interpolation == Interpolation::round_prefer_ceil  ? rest >= 0.5
                                                                            : false;
    const int nearest = std::clamp(static_cast<int>(down) + up, 0, in - 1);
    return {nearest, nearest, 0};
  }
  const double place = resized_place<double>(op, i, in, out, ratio);
  if (place <= 0) return {};
  if (place >= in - 1) return {in - 1, in - 1, 0};
  const int down = static_cast<int>(place);
  return {down, down + 1, place - down};
}

/// Whether a and b are in a relation.
template <class T>
bool compared(nnom::Relation relation, T a, T b) {
  const int order = a < b ? -1 : a > b ? 1 : 0;
  switch (relation) {
    case nnom::Relation::equal:
      return order == 0;
    case nnom::Relation::not_equal:
      return order != 0;
    case nnom::Relation::less:
      return order < 0;
    case nnom::Relation::less_equal:
      return order <= 0;
    case nnom::Relation::greater:
      return order > 0;
    case nnom::Relation::greater_equal:
      return order >= 0;
  }
  return false;
}

}  // namespace nnomc::oracle
