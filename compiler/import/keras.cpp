#include "compiler/import/keras.hpp"

#include <algorithm>
#include <queue>
#include <set>
#include <utility>

#include "compiler/import/keras_views.hpp"
#include "compiler/import/keras_weights.hpp"

namespace nnomc {
namespace keras {
namespace {

constexpr int kMaxCalls = 20000;  // of layers, in all

/// The shape in an input's configuration, without its batch axis.
Shape input_shape(const Json& value, const Site& site) {
  Shape shape;
  if (!value.is_array() || value.empty() || !std::all_of(value.begin(), value.end(), [](auto& n) {
        return n.is_null() || n.is_number_integer();
      }))
    site.fail("its input shape is {}, not a list of sizes", show(value));
  if (value.size() < 2)
    site.fail("its input is a single number: give it an axis, for example shape=(1,)");
  if (value.size() > 7) site.fail("its input has {} axes: at most 6 are supported", value.size());
  for (auto n = value.begin() + 1; n != value.end(); ++n) {
    if (n->is_null())
      site.fail(
          "its input shape {} is open (None). Give the input a fixed shape, for example "
          "keras.Input(shape=(28, 28, 1))",
          show(value));
    if (*n < 1 || *n > kMaxElements) site.fail("its input shape {} is impossible", show(value));
    shape.d[shape.rank++] = n->get<int>();
  }
  int64_t size = 1;
  for (int i = 0; i < shape.rank; ++i)
    if ((size *= shape[i]) > kMaxElements) site.fail("its input {} is too large", show(value));
  return shape;
}

/// Makes a graph of a model by following its calls.
class Builder {
 public:
  explicit Builder(const KerasFile& file) : session_{file, is_keras2(file)} {}

  Graph build(const Model& model) {
    Graph& graph = session_.graph;
    graph.file = session_.file.path;
    graph.name = model.name;
    std::vector<int> inputs;
    for (const TensorRef& ref : model.inputs) {
      const Shape shape = shape_of(model, at(model, ref));
      inputs.push_back(shape.rank > 1 && reads_channels_first(model, ref.layer)
                           ? add_channels_first(at(model, ref).name, shape)
                           : graph.add_input(at(model, ref).name, shape));
    }
    graph.outputs = run(model, inputs, "");
    for (size_t i = 0; i < graph.outputs.size(); ++i) settle(at(model, model.outputs[i]), i);
    std::set<int> taken(graph.inputs.begin(), graph.inputs.end());
    for (size_t i = 0; i < graph.outputs.size(); ++i) {
      int& output = graph.outputs[i];
      if (!taken.insert(output).second) output = copy(at(model, model.outputs[i]), output);
    }
    return std::move(graph);
  }

 private:
  static const Layer& at(const Model& model, const TensorRef& ref) {
    return model.layers[static_cast<size_t>(ref.layer)];
  }

  Site site(const Layer& layer) const {
    return {session_.file.path, layer.name,
            layer.each_step ? fmt::format("{} in TimeDistributed", layer.class_name)
                            : layer.class_name};
  }

  /// A tensor of its own for an output that is an input, or another output.
  int copy(const Layer& layer, int tensor) {
    nnom::Reshape op;
    op.out = session_.graph.shape(tensor);
    const Json none = Json::object();
    LayerCall call(session_, layer.name + "/output", Config(none, site(layer)), nullptr, {});
    return call.add(op, {tensor});
  }

  /// An input that lies channels last, whatever the file's order.
  int add_channels_first(const std::string& name, const Shape& shape) {
    Graph& graph = session_.graph;
    Dims dims(shape.d, shape.d + shape.rank);
    Shape last{shape.rank, {}};
    std::copy_n(shape.d + 1, shape.rank - 1, last.d);
    last.d[shape.rank - 1] = shape[0];
    const int tensor = graph.add_input(name, last);
    graph.input_order.resize(graph.inputs.size());
    graph.input_order.back() = channels_first(shape.rank);
    const std::vector<int> order = channels_last(shape.rank);
    Layout layout = onnx::layout_in(order, dims);
    session_.views[tensor] = {std::move(dims), std::move(layout)};
    return tensor;
  }

