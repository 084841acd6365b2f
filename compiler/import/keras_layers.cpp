#include "compiler/import/keras_layers.hpp"

#include <algorithm>

#include "compiler/import/keras_catalogue.hpp"

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

std::vector<Variable> scale_and_center(const Config& config) {
  std::vector<Variable> variables;
  if (config.flag("scale", true) || config.flag("rms_scaling", false))
    variables.push_back({"gamma"});
  if (config.flag("center", true) && !config.flag("rms_scaling", false))
    variables.push_back({"beta"});
  return variables;
}

std::vector<Variable> embeddings(const Config&) { return {{"embeddings"}}; }
std::vector<Variable> alpha(const Config&) { return {{"alpha"}}; }
std::vector<Variable> scale(const Config&) { return {{"scale"}}; }

constexpr auto no_variables = nullptr;

/// Class names as in a file.
constexpr LayerRow kLayers[] = {
    {"Activation", activation, no_variables, kAnyOrder | kFolds},
    {"ActivityRegularization", identity, no_variables, kEach | kFolds},
    {"Add", add, no_variables, kAnyOrder | kFolds},
    {"AlphaDropout", identity, no_variables, kEach | kFolds},
    {"Average", average, no_variables, kAnyOrder | kFolds},
    {"AveragePooling1D", pool<1, nnom::AveragePool2D>, no_variables, kPicture | kFolds},
    {"AveragePooling2D", pool<2, nnom::AveragePool2D>, no_variables, kPicture},
    {"BatchNormalization", batch_normalization, batch_statistics, kAnyOrder | kFolds},
    {"Bidirectional", nullptr, bidirectional_variables, 0, bidirectional,
     why_bidirectional_unsupported},
    {"Concatenate", concatenate, no_variables, kAnyOrder | kFolds},
    {"Conv1D", conv<1>, kernel, kPicture | kFolds},
    {"Conv1DTranspose", conv_transpose<1>, kernel, kPicture | kFolds},
    {"Conv2D", conv<2>, kernel, kPicture | kFolds},
    {"Conv2DTranspose", conv_transpose<2>, kernel, kPicture},
    {"Cropping1D", cropping<1>, no_variables, kPicture | kFolds},
    {"Cropping2D", cropping<2>, no_variables, kPicture | kFolds},
    {"Dense", dense, kernel, kViews | kFolds},
    {"DepthwiseConv1D", depthwise_conv<1>, kernel, kPicture | kFolds},
    {"DepthwiseConv2D", depthwise_conv<2>, kernel, kPicture | kFolds},
    {"Dot", dot},
    {"Dropout", identity, no_variables, kEach | kFolds},
    {"ELU", elu, no_variables, kEach | kFolds},
    {"Embedding", embedding, embeddings},
    {"Flatten", flatten, no_variables, kViews | kFolds},
    {"GRU", nullptr, recurrent_variables, 0, recurrent, why_recurrent_unsupported},
    {"GaussianDropout", identity, no_variables, kEach | kFolds},
    {"GaussianNoise", identity, no_variables, kEach | kFolds},
    {"GlobalAveragePooling1D", global_average<1>, no_variables, kPicture | kFolds},
    {"GlobalAveragePooling2D", global_average<2>, no_variables, kPicture | kFolds},
    {"GlobalMaxPooling1D", global_max<1>, no_variables, kPicture | kFolds},
    {"GlobalMaxPooling2D", global_max<2>, no_variables, kPicture | kFolds},
    {"GroupNormalization", group_normalization, scale_and_center, kAnyOrder},
    {"Identity", identity, no_variables, kEach | kFolds},
    {"LSTM", nullptr, recurrent_variables, 0, recurrent, why_recurrent_unsupported},
    {"Lambda", lambda},
    {"LayerNormalization", layer_normalization, scale_and_center, kAnyOrder | kFolds},
    {"LeakyReLU", leaky_relu, no_variables, kEach | kFolds},
    {"MaxPooling1D", pool<1, nnom::MaxPool2D>, no_variables, kPicture | kFolds},
    {"MaxPooling2D", pool<2, nnom::MaxPool2D>, no_variables, kPicture},
    {"Maximum", maximum, no_variables, kAnyOrder | kFolds},
    {"Minimum", minimum, no_variables, kAnyOrder | kFolds},
    {"Multiply", multiply, no_variables, kAnyOrder | kFolds},
    {"Normalization", normalization, statistics},
    {"PReLU", prelu, alpha, kAnyOrder | kFolds},
    {"Permute", permute, no_variables, kViews},
    {"RMSNormalization", rms_normalization, scale, kAnyOrder | kFolds},
    {"RNN", nullptr, recurrent_variables, 0, recurrent, why_recurrent_unsupported},
    {"RandomBrightness", identity, no_variables, kEach},
    {"RandomContrast", identity, no_variables, kEach},
    {"RandomFlip", identity, no_variables, kEach},
    {"RandomRotation", identity, no_variables, kEach},
    {"RandomTranslation", identity, no_variables, kEach},
    {"RandomZoom", identity, no_variables, kEach},
    {"ReLU", relu, no_variables, kEach | kFolds},
    {"RepeatVector", repeat_vector},
    {"Rescaling", rescaling, no_variables, kAnyOrder | kFolds},
    {"Reshape", reshape, no_variables, kViews | kFolds},
    {"SeparableConv1D", separable_conv<1>, separable, kPicture | kFolds},
    {"SeparableConv2D", separable_conv<2>, separable, kPicture | kFolds},
    {"SimpleRNN", nullptr, recurrent_variables, 0, recurrent, why_recurrent_unsupported},
    {"Softmax", softmax, no_variables, kAnyOrder | kFolds},
    {"SpatialDropout1D", identity, no_variables, kEach | kFolds},
    {"SpatialDropout2D", identity, no_variables, kEach | kFolds},
    {"Subtract", subtract, no_variables, kAnyOrder | kFolds},
    {"ThresholdedReLU", thresholded_relu, no_variables, kEach | kFolds},
    {"UnitNormalization", unit_normalization, no_variables, kAnyOrder | kFolds},
    {"UpSampling1D", up_sampling<1>, no_variables, kPicture | kFolds},
    {"UpSampling2D", up_sampling<2>, no_variables, kPicture},
    {"ZeroPadding1D", zero_padding<1>, no_variables, kPicture | kFolds},
    {"ZeroPadding2D", zero_padding<2>, no_variables, kPicture | kFolds},
};

}  // namespace

