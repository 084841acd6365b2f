/// \file
/// A Keras model as its configuration describes it: layers, and which tensors each call reads.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/hooks/options.hpp"
#include "compiler/import/hdf5_message.hpp"
#include "compiler/import/keras_config.hpp"
#include "compiler/import/keras_file.hpp"

namespace nnomc::keras {

/// Output number `tensor` of call number `call` of layer number `layer` of the same model.
struct TensorRef {
  int layer = 0, call = 0, tensor = 0;
};

/// What a call is given: a tensor or a constant.
struct Argument {
  std::string keyword;  ///< empty if it is told by its position
  std::optional<TensorRef> tensor;
  const Json* constant = nullptr;
};

using Call = std::vector<Argument>;

struct Model;

struct Layer {
  std::string name;
  std::string class_name;  ///< of a TensorFlow function that Keras 2 made a layer of: its name
  const Json* config = nullptr;  ///< null for an input that Keras doesn't mention
  std::vector<Call> calls;
  std::unique_ptr<Model> model;  ///< of a nested model
  bool operation = false;        ///< of Keras 3, not a layer: has no place among the weights
  bool trainable = true;
  bool each_step = false;  ///< in a TimeDistributed, which it stands for
  std::string shared;  ///< the same for the same layer at another place; empty if it's at one only

  /// Its variables, in the order its row in the table of layers gives; null: not in the file. Of a
  /// hook all there are, in the file's order.
  std::vector<const Weight*> weights;

  std::string hook;  ///< the function of the user's own that it becomes; empty: none
  const LambdaOption* lambda = nullptr;  ///< of a hook: what the user says of it
  /// Of a hook: what the file says of its output's shape, with the batch, where the layers that
  /// read it are described.
  std::vector<const Json*> read_as;
  int outputs = 1;  ///< as many as the file says it has, or reads
};

/// A Sequential model's layers are chained by calls like those of a functional one. Each input is
/// a layer of class InputLayer.
struct Model {
  std::string name;
  bool sequential = false;
  const Json* input_shape = nullptr;  ///< of a Sequential model whose layers don't tell
  std::vector<Layer> layers;
  std::vector<TensorRef> inputs, outputs;
};

/// Whether a file is of Keras 2 or older; its functions and references differ.
bool is_keras2(const KerasFile& file);

/// Reads the configuration of the whole model. Throws one Error that names every layer that is not
/// supported, or one for a --lambda that is about none of the model's.
Model read_model(const KerasFile& file, const std::vector<LambdaOption>& lambdas);

/// Reads the calls of a functional model's layers, and the model's inputs and outputs.
void read_calls(const KerasFile& file, const Config& config, Model& model,
                const std::vector<const Json*>& inbound);

}  // namespace nnomc::keras
