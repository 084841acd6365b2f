/// \file
/// The runtime's list of ops as a table of functions, so that nothing else switches on op types.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "compiler/graph.hpp"
#include "compiler/numbers.hpp"
#include "compiler/quantise/quantisation.hpp"

namespace nnomc {

/// An array of constants: weights, biases, rescales or a table.
struct Blob {
  std::string field;  ///< of the op's data
  const void* data = nullptr;
  size_t count = 0, bytes = 0;
  std::string type;  ///< of an element, in C++
  std::shared_ptr<const void> owner;
  std::string (*text)(const void* data, size_t count) = nullptr;  ///< its elements, in C++
};

/// A node's Op::Data<Numbers>, and the arrays it points into.
struct NodeData {
  std::shared_ptr<void> value;
  std::vector<Blob> blobs;
};

/// Where a node's tensors lie in the arena, in bytes.
struct NodePlace {
  std::vector<int> in;
  int out = 0, scratch = 0, state = 0;
  std::vector<int> in_ring{};  ///< rows that there is room for (nnom::Place); empty: all
  int out_ring = 0;
};

/// What the compiler can ask of an op.
struct OpInfo {
  const char* name;  ///< as in the runtime
  int min_inputs, max_inputs;
  bool linear;         ///< multiplies by weights, packed for the target
  bool same_scale;     ///< its output has the scale and zero point of its input
  bool alias;          ///< its output is its input's memory
  bool scales_itself;  ///< when it runs, so that no layer can read its output
  bool clamps;         ///< can limit its output's range
  bool real_only;      ///< has no quantised arithmetic
  bool long_sums;      ///< takes sums of 64 bits in int16

  nnom::Inferred (*infer)(Op&, const Shape* inputs, int count);
  int64_t (*macs)(const Op&);
  size_t (*weights)(const Op&);   ///< number of weights, or other constants, it wants
  size_t (*channels)(const Op&);  ///< number of biases it wants
  nnom::Memory (*memory)(const Op&, const Numbers&);
  /// Quantises (or just packs) a node's constants.
  NodeData (*data)(const Node&, const Numbers&, const NodeScales&);
  /// Its fields, data (naming arrays by `prefix` + field) and buffers as C++ initialisers.
  std::string (*op_text)(const Op&);
  std::string (*data_text)(const NodeData&, const Numbers&, const std::string& prefix);
  std::string (*buffers_text)(const Op&, const NodePlace&);
  /// Rows of output it can run one by one, in turns with others; 0: it can't. The rows [first,
  /// second) of its inputs that row y is made from.
  int (*turns)(const Op&);
  std::pair<int, int> (*reads)(const Op&, int y);
};

const OpInfo& info(const Op& op);

/// Where the weights of one output channel of a linear node lie in its `weights`.
struct ChannelWeights {
  size_t begin = 0, count = 0, step = 1;

  /// Place of weight k.
  size_t operator[](size_t k) const { return begin + k * step; }
};
ChannelWeights channel_weights(const Node& node, size_t channel);

}  // namespace nnomc
