/// \file
/// Calls kernels directly: any rows, any memory, windows on longer tensors.
#pragma once

#include <climits>
#include <cstddef>
#include <vector>

#include "compiler/op_table.hpp"

namespace nnomc {

/// The rows of a tensor, as nnom::View has them; `base` is where row 0 would lie.
struct Rows {
  const void* base = nullptr;
  int wrap = INT_MAX, ring = 0;
};

struct RowsCall {
  std::vector<Rows> in;
  Rows out;
  unsigned char* scratch = nullptr;
  unsigned char* state = nullptr;
  int y0 = 0, y1 = 0;  ///< rows of output wanted
  bool tiles = false;  ///< see runs_in_tiles()
};

/// Whether target/tiles.hpp has loops of its own for a layer.
bool runs_in_tiles(const Op& op, const Numbers& numbers);

/// Runs the kernel of `op` with the reference target, or in the tiles of RISC-V, whose code is
/// plain C++; state is reset before.
void run_kernel_rows(const Op& op, const Numbers& numbers, const NodeData& data,
                     const RowsCall& call);

/// Rows an op's output has; 1 where it can only be had as a whole.
int output_rows(const Op& op);
/// Elements from one row to the next.
int input_pitch(const Op& op);
int output_pitch(const Op& op);

/// The rows of input, [first, second), that rows [y0, y1) of the output are made from.
std::pair<int, int> input_rows(const Op& op, int y0, int y1);

}  // namespace nnomc
