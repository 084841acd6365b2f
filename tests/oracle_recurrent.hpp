/// \file
/// Recurrent layers, plainly, from their first run: for real values and for stored ones.
#pragma once

#include <vector>

#include "compiler/graph.hpp"
#include "compiler/numbers.hpp"
#include "compiler/quantise/quantisation.hpp"

namespace nnomc::oracle {

std::vector<double> lstm(const nnom::Lstm& op, const Node& node, const std::vector<double>& in);
std::vector<double> svdf(const nnom::Svdf& op, const Node& node, const std::vector<double>& in);

/// Of nodes that are not stored quantised. `in` is relative to its zero point.
std::vector<int> stored_lstm(const nnom::Lstm& op, const Node& node, const NodeScales& scales,
                             Rounding rounding, const std::vector<int64_t>& in);
std::vector<int64_t> stored_svdf(const nnom::Svdf& op, const Node& node, const NodeScales& scales,
                                 Rounding rounding, const std::vector<int64_t>& in);

}  // namespace nnomc::oracle
