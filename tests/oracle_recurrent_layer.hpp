/// \file
/// Layers of recurrent cells, plainly, from their first run: for real values and for stored ones.
#pragma once

#include <vector>

#include "compiler/graph.hpp"
#include "compiler/quantise/quantisation.hpp"

namespace nnomc::oracle {

/// `in` are the sequence, then the states that are given.
template <class Cell>
std::vector<double> recurrent_layer(const nnom::RecurrentLayer<Cell>& op, const Node& node,
                                    const std::vector<std::vector<double>>& in);

/// `in` are relative to their zero points.
template <class Cell>
std::vector<int> stored_recurrent_layer(const nnom::RecurrentLayer<Cell>& op, const Node& node,
                                        const NodeScales& scales,
                                        const std::vector<std::vector<int64_t>>& in);

}  // namespace nnomc::oracle