  /// Brings output i to Keras's order, or leaves it channels last.
  void settle(const Layer& layer, size_t i) {
    Graph& graph = session_.graph;
    int& output = graph.outputs[i];
    if (!session_.views.contains(output)) return;
    const View view = view_of(session_, output);
    const int rank = static_cast<int>(view.dims.size());
    const Json none = Json::object();
    LayerCall call(session_, layer.name + "/output", Config(none, site(layer)), nullptr, {});
    if (rank < 2 || view.layout != onnx::layout_in(channels_last(rank), view.dims)) {
      output = plain(call, output);
      return;
    }
    output = arranged(call, output, channels_last(rank));
    graph.output_order.resize(graph.outputs.size());
    graph.output_order[i] = channels_first(rank);
  }

  Shape shape_of(const Model& model, const Layer& input) const {
    const Json* shape = nullptr;
    const Layer* told = &input;
    if (!input.config && model.layers.size() > 1) told = &model.layers[1];
    if (told->config)
      for (const char* key : {"batch_shape", "batch_input_shape"})
        if (!shape) shape = find(*told->config, key);
    if (!shape && !input.config) shape = model.input_shape;
    if (shape) return input_shape(*shape, input.config ? site(input) : site_of(model));
    if (!input.config)
      site_of(model).fail(
          "the file doesn't tell its input shape. Start the model with keras.Input(shape=(...)), "
          "or build it, and save it again");
    site(input).fail("the file doesn't tell its shape. Build the model and save it again");
  }

  Site site_of(const Model& model) const {
    return {session_.file.path, model.name, model.sequential ? "Sequential" : "Functional"};
  }

  /// The order in which the calls of a model can run: numbers into its list of calls. Those that no
  /// output needs are left out.
  std::vector<int> order(const Model& model, const std::vector<int>& first) const {
    const auto number = [&](const TensorRef& r) {
      return first[static_cast<size_t>(r.layer)] + r.call;
    };
    std::vector<const Call*> calls;
    for (const Layer& layer : model.layers)
      for (const Call& call : layer.calls) calls.push_back(&call);

    std::vector<std::vector<int>> readers(calls.size());
    std::vector<int> waits(calls.size(), 0);
    std::vector<char> needed(calls.size(), 0);
    std::vector<int> open;
    const auto need = [&](const TensorRef& ref) {
      const int n = number(ref);
      if (!std::exchange(needed[static_cast<size_t>(n)], 1)) open.push_back(n);
    };
    for (const TensorRef& ref : model.outputs) need(ref);
    while (!open.empty()) {
      const int n = open.back();
      open.pop_back();
      for (const Argument& argument : *calls[static_cast<size_t>(n)]) {
        if (!argument.tensor) continue;
        readers[static_cast<size_t>(number(*argument.tensor))].push_back(n);
        ++waits[static_cast<size_t>(n)];
        need(*argument.tensor);
      }
    }

    std::priority_queue<int, std::vector<int>, std::greater<>> ready;
    size_t left = 0;
    for (size_t i = 0; i < calls.size(); ++i) {
      left += needed[i] ? 1 : 0;
      if (needed[i] && !waits[i]) ready.push(static_cast<int>(i));
    }
    std::vector<int> sorted;
    while (!ready.empty()) {
      const int n = ready.top();
      ready.pop();
      sorted.push_back(n);
      for (const int reader : readers[static_cast<size_t>(n)])
        if (!--waits[static_cast<size_t>(reader)]) ready.push(reader);
    }
    if (sorted.size() != left) site_of(model).fail("its layers read each other in a circle");
    return sorted;
  }

