/// \file
/// Offsets for blocks of memory.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/plan/blocks.hpp"

namespace nnomc {

inline constexpr int kAlign = 16;  ///< of every block: vectors and widened lines want it

struct Placement {
  std::vector<int> offset;  ///< of each block
  int64_t steps = 0;        ///< pairs of blocks looked at: the effort
};

/// Gives each block an offset, a multiple of kAlign, so that the highest end is low: the lowest
/// there is for a few blocks, a good one for many, and never searches beyond `bound`. What it finds
/// depends on its arguments only.
Placement place(const std::vector<Block>& blocks, int bound);

}  // namespace nnomc
