#include "compiler/import/keras_layers.hpp"

#include <algorithm>

namespace nnomc::keras {
namespace {

std::vector<Variable> with_bias(const Config& config, std::vector<Variable> variables) {
  if (config.flag("use_bias", true)) variables.push_back({"bias"});
  return variables;
}

std::vector<Variable> kernel(const Config& config) { return with_bias(config, {{"kernel"}}); }

std::vector<Variable> separable(const Config& config) {
  return with_bias(config, {{"depthwise_kernel"}, {"pointwise_kernel"}});
}

std::vector<Variable> batch_statistics(const Config& config) {
  std::vector<Variable> variables;
  if (config.flag("scale", true)) variables.push_back({"gamma"});
  if (config.flag("center", true)) variables.push_back({"beta"});
  variables.push_back({"moving_mean", false});
  variables.push_back({"moving_variance", false});
  return variables;
}

std::vector<Variable> statistics(const Config& config) {
  if (config.find("mean")) return {};
  return {{"mean", false}, {"variance", false}, {"count", false}};
}

/// Class names as in a file. Operations of Keras 3 and TensorFlow's functions, which Keras 2 makes
/// layers of, follow the layers.
constexpr LayerRow kLayers[] = {
    {"Activation", activation},
    {"ActivityRegularization", identity},
    {"Add", add},
    {"AlphaDropout", identity},
    {"AveragePooling1D", pool<1, nnom::AveragePool2D>},
    {"AveragePooling2D", pool<2, nnom::AveragePool2D>},
    {"BatchNormalization", batch_normalization, batch_statistics},
    {"Bidirectional", nullptr, bidirectional_variables, bidirectional,
     why_bidirectional_unsupported},
    {"Concatenate", concatenate},
    {"Conv1D", conv<1>, kernel},
    {"Conv2D", conv<2>, kernel},
    {"Dense", dense, kernel},
    {"DepthwiseConv1D", depthwise_conv<1>, kernel},
    {"DepthwiseConv2D", depthwise_conv<2>, kernel},
    {"Dropout", identity},
    {"ELU", elu},
    {"Flatten", flatten},
    {"GRU", nullptr, recurrent_variables, recurrent, why_recurrent_unsupported},
    {"GaussianDropout", identity},
    {"GaussianNoise", identity},
    {"GlobalAveragePooling1D", global_average<1>},
    {"GlobalAveragePooling2D", global_average<2>},
    {"GlobalMaxPooling1D", global_max<1>},
    {"GlobalMaxPooling2D", global_max<2>},
    {"Identity", identity},
    {"LSTM", nullptr, recurrent_variables, recurrent, why_recurrent_unsupported},
    {"LeakyReLU", leaky_relu},
    {"MaxPooling1D", pool<1, nnom::MaxPool2D>},
    {"MaxPooling2D", pool<2, nnom::MaxPool2D>},
    {"Normalization", normalization, statistics},
    {"Permute", permute},
    {"RNN", nullptr, recurrent_variables, recurrent, why_recurrent_unsupported},
    {"RandomBrightness", identity},
    {"RandomContrast", identity},
    {"RandomFlip", identity},
    {"RandomRotation", identity},
    {"RandomTranslation", identity},
    {"RandomZoom", identity},
    {"ReLU", relu},
    {"Rescaling", rescaling},
    {"Reshape", reshape},
    {"SeparableConv1D", separable_conv<1>, separable},
    {"SeparableConv2D", separable_conv<2>, separable},
    {"SimpleRNN", nullptr, recurrent_variables, recurrent, why_recurrent_unsupported},
    {"Softmax", softmax},
    {"SpatialDropout1D", identity},
    {"SpatialDropout2D", identity},
    {"Subtract", subtract},
    {"TimeDistributed", nullptr, time_distributed_variables, time_distributed,
     why_time_distributed_unsupported},
    {"ZeroPadding1D", zero_padding<1>},
    {"ZeroPadding2D", zero_padding<2>},

    {"Multiply", multiply},
    {"Negative", negative},
    {"Relu", relu_operation},
    {"Relu6", relu6_operation},
    {"TrueDivide", divide},

    {"__operators__.add", add},
    {"concat", concatenate},
    {"math.add", add},
    {"math.add_n", add},
    {"math.multiply", multiply},
    {"math.negative", negative},
    {"math.subtract", subtract},
    {"math.truediv", divide},
    {"nn.relu", relu_operation},
    {"nn.relu6", relu6_operation},
};

}  // namespace

const LayerRow* find_layer(std::string_view class_name) {
  const auto row = std::find_if(std::begin(kLayers), std::end(kLayers),
                                [&](const LayerRow& r) { return r.class_name == class_name; });
  return row == std::end(kLayers) ? nullptr : row;
}

std::optional<std::string> why_unsupported(std::string_view class_name, const Config& config) {
  if (class_name == "InputLayer") return {};
  if (!find_layer(class_name)) return "";
  if (config.text("data_format", "") == "channels_first") return ", data_format channels_first";
  if (const Json* dtype = config.find("dtype");
      dtype && text_or_empty(*dtype, "class_name").starts_with("Quantized"))
    return ", quantised by Keras: save it before quantize()";
  if (const LayerRow* row = find_layer(class_name); row->why_not) return row->why_not(config);
  return why_unsupported_activation(config);
}

std::vector<Variable> variables_of(const Layer& layer, const KerasFile& file) {
  const LayerRow* row = layer.config ? find_layer(layer.class_name) : nullptr;
  if (!row || !row->variables) return {};
  return row->variables(Config(*layer.config, {file.path, layer.name, layer.class_name}));
}

int LayerCall::input() const {
  const std::vector<int> all = tensors();
  if (all.size() != 1) config.site().fail("it should have one input, not {}", all.size());
  return all.front();
}

int LayerCall::input_of_rank(int rank) const {
  const int tensor = input();
  if (shape(tensor).rank != rank)
    config.site().fail("its input should have {} axes besides the batch, but is {}", rank,
                       to_string(shape(tensor)));
  return tensor;
}

std::vector<int> LayerCall::tensors() const {
  std::vector<int> found;
  for (const Operand& o : operands)
    if (o.tensor >= 0) found.push_back(o.tensor);
  return found;
}

std::span<const float> LayerCall::weight(std::string_view variable, const std::vector<int>& dims,
                                         std::string_view part) const {
  const Site& site = config.site();
  const Weight* found = nullptr;
  if (part.empty()) part = part_;
  if (layer_) {
    const std::vector<Variable> all = variables_of(*layer_, session_.file);
    for (size_t i = 0; i < all.size() && i < layer_->weights.size(); ++i)
      if (all[i].name == variable && all[i].part == part) found = layer_->weights[i];
  }
  if (!found) site.fail("its '{}' is not in the file", variable);
  if (!std::equal(dims.begin(), dims.end(), found->shape.begin(), found->shape.end()))
    site.fail("its '{}' should have shape {}, but has {}", variable, show_shape(dims),
              found->shape.size() > 8 ? "many axes" : show_shape(found->shape));
  size_t size = 1;
  for (const int d : dims) size *= static_cast<size_t>(d);
  if (size != found->data.size()) site.fail("its '{}' is incomplete in the file", variable);
  return found->data;
}

int LayerCall::add(const Op& op, std::vector<int> inputs, std::string_view suffix,
                   std::vector<float> weights, std::vector<float> bias) {
  session_.parameters += weights.size() + bias.size();
  if (session_.parameters > kMaxElements)
    config.site().fail("the model has more than {} weights", kMaxElements);
  Node node;
  node.name = name_ + std::string(suffix);
  if (const int n = ++session_.names[node.name]; n > 1) {
    std::string numbered;
    int k = n;
    do numbered = fmt::format("{}#{}", node.name, k++);
    while (session_.names.contains(numbered));
    session_.names[node.name] = k - 1;
    ++session_.names[numbered];
    node.name = numbered;
  }
  node.source = config.site().class_name;
  node.op = op;
  node.inputs = std::move(inputs);
  node.weights = std::move(weights);
  node.bias = std::move(bias);
  const int out = session_.graph.add(std::move(node));
  int64_t size = 1;
  for (int i = 0; i < shape(out).rank; ++i) size *= shape(out)[i];
  if (size > kMaxElements) config.site().fail("its output is too large: {}", to_string(shape(out)));
  return out;
}

int LayerCall::reshape(int tensor, const Shape& to, std::string_view suffix) {
  if (shape(tensor) == to) return tensor;
  nnom::Reshape op;
  op.out = to;
  return add(op, {tensor}, suffix);
}

int LayerCall::scale(int tensor, std::vector<float> factors, std::vector<float> offsets,
                     std::string_view suffix) {
  const Shape from = shape(tensor);
  const bool folded = from.rank > 3;
  if (folded)
    tensor = reshape(tensor, {2, {from.size() / from.back(), from.back()}},
                     std::string(suffix) + "/rows");
  nnom::DepthwiseConv2D op;
  op.kernel = op.stride = op.dilation = {1, 1};
  tensor = add(op, {tensor}, suffix, std::move(factors), std::move(offsets));
  return folded ? reshape(tensor, from, std::string(suffix) + "/shape") : tensor;
}

}  // namespace nnomc::keras
