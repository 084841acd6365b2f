/// \file
/// The layers of Keras that can be imported: a table, and what its functions work with.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "compiler/graph.hpp"
#include "compiler/import/keras_model.hpp"
#include "compiler/import/onnx_layout.hpp"

namespace nnomc::keras {

using onnx::Dims;
using onnx::Layout;

/// A tensor of the graph as Keras sees it, where that is another order of axes than the tensor
/// has: Keras's shape, and where its elements lie.
struct View {
  Dims dims;
  Layout layout;
  bool operator==(const View&) const = default;
};

/// What all layers of one import share.
struct Session {
  const KerasFile& file;
  bool keras2;
  Graph graph{};
  std::unordered_map<std::string, int> names{};  ///< of nodes, and how often each was wanted
  size_t parameters = 0;
  std::unordered_map<int, View> views{};  ///< by tensor
  /// What tensors became that were brought to an order.
  std::map<std::pair<int, std::vector<int>>, int> arranged{};
};

/// How the operands of a call lie.
struct Arrangement {
  /// Axis i of the operands is axis order[i] of Keras's; empty: they are the same.
  std::vector<int> order{};
  int leading = 0;  ///< axes before those the layer knows of: 1 for a layer on each step of time
};

/// One call of a layer, for the function that makes nodes of it.
class LayerCall {
 public:
  /// An argument: a tensor of the graph, or a constant (then `tensor` is -1).
  struct Operand {
    std::string keyword;
    int tensor = -1;
    const Json* constant = nullptr;
  };

  /// `name` is that of the nodes; `layer` may be null for an activation that is a layer.
  LayerCall(Session& session, std::string name, Config fields, const Layer* layer,
            std::vector<Operand> arguments, Arrangement lie = {})
      : config(std::move(fields)),
        operands(std::move(arguments)),
        arrangement(std::move(lie)),
        session_(session),
        name_(std::move(name)),
        layer_(layer) {}

  const Config config;
  const std::vector<Operand> operands;
  const Arrangement arrangement;

  bool keras2() const { return session_.keras2; }
  const std::string& name() const { return name_; }
  const Layer* layer() const { return layer_; }
  Session& session() { return session_; }

  /// The only tensor it is called with.
  int input() const;
  /// input(), which must have `rank` axes besides the batch.
  int input_of_rank(int rank) const;
  std::vector<int> tensors() const;
  /// The axis of the operands, which have `rank`, that is Keras's axis `axis`.
  int place_of(int axis) const;
  /// place_of() the axis in field `key` of the configuration.
  int axis(std::string_view key, int otherwise, int rank) const;
  /// The same for a list of axes; a missing one is `otherwise`.
  std::vector<int> axes(std::string_view key, int otherwise, int rank) const;
  const Shape& shape(int tensor) const { return session_.graph.shape(tensor); }

  /// Variable `variable` of the layer, or of a part of it. Error if it isn't in the file or hasn't
  /// the shape.
  std::span<const float> weight(std::string_view variable, const std::vector<int>& dims,
                                std::string_view part = "") const;

  /// Adds a node called as the layer, with `suffix`; returns its output.
  int add(const Op& op, std::vector<int> inputs, std::string_view suffix = "",
          std::vector<float> weights = {}, std::vector<float> bias = {});

  int reshape(int tensor, const Shape& to, std::string_view suffix = "");
  /// Calls make(tensor) with the axis moved to the end, and moves it back in what that returns.
  int with_axis_last(int tensor, int axis, const std::string& suffix, auto make) {
    const int last = shape(tensor).rank - 1;
    if (axis == last) return make(tensor);
    nnom::Transpose swap;
    std::swap(swap.order[axis], swap.order[last]);
    const int made = make(add(swap, {tensor}, suffix + "/transpose"));
    return add(swap, {made}, suffix + "/transpose_back");
  }
  /// out = in * factor + offset, with a factor and an offset for each entry of the last axis.
  int scale(int tensor, std::vector<float> factors, std::vector<float> offsets,
            std::string_view suffix = "");

