/// \file
/// A network ready to run: its numbers decided, its constants packed, its memory planned.
#pragma once

#include <span>
#include <vector>

#include "compiler/graph.hpp"
#include "compiler/op_table.hpp"
#include "compiler/plan/plan.hpp"
#include "nnom/model.hpp"

namespace nnomc {

struct Program {
  Graph graph;
  Numbers numbers;                    ///< what is common to all nodes
  std::vector<Numbers> node_numbers;  ///< of each node
  std::vector<Quantisation> scales;   ///< of each tensor; of no meaning for floats
  std::vector<NodeData> data;         ///< of each node
  Plan plan;
  bool per_channel = true;  ///< weights have a scale for each output channel

  /// Bytes of constants: weights, biases, rescales and tables.
  int64_t weights_bytes() const;
  /// Whether the output of `node` is in memory, all of it, when it has run: not between nodes that
  /// run in turns.
  bool keeps_output(size_t node) const;
};

/// The quantisation of an input or output as the board has it. It rounds as the program's reference
/// does: ONNX, or the TensorFlow Lite of its dialect.
nnom::Quantisation board_quantisation(const Program& program, int tensor);
/// A value of `tensor` of a quantised program as a board stores it.
int stored_value(const Program& program, int tensor, float value);
/// Writes the values of `tensor` as the program stores them: quantised as on the board, or floats.
void store(const Program& program, int tensor, std::span<const float> values,
           std::span<unsigned char> to);
/// What a variable holds before the first run, as the program stores it.
std::vector<unsigned char> initial_bytes(const Program& program, const Variable& variable);
/// The real values of `tensor` from its bytes.
std::vector<float> load(const Program& program, int tensor, std::span<const unsigned char> bytes);

/// How the weights are quantised and packed, and the memory laid out.
struct Lowering {
  Numbers numbers;
  bool per_channel = true;
  bool separate = false;  ///< every tensor in memory of its own
  bool reorder = false;   ///< layers may run in another order where that takes a smaller arena
  MemoryLimits limits{};
  Kernels kernels = Kernels::own;  ///< for nodes that those have a function for
};

/// Quantises (with `scales`, or the graph's own) and packs the constants and plans the memory.
Program lower(Graph graph, std::vector<Quantisation> scales, const Lowering& lowering);

/// The reference: real numbers, summed in double.
Program lower_float(Graph graph);

}  // namespace nnomc
