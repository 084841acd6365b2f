/// \file
/// What `nnom compare` reports.
#pragma once

#include <string>
#include <vector>

#include "compiler/quantise/compare.hpp"

namespace nnomc {

/// The layers, the worst first, and what the columns mean.
std::string comparison_text(const Program& program, const std::vector<LayerError>& errors,
                            std::size_t width);

}  // namespace nnomc
