#include "compiler/import/keras_layers.hpp"
#include "compiler/op_table.hpp"

namespace nnomc::keras {
namespace {

constexpr int kMostRows = 256;  // that an int8 tells apart

/// Whether nothing but a change of shape lies between a tensor and an input of the model.
bool is_given(const Graph& graph, int tensor) {
  int producer = graph.producer(tensor);
  while (producer >= 0) {
    const Node& node = graph.nodes[static_cast<size_t>(producer)];
    if (!info(node.op).alias) return false;
    producer = graph.producer(node.inputs[0]);
  }
  return true;
}

}  // namespace

/// Its input are row numbers.
int embedding(LayerCall& call) {
  const int tensor = call.input();
  const Config& config = call.config;
  nnom::Embedding op;
  op.rows = config.integer("input_dim", 1, kMaxElements);
  op.width = config.integer("output_dim", 1, kMaxElements);
  if (op.rows > kMostRows)
    config.site().fail(
        "not supported: {} rows: an int8 input tells {} apart. Give each token two inputs of up to "
        "{} and add or concatenate their embeddings, or begin the model behind this layer",
        op.rows, kMostRows, kMostRows);
  if (config.flag("mask_zero", false))
    config.site().fail(
        "not supported: 'mask_zero', by which layers skip steps of time. Train it without");
  if (!is_given(call.session().graph, tensor))
    config.site().fail(
        "not supported: row numbers that the model computes: they should be an input of it");
  const auto table = call.weight("embeddings", {op.rows, op.width});
  return call.add(op, {tensor}, "", {table.begin(), table.end()});
}

}  // namespace nnomc::keras
