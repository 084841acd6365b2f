/// \file
/// What oracles need of tensors of any shape: places, broadcasting, groups of values.
#pragma once

#include <vector>

#include "compiler/graph.hpp"

namespace nnomc::oracle {

using Index = std::vector<int>;

/// The place along each axis of element `i`.
inline Index index_of(const Shape& s, int i) {
  Index index(static_cast<size_t>(s.rank));
  for (int axis = s.rank - 1; axis >= 0; i /= s[axis--])
    index[static_cast<size_t>(axis)] = i % s[axis];
  return index;
}

inline size_t element_of(const Shape& s, const Index& index) {
  int element = 0;
  for (int axis = 0; axis < s.rank; ++axis)
    element = element * s[axis] + index[static_cast<size_t>(axis)];
  return static_cast<size_t>(element);
}

/// The element of a tensor of shape `s`, broadcast to `out`, that is seen at `index`.
inline size_t broadcast_element(const Shape& s, const Index& index) {
  Index own;
  for (int axis = 0; axis < s.rank; ++axis) {
    const size_t from = index.size() - static_cast<size_t>(s.rank - axis);
    own.push_back(s[axis] == 1 ? 0 : index[from]);
  }
  return element_of(s, own);
}

/// The values of each operand of an elementwise node at each element of its output. `constant` are
/// those of the operand that is one.
template <class T>
std::vector<std::vector<T>> operands(const Graph& graph, const Node& node, const auto& op,
                                     const std::vector<std::vector<T>>& inputs,
                                     const std::vector<T>& constant) {
  const Shape& out = graph.shape(node.output);
  std::vector<std::vector<T>> x(static_cast<size_t>(out.size()));
  size_t input = 0;
  for (int k = 0; k < op.max_inputs; ++k) {
    const bool own = k == op.constant;
    const Shape& s = own ? op.constant_shape : graph.shape(node.inputs[input]);
    const std::vector<T>& values = own ? constant : inputs[input];
    for (int i = 0; i < out.size(); ++i)
      x[static_cast<size_t>(i)].push_back(values[broadcast_element(s, index_of(out, i))]);
    input += !own;
  }
  return x;
}

/// The values that each element of a reduction's output is made of.
template <class T>
std::vector<std::vector<T>> groups(const Graph& graph, const Node& node, const auto& op,
                                   const std::vector<T>& in) {
  const Shape &from = graph.shape(node.inputs[0]), &to = graph.shape(node.output);
  std::vector<std::vector<T>> g(static_cast<size_t>(to.size()));
  for (int i = 0; i < from.size(); ++i) {
    Index target;
    for (int axis = 0; axis < from.rank; ++axis) {
      if (!op.axes[axis]) target.push_back(index_of(from, i)[static_cast<size_t>(axis)]);
      if (op.axes[axis] && op.keep) target.push_back(0);
    }
    g[element_of(to, target)].push_back(in[static_cast<size_t>(i)]);
  }
  return g;
}

/// Sums of products of two tensors' matrices.
template <class T>
std::vector<T> matrix_product(const Graph& graph, const Node& node, const nnom::MatMul& op,
                              const std::vector<T>& a, const std::vector<T>& b) {
  const Shape& out = graph.shape(node.output);
  const Shape s[2] = {graph.shape(node.inputs[0]), graph.shape(node.inputs[1])};
  const auto value = [&](int input, Index index, int row, int column) {
    if (op.transposed[input]) std::swap(row, column);
    Shape batch = s[input];  // its matrices as one element
    batch.rank -= 2;
    index.resize(index.size() - 2);
    const size_t rows = static_cast<size_t>(s[input][batch.rank]);
    const size_t columns = static_cast<size_t>(s[input][batch.rank + 1]);
    return (input
                ? b
                : a)[(broadcast_element(batch, index) * rows + static_cast<size_t>(row)) * columns +
                     static_cast<size_t>(column)];
  };
  const int depth = s[0][s[0].rank - (op.transposed[0] ? 2 : 1)];
  std::vector<T> result;
  for (int i = 0; i < out.size(); ++i) {
    const Index index = index_of(out, i);
    T sum = 0;
    for (int k = 0; k < depth; ++k)
      sum += value(0, index, *(index.end() - 2), k) * value(1, index, k, index.back());
    result.push_back(sum);
  }
  return result;
}

}  // namespace nnomc::oracle