std::vector<std::string_view> layer_classes() {
  std::vector<std::string_view> names;
  for (const LayerRow& row : kLayers) names.push_back(row.class_name);
  return names;
}

const LayerRow* find_layer(std::string_view class_name) {
  const auto row = std::find_if(std::begin(kLayers), std::end(kLayers),
                                [&](const LayerRow& r) { return r.class_name == class_name; });
  return row == std::end(kLayers) ? find_operation(class_name) : row;
}

std::optional<std::string> why_unsupported(std::string_view class_name, const Config& config) {
  if (class_name == "InputLayer") return {};
  if (class_name == "Masking")
    return ", by which layers skip steps of time: take it out, and train with samples of full "
           "length";
  if (!find_layer(class_name)) return "";
  if (const Json* dtype = config.find("dtype");
      dtype && text_or_empty(*dtype, "class_name").starts_with("Quantized"))
    return ", quantised by Keras: save it before quantize()";
  if (const LayerRow* row = find_layer(class_name); row->why_not) return row->why_not(config);
  return why_unsupported_activation(config);
}

const LayerRow* row_of(const Layer& layer) {
  return find_layer(layer.hook.empty() ? layer.class_name : "Lambda");
}

std::vector<Variable> variables_of(const Layer& layer, const KerasFile& file) {
  const LayerRow* row = layer.config ? row_of(layer) : nullptr;
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
  if (shape(tensor).rank != rank + arrangement.leading)
    config.site().fail("its input should have {} axes besides the batch, but is {}", rank,
                       to_string(shape(tensor)));
  return tensor;
}

int LayerCall::place_of(int axis) const {
  const std::vector<int>& order = arrangement.order;
  if (order.empty()) return axis;
  return static_cast<int>(std::find(order.begin(), order.end(), axis) - order.begin());
}

int LayerCall::axis(std::string_view key, int otherwise, int rank) const {
  const int leading = arrangement.leading;
  return place_of(config.axis(key, otherwise, rank - leading) + leading);
}

std::vector<int> LayerCall::axes(std::string_view key, int otherwise, int rank) const {
  const Json* list = config.find(key);
  if (!list || !list->is_array()) return {axis(key, otherwise, rank)};
  std::vector<int> found;
  for (const Json& one : *list) {
    const Json field = {{std::string(key), one}};
    const int leading = arrangement.leading;
    found.push_back(
        place_of(Config(field, config.site()).axis(key, otherwise, rank - leading) + leading));
  }
  return found;
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
  const bool folded = from.rank > 3 || from.rank == 0;
  if (folded)
    tensor = reshape(tensor, {2, {from.size() / from.back(), from.back()}},
                     std::string(suffix) + "/rows");
  nnom::DepthwiseConv2D op;
  op.kernel = op.stride = op.dilation = {1, 1};
  tensor = add(op, {tensor}, suffix, std::move(factors), std::move(offsets));
  return folded ? reshape(tensor, from, std::string(suffix) + "/shape") : tensor;
}

}  // namespace nnomc::keras
