/// \file
/// The layers of Keras that can be imported: a table, and what its functions work with.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "compiler/graph.hpp"
#include "compiler/import/keras_model.hpp"

namespace nnomc::keras {

/// What all layers of one import share.
struct Session {
  const KerasFile& file;
  bool keras2;
  Graph graph{};
  std::unordered_map<std::string, int> names{};  ///< of nodes, and how often each was wanted
  size_t parameters = 0;
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
            std::vector<Operand> arguments)
      : config(std::move(fields)),
        operands(std::move(arguments)),
        session_(session),
        name_(std::move(name)),
        layer_(layer) {}

  const Config config;
  const std::vector<Operand> operands;
  /// The call of the layer that this one wraps, whose variables are those of `part`.
  LayerCall wrapped(const Json& fields, std::string part) const {
    LayerCall call(session_, name_, Config(fields, config.site()), layer_, operands);
    call.part_ = std::move(part);
    return call;
  }

  bool keras2() const { return session_.keras2; }
  const std::string& name() const { return name_; }
  Session& session() { return session_; }

  /// The only tensor it is called with.
  int input() const;
  /// input(), which must have `rank` axes besides the batch.
  int input_of_rank(int rank) const;
  std::vector<int> tensors() const;
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
  std::string part_{};
};

/// A variable of a layer: its name, as in Keras 3, and whether training changes it.
struct Variable {
  std::string_view name;
  bool trained = true;
  std::string part = "";  ///< of the layer, that it belongs to: "forward_layer/cell"
};

/// One row of the table.
struct LayerRow {
  std::string_view class_name;
  /// Adds the layer's nodes; returns its output.
  int (*add)(LayerCall&);
  /// The layer's variables, in the order Keras creates them; null: none.
  std::vector<Variable> (*variables)(const Config&) = nullptr;
  /// Instead of `add`, of a layer that may have several outputs.
  std::vector<int> (*add_all)(LayerCall&) = nullptr;
  /// Nothing where it can be imported; else why not, as why_unsupported() says it.
  std::optional<std::string> (*why_not)(const Config&) = nullptr;
};

/// The row of a class, or nullptr.
const LayerRow* find_layer(std::string_view class_name);

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
int leaky_relu(LayerCall& call);
int relu(LayerCall& call);
int relu_operation(LayerCall& call);
int relu6_operation(LayerCall& call);
int softmax(LayerCall& call);

// keras_arithmetic.cpp

int add(LayerCall& call);
int batch_normalization(LayerCall& call);
int concatenate(LayerCall& call);
int divide(LayerCall& call);
int multiply(LayerCall& call);
int negative(LayerCall& call);
int normalization(LayerCall& call);
int rescaling(LayerCall& call);
int subtract(LayerCall& call);

// keras_convolutions.cpp

template <int axes>
int conv(LayerCall& call);
template <int axes>
int depthwise_conv(LayerCall& call);
template <int axes>
int separable_conv(LayerCall& call);
int dense(LayerCall& call);

// keras_recurrent.cpp

std::vector<int> recurrent(LayerCall& call);
std::vector<int> bidirectional(LayerCall& call);
std::vector<int> time_distributed(LayerCall& call);
std::vector<Variable> recurrent_variables(const Config& config);
std::vector<Variable> bidirectional_variables(const Config& config);
std::vector<Variable> time_distributed_variables(const Config& config);
std::optional<std::string> why_recurrent_unsupported(const Config& config);
std::optional<std::string> why_bidirectional_unsupported(const Config& config);
std::optional<std::string> why_time_distributed_unsupported(const Config& config);

// keras_shapes.cpp

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