 private:
  Session& session_;
  std::string name_;
  const Layer* layer_;
};

/// A variable of a layer: its name, as in Keras 3, and whether training changes it.
struct Variable {
  std::string_view name;
  bool trained = true;
  std::string part = "";  ///< of the layer, that it belongs to: "forward_layer/cell"
};

/// What else is to be known of a layer; any of these together.
enum Trait : unsigned {
  /// Its axes may lie in any order: its function asks place_of() where one is.
  kAnyOrder = 1,
  /// Its input has channels, where "data_format" says; its function gets them last.
  kPicture = 2,
  /// Its function looks at views itself.
  kViews = 4,
  /// It takes one axis more before its own, each entry of which it treats alike.
  kFolds = 8,
  /// It does the same to each element alone.
  kEach = 16,
};

/// One row of the table.
struct LayerRow {
  std::string_view class_name;
  /// Adds the layer's nodes; returns its output.
  int (*add)(LayerCall&);
  /// The layer's variables, in the order Keras creates them; null: none.
  std::vector<Variable> (*variables)(const Config&) = nullptr;
  unsigned traits = 0;  ///< any of Trait
  /// Instead of `add`, of a layer that may have several outputs.
  std::vector<int> (*add_all)(LayerCall&) = nullptr;
  /// Nothing where it can be imported; else why not, as why_unsupported() says it.
  std::optional<std::string> (*why_not)(const Config&) = nullptr;
};

/// The row of a class, or nullptr.
const LayerRow* find_layer(std::string_view class_name);
/// That of a layer: what its class says, or that of hooks.
const LayerRow* row_of(const Layer& layer);
/// The same among Keras's functions: operations of Keras 3, and those of TensorFlow that Keras 2
/// makes layers of.
const LayerRow* find_operation(std::string_view class_name);

/// Nothing for a layer that can be imported; else why it can't, to follow its class: ", ...".
std::optional<std::string> why_unsupported(std::string_view class_name, const Config& config);

/// The variables of a layer.
std::vector<Variable> variables_of(const Layer& layer, const KerasFile& file);

// keras_activations.cpp

/// Adds the activation in field "activation" to `tensor`; returns its output.
int activate(LayerCall& call, int tensor);
/// Nothing for an activation that can be imported, else ", activation ...".
std::optional<std::string> why_unsupported_activation(const Config& config);
/// A function of a recurrent layer's gates in field `key`. Error if it is none that gates have.
nnom::GateFunction gate_function(const Config& config, bool keras2, std::string_view key,
                                 std::string_view otherwise);
int activation(LayerCall& call);
int elu(LayerCall& call);
int glu(LayerCall& call);
int leaky_relu(LayerCall& call);
int prelu(LayerCall& call);
int relu(LayerCall& call);
int softmax(LayerCall& call);
int log_softmax(LayerCall& call);
int thresholded_relu(LayerCall& call);
/// A function by the name that an "activation" field may have; `parameter` may stand among the
/// arguments as the slope.
int named_activation(LayerCall& call, const char* name, const char* parameter = nullptr);

// keras_arithmetic.cpp

int batch_normalization(LayerCall& call);
int normalization(LayerCall& call);
int rescaling(LayerCall& call);

// keras_convolutions.cpp

template <int axes>
int conv(LayerCall& call);
template <int axes>
int depthwise_conv(LayerCall& call);
template <int axes>
int separable_conv(LayerCall& call);
int dense(LayerCall& call);

// keras_embedding.cpp

int embedding(LayerCall& call);

// keras_lambda.cpp: functions of the user's own

int lambda(LayerCall& call);
/// The name of the function that a layer becomes.
std::string hook_function(const Layer& layer);
/// How many outputs the file says that it has, or reads.
int hook_outputs(const Layer& layer);
/// The output's shape: as the user says, or the file does; nothing if neither.
std::optional<Shape> hook_shape(const Layer& layer);

// keras_merging.cpp: layers and operations on several tensors

int add(LayerCall& call);
int average(LayerCall& call);
int concatenate(LayerCall& call);
int divide(LayerCall& call);
int dot(LayerCall& call);
int matmul(LayerCall& call);
int maximum(LayerCall& call);
int minimum(LayerCall& call);
int multiply(LayerCall& call);
int negative(LayerCall& call);
int power(LayerCall& call);
int squared_difference(LayerCall& call);
int subtract(LayerCall& call);

// keras_normalise.cpp

int group_normalization(LayerCall& call);
int layer_normalization(LayerCall& call);
int rms_normalization(LayerCall& call);
int unit_normalization(LayerCall& call);

// keras_operations.cpp

int mean(LayerCall& call);

// keras_resampling.cpp

template <int axes>
int conv_transpose(LayerCall& call);
template <int axes>
int cropping(LayerCall& call);
template <int axes>
int up_sampling(LayerCall& call);
int repeat_vector(LayerCall& call);

// keras_recurrent.cpp

std::vector<int> recurrent(LayerCall& call);
std::vector<int> bidirectional(LayerCall& call);
std::vector<Variable> recurrent_variables(const Config& config);
std::vector<Variable> bidirectional_variables(const Config& config);
std::optional<std::string> why_recurrent_unsupported(const Config& config);
std::optional<std::string> why_bidirectional_unsupported(const Config& config);

// keras_shapes.cpp

/// What field `key` adds or takes at the two ends of each of `axes` axes, as ZeroPadding has it.
std::vector<std::pair<int, int>> ends_of(const Config& config, std::string_view key, int axes);
int identity(LayerCall& call);
int flatten(LayerCall& call);
int permute(LayerCall& call);
int reshape(LayerCall& call);
template <int axes>
int zero_padding(LayerCall& call);
template <int axes, class Pool>
int pool(LayerCall& call);
template <int axes>
int global_average(LayerCall& call);
template <int axes>
int global_max(LayerCall& call);

}  // namespace nnomc::keras
