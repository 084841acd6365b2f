/// \file
/// The compiler's picture of a network: tensors, and nodes that make one from others.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "compiler/quantise/quantisation.hpp"
#include "nnom/ops.hpp"

namespace nnomc {

using nnom::Shape;

/// Any op of the runtime, with its geometry.
using Op = nnom::Ops<std::variant>;

/// A value that flows through the network: channels last, without its batch axis.
struct Tensor {
  std::string name;
  Shape shape;
  std::optional<Quantisation> quantisation{};  ///< where the model file decides it
};

/// The range a node's output is limited to: its activation, folded in.
struct Range {
  float lo = -std::numeric_limits<float>::infinity();
  float hi = std::numeric_limits<float>::infinity();

  bool all() const { return lo == -hi && hi == std::numeric_limits<float>::infinity(); }
};

/// How the file of a quantised model stores a node's constants: weights are `scale[channel]`
/// times an integer (one scale may serve all channels), biases are in units of the input's scale
/// times the weights'.
struct StoredWeights {
  /// The layer of TFLite's they are from, whose kernels differ where activations are int16: a
  /// convolution, a FULLY_CONNECTED, or one with biases of 32 bits. `twice`: one that XNNPACK
  /// doesn't take.
  enum class Kernel { convolution, dense, dense_32, twice };

  std::vector<float> scale;
  std::vector<int64_t> bias;
  int zero = 0;  ///< of a constant operand, or one that `weights` are already relative to
  /// Of a recurrent node, whose `scale` has one entry for each matrix. Lstm: of its hidden state,
  /// of its cell (a power of two), and of the product that becomes the hidden state. Svdf: of its
  /// memory.
  std::vector<Quantisation> inner{};
  Kernel kernel = Kernel::convolution;
};

/// The user's C++ function that a Lambda node calls.
struct Hook {
  std::string function;  ///< its name, in namespace hooks
  std::string layer{};   ///< the layer's, as the file has it
  /// What it can look at, as members of a struct: "float alpha = 0.5f".
  std::vector<std::string> parameters{};
  /// Weights of the layer, among the node's: their shapes, one after the other.
  std::vector<Shape> weights{};
  /// Compiled for this computer, for each type that tensors are stored in; null before
  /// load_hooks().
  nnom::Hook<float> on_float = nullptr;
  nnom::Hook<int8_t> on_int8 = nullptr;
  nnom::Hook<int16_t> on_int16 = nullptr;
  std::shared_ptr<const void> keep{};  ///< what they need

  bool has_parameters() const { return !parameters.empty() || !weights.empty(); }
};

/// Whose kernel runs a node on the board: NNoM's, or CMSIS-NN's, as it is built for cores without
/// the DSP extension, with it, or with Helium.
enum class Kernels { own, cmsis_nn, cmsis_nn_dsp, cmsis_nn_helium };

/// One op. `weights` and `bias` are those of ops with nnom::Linear data, in the order the op's
/// comment gives; an empty bias is zero. Other ops have their constants in `weights`.
struct Node {
  std::string name;    ///< of the layer it comes from
  std::string source;  ///< class of the layer it comes from
  Op op;
  std::vector<int> inputs;  ///< tensors
  int output = -1;          ///< tensor
  std::vector<float> weights{}, bias{};
  Range range{};
  std::optional<StoredWeights> stored{};  ///< in quantised models
  /// Of a recurrent layer: the largest magnitudes of what it keeps to itself, by its `shown`; 0
  /// where nobody needs them (measure_states).
  std::vector<float> inner{};
  std::optional<Hook> hook{};  ///< of a Lambda
  Kernels kernels = Kernels::own;
};

/// A tensor that keeps its content from one run to the next.
struct Variable {
  int tensor = -1;               ///< no node makes it: it holds what `next` was in the last run
  int next = -1;                 ///< -1: it stays as it is
  std::vector<float> initial{};  ///< before the first run
};

/// A network with real numbers. Nodes stand in an order in which they can run.
struct Graph {
  std::string file;  ///< where it came from, for messages
  std::string name;
  std::vector<Tensor> tensors;
  std::vector<Node> nodes;
  std::vector<int> inputs, outputs;  ///< tensors
  /// For each input and output whose axes the file has in another order (channels first): axis i
  /// of the file's is axis order[i] of the tensor. Empty where they agree; may be left out for all.
  std::vector<std::vector<int>> input_order, output_order;
  std::vector<Variable> variables{};
  Reference reference = Reference::tflite;  ///< of a quantised graph
  /// Why a graph of real numbers came of a file that quantises some tensors; else empty.
  std::string partly{};
  std::string hooks{};  ///< path of the header with the functions of Lambda nodes; empty: none yet

  /// Adds an input; returns its tensor.
  int add_input(std::string tensor_name, const Shape& shape);

  /// Adds `node` at the end, works out its output's shape, and returns the output's tensor (and
  /// sets node.output). Throws an Error that names the file, the layer and its class where the
  /// inputs' shapes don't fit, where the weights' number doesn't, or where a weight isn't finite.
  int add(Node node);

  const Shape& shape(int tensor) const { return tensors[static_cast<size_t>(tensor)].shape; }
  /// Adds a variable without a `next`; returns its tensor.
  int add_variable(std::string tensor_name, const Shape& shape, std::vector<float> initial);

  /// Index of the node that makes `tensor`, or -1 for an input or a variable.
  int producer(int tensor) const;
  /// Indices of the nodes that read `tensor`, each once.
  std::vector<int> consumers(int tensor) const;
  bool is_variable(int tensor) const;
  /// Whether it is an output of the network, or becomes the content of a variable.
  bool is_output(int tensor) const;
  /// Index of the last node that reads the memory of `tensor`, -1 if none does.
  int last_reader(int tensor) const;
  /// Whether the file says how every tensor is quantised; a graph has all or none.
  bool quantised() const;
  int64_t macs() const;
  int64_t parameters() const;
};

/// `shape` with its axes in the order that the file has; `orders` is that of a graph's inputs or
/// outputs, and `index` one of them.
Shape in_file_order(const Shape& shape, const std::vector<std::vector<int>>& orders, size_t index);

/// "28 x 28 x 1"
std::string to_string(const Shape& shape);

}  // namespace nnomc
