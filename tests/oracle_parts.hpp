/// \file
/// What the oracle for real values and that for stored ones share: windows, sums, moves.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <vector>

#include "compiler/graph.hpp"

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

template <class T>
T sum_of(const std::vector<T>& values) {
  T sum = 0;
  for (const T v : values) sum += v;
  return sum;
}

/// Ops that only move values; a border is `zero`.
template <class T>
struct Moves {
  const Graph& graph;
  const Node& node;
  const Tensors<T>& in;
  T zero;

  std::vector<T> operator()(const nnom::Pad& op) const {
    std::vector<T> out;
    for_outputs(op, [&](int oy, int ox, int c) {
      const int y = oy - op.pad.top, x = ox - op.pad.left;
      const bool inside = y >= 0 && y < op.in.h && x >= 0 && x < op.in.w;
      out.push_back(inside ? in[0][place(op.in, y, x, c)] : zero);
    });
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

inline std::vector<double> softmax(const std::vector<double>& x, size_t length) {
  std::vector<double> out;
  for (size_t begin = 0; begin < x.size(); begin += length) {
    const auto first = x.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last = first + static_cast<std::ptrdiff_t>(length);
    const double top = *std::max_element(first, last);
    double sum = 0;
    for (auto i = first; i != last; ++i) sum += std::exp(*i - top);
    for (auto i = first; i != last; ++i) out.push_back(std::exp(*i - top) / sum);
  }
  return out;
}

/// What max pooling gives for a window without values is not defined; none has such.
template <class T>
T largest(const std::vector<T>& v) {
  return *std::max_element(v.begin(), v.end());
}

}  // namespace nnomc::oracle
