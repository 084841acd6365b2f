/// \file
/// What a memory plan places: blocks of bytes that live for a while.
#pragma once

#include <cstddef>
#include <vector>

#include "compiler/graph.hpp"
#include "compiler/numbers.hpp"

namespace nnomc {

/// Who makes and who reads each tensor of a graph.
struct Flow {
  explicit Flow(const Graph& graph);

  std::vector<int> producer;              ///< node; -1 for an input or a variable
  std::vector<std::vector<int>> readers;  ///< nodes, each once
};

/// Blocks `before` and `after` may overlap if before's offset - after's offset >= lead, or == lead
/// if `exact`.
struct Overlap {
  size_t before = 0, after = 0;
  int lead = 0;
  bool exact = false;
};

/// A piece of the arena, needed while nodes [first, last] run.
struct Block {
  int bytes = 0, first = 0, last = 0;
  bool kept = false;                ///< until the next run
  std::vector<Overlap> overlaps{};  ///< those it has a part in
};

/// Bytes by which `v` lessens what its two blocks take together.
int saved_by(const Overlap& v, const std::vector<Block>& blocks);

/// The blocks of a graph.
struct Blocks {
  std::vector<Block> all;
  std::vector<size_t> of_tensor;  ///< block of each tensor; aliases share one
  std::vector<int> of_scratch;    ///< block of each node's scratch, or -1
  std::vector<int> of_state;      ///< block of each node's state, or -1
};

struct Turns;

/// The blocks of `graph`, whose nodes run in the order they stand in, but for those in `turns`, and
/// which may lie over each other. `separate`: all live at all times.
Blocks blocks_of(const Graph& graph, const Numbers& numbers, const Turns& turns, bool separate);

/// The node during which the most bytes live, overlaps taken off, and how many.
struct Peak {
  int bytes = 0, node = -1;
};
Peak peak_of(const std::vector<Block>& blocks, int nodes);

}  // namespace nnomc
