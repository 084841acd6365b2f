/// \file
/// Inputs and outputs of models in the order of axes that their file has.
#pragma once

#include <vector>

#include "compiler/graph.hpp"

namespace nnomc {

/// For each element of tensors[i], in the order of the file, its place in the tensor.
inline std::vector<size_t> places(const Graph& graph, const std::vector<int>& tensors,
                                  const std::vector<std::vector<int>>& orders, size_t i) {
  const Shape shape = graph.shape(tensors[i]), file = in_file_order(shape, orders, i);
  const std::vector<int> order = i < orders.size() ? orders[i] : std::vector<int>{};
  std::vector<size_t> found;
  for (int k = 0; k < file.size(); ++k) {
    int place = 0;
    for (int axis = file.rank, rest = k; axis-- > 0; rest /= file[axis]) {
      int step = 1;  // along that axis of the tensor
      for (int a = (order.empty() ? axis : order[static_cast<size_t>(axis)]) + 1; a < shape.rank;
           ++a)
        step *= shape[a];
      place += rest % file[axis] * step;
    }
    found.push_back(static_cast<size_t>(place));
  }
  return found;
}

}  // namespace nnomc