  /// `each_step`: the model is in a TimeDistributed.
  std::vector<int> run(const Model& model, const std::vector<int>& inputs,
                       const std::string& prefix, bool each_step = false) {
    if (inputs.size() != model.inputs.size())
      site_of(model).fail("it is called with {} inputs, but has {}", inputs.size(),
                          model.inputs.size());
    std::vector<int> first, layer_of;
    for (size_t i = 0; i < model.layers.size(); ++i) {
      first.push_back(static_cast<int>(layer_of.size()));
      layer_of.insert(layer_of.end(), model.layers[i].calls.size(), static_cast<int>(i));
    }
    std::vector<std::vector<int>> made(layer_of.size());
    const auto tensor = [&](const TensorRef& ref) {
      const auto& tensors = made[static_cast<size_t>(first[static_cast<size_t>(ref.layer)]) +
                                 static_cast<size_t>(ref.call)];
      if (static_cast<size_t>(ref.tensor) >= tensors.size())
        site(at(model, ref))
            .fail("it has {} outputs, but number {} is used", tensors.size(), ref.tensor + 1);
      return tensors[static_cast<size_t>(ref.tensor)];
    };
    for (size_t i = 0; i < inputs.size(); ++i)
      made[static_cast<size_t>(first[static_cast<size_t>(model.inputs[i].layer)])] = {inputs[i]};

    for (const int n : order(model, first)) {
      const int index = layer_of[static_cast<size_t>(n)];
      const Layer& layer = model.layers[static_cast<size_t>(index)];
      const int call = n - first[static_cast<size_t>(index)];
      if (++calls_ > kMaxCalls)
        throw Error("{}: the model has more than {} layers", session_.file.path, kMaxCalls);
      std::vector<LayerCall::Operand> operands;
      for (const Argument& a : layer.calls[static_cast<size_t>(call)])
        operands.push_back({a.keyword, a.tensor ? tensor(*a.tensor) : -1, a.constant});
      if (layer.class_name == "InputLayer" && operands.empty()) {
        if (made[static_cast<size_t>(n)].empty())
          site(layer).fail("it is read, but isn't among the inputs of its model");
        continue;
      }
      std::string name = prefix + layer.name;
      if (call > 0) name += fmt::format("#{}", call + 1);
      made[static_cast<size_t>(n)] = call_layer(layer, name, std::move(operands), each_step);
    }
    std::vector<int> outputs;
    for (const TensorRef& ref : model.outputs) outputs.push_back(tensor(ref));
    return outputs;
  }

  std::vector<int> call_layer(const Layer& layer, const std::string& name,
                              std::vector<LayerCall::Operand> operands, bool each_step) {
    each_step = each_step || layer.each_step;
    const auto options = with_arguments(layer, operands);
    const Config config(options ? *options : *layer.config, site(layer));
    LayerCall call(session_, name, config, &layer, std::move(operands));
    if (layer.model) return run(*layer.model, call.tensors(), name + "/", each_step);
    if (layer.class_name == "InputLayer") return {call.input()};
    const LayerRow& row = *row_of(layer);
    if (row.add_all) return add_all(call, row, each_step);
    return {each_step ? add_distributed(call, row) : add_layer(call, row)};
  }

  /// Of a layer that may have several outputs: its operands lie as in Keras.
  std::vector<int> add_all(LayerCall& call, const LayerRow& row, bool each_step) {
    if (each_step) call.config.site().fail("not supported: TimeDistributed around it");
    std::vector<LayerCall::Operand> operands = call.operands;
    for (LayerCall::Operand& o : operands)
      if (o.tensor >= 0) o.tensor = plain(call, o.tensor);
    LayerCall all(session_, call.name(), call.config, call.layer(), std::move(operands));
    return row.add_all(all);
  }

  /// The configuration with the arguments of a call that are told by name, if there are any.
  static std::optional<Json> with_arguments(const Layer& layer,
                                            const std::vector<LayerCall::Operand>& operands) {
    std::optional<Json> all;
    for (const LayerCall::Operand& o : operands)
      if (!layer.model && o.constant && !o.keyword.empty()) {
        if (!all) all = *layer.config;
        (*all)[o.keyword] = *o.constant;
      }
    return all;
  }

  Session session_;
  int calls_ = 0;
};

}  // namespace
}  // namespace keras

Graph import_keras(const KerasFile& file, const std::vector<LambdaOption>& lambdas) {
  keras::Model model = keras::read_model(file, lambdas);
  (file.legacy_h5 ? keras::find_h5_weights : keras::find_archive_weights)(file, model);
  return keras::Builder(file).build(model);
}

}  // namespace nnomc
