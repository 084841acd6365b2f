#include "compiler/import/keras_model.hpp"

#include <algorithm>
#include <charconv>

#include "compiler/import/keras_layers.hpp"

namespace nnomc::keras {
namespace {

constexpr int kMaxDepth = 32;     // of models in models
constexpr size_t kMaxNamed = 20;  // layers named in the message of those not supported
constexpr size_t kMaxLayers = 20000;

/// "tf_keras" of "tf_keras.src.layers".
std::string_view root_of(std::string_view module) { return module.substr(0, module.find('.')); }

/// Whether `entry` of a layer list is of a class that isn't Keras's own.
bool is_custom(const Json& entry) {
  const std::string module = text_or_empty(entry, "module");
  const std::string_view root = root_of(module);
  if (!root.empty() && root != "keras" && root != "tf_keras" && root != "tensorflow" &&
      root != "builtins")
    return true;
  const std::string registered = text_or_empty(entry, "registered_name");
  return registered.find('>') != std::string::npos || (module.empty() && !registered.empty());
}

bool is_model_class(const std::string& class_name) {
  return class_name == "Sequential" || class_name == "Functional" || class_name == "Model";
}

class ModelReader {
 public:
  ModelReader(const KerasFile& file, const std::vector<LambdaOption>& lambdas)
      : file_(file), lambdas_(lambdas), used_(lambdas.size(), false) {}

  Model read_whole() {
    const std::string class_name = text_or_empty(file_.config, "class_name");
    const Json* fields = find(file_.config, "config");
    const Site site{file_.path, fields ? text_or_empty(*fields, "name") : "", class_name};
    if (class_name.empty() || !fields)
      throw Error("{}: its configuration describes no model. Save it again from Keras", file_.path);
    const bool lists_layers = find(*fields, "layers") || fields->is_array();
    if (is_custom(file_.config) || !is_model_class(class_name) || !lists_layers)
      throw Error(
          "{}: a model of class {} is not supported: only Sequential and functional models "
          "describe their layers. Build it with keras.Sequential or keras.Model(inputs, outputs)",
          file_.path, class_name);
    Model model = read(file_.config, *fields, site, 0);
    check_lambdas();
    if (!unsupported_.empty()) refuse();
    return model;
  }

 private:
  Model read(const Json& entry, const Json& fields, const Site& site, int depth) {
    if (depth > kMaxDepth) site.fail("models are nested more than {} deep", kMaxDepth);
    // Until Keras 2.2.2 the configuration of a Sequential model was the list of its layers.
    const Json none = Json::object();
    const Config config(fields.is_array() ? none : fields, site);
    Model model;
    model.name = config.text("name", site.layer);
    model.sequential = site.class_name == "Sequential";
    const Json* layers = fields.is_array() ? &fields : config.find("layers");
    if (!layers || !layers->is_array() || layers->empty())
      site.fail("it has no layers: build the model before it is saved");
    layers_ += layers->size();
    if (layers_ > kMaxLayers) site.fail("it has more than {} layers", kMaxLayers);

    std::vector<const Json*> inbound;
    for (const Json& one : *layers) {
      model.layers.push_back(read_layer(one, site, depth));
      inbound.push_back(find(one, "inbound_nodes"));
      if (inbound.back() && !inbound.back()->is_array())
        site.fail("the calls of layer '{}' are {}, not a list", model.layers.back().name,
                  show(*inbound.back()));
    }
    if (!model.sequential) {
      read_calls(file_, config, model, inbound);
    } else {
      for (size_t i = 1; i < model.layers.size(); ++i)
        if (const Json* build = find((*layers)[i], "build_config"))
          if (const Json* shape = find(*build, "input_shape"))
            model.layers[i - 1].read_as.push_back(shape);
      chain(model);
      model.input_shape = config.find("build_input_shape");
      const Json* build = find(entry, "build_config");
      if (!model.input_shape && build) model.input_shape = find(*build, "input_shape");
    }
    for (const Layer& layer : model.layers) {
      if (layer.hook.empty()) continue;
      if (hook_outputs(layer) > 1)
        unsupported_.push_back(fmt::format(
            "'{}' ({}, which has {} outputs, but a function of your own has one: make it a "
            "layer for each)",
            layer.name, layer.class_name, hook_outputs(layer)));
      else if (!hook_shape(layer))
        unsupported_.push_back(fmt::format(
            "'{0}' ({1}, the shape of whose output the file doesn't tell: give it with --lambda "
            "{0}=HxWxC)",
            layer.name, layer.class_name));
    }
    return model;
  }

  Layer read_layer(const Json& entry, const Site& model, int depth) {
    Layer layer;
    layer.class_name = text_or_empty(entry, "class_name");
    layer.config = find(entry, "config");
    if (layer.class_name.empty() || !layer.config || !layer.config->is_object())
      model.fail("a layer in its configuration has no class and no configuration of its own");
    layer.name = text_or_empty(*layer.config, "name");
    if (layer.name.empty()) layer.name = text_or_empty(entry, "name");
    if (layer.name.empty()) model.fail("a layer of class {} has no name", layer.class_name);
    const Config config(*layer.config, {file_.path, layer.name, layer.class_name});
    layer.trainable = config.flag("trainable", true);
    if (const Json* id = find(entry, "shared_object_id")) layer.shared = id->dump();
    layer.operation = !config.find("trainable") && !config.find("dtype");

    layer.lambda = find_lambda(layer);
    if (is_custom(entry)) {
      if (layer.lambda)
        layer.hook = hook_function(layer);
      else
        unsupported_.push_back(fmt::format("'{}' (custom {})", layer.name, layer.class_name));
    } else if (layer.class_name == "TimeDistributed") {
      refuse_lambda(layer);
      const Json* inner = find(*layer.config, "layer");
      if (!inner) config.site().fail("'layer' is missing from its configuration");
      Layer each = read_layer(*inner, config.site(), depth + 1);
      if (each.each_step)
        unsupported_.push_back(
            fmt::format("'{}' (TimeDistributed in TimeDistributed)", layer.name));
      each.name = layer.name;
      each.each_step = true;
      each.operation = false;
      each.trainable = each.trainable && layer.trainable;
      each.shared = layer.shared;
      return each;
    } else if (is_model_class(layer.class_name)) {
      if (!config.find("layers"))
        config.site().fail("not supported yet: a nested model that doesn't list its layers");
      layer.operation = false;
      layer.model = std::make_unique<Model>(read(entry, *layer.config, config.site(), depth + 1));
    } else {
      if (layer.class_name == "TFOpLambda" || layer.class_name == "SlicingOpLambda")
        layer.class_name = config.text("function", layer.class_name);
      const auto why = why_unsupported(layer.class_name, config);
      // Masks get to layers by ways that a function doesn't see.
      if (layer.class_name == "Lambda" || (why && layer.lambda && layer.class_name != "Masking"))
        layer.hook = hook_function(layer);
      else if (why)
        unsupported_.push_back(fmt::format("'{}' ({}{})", layer.name, layer.class_name, *why));
    }
    refuse_lambda(layer);
    if (!layer.hook.empty())
      hooks_.push_back(fmt::format("'{}' ({})", layer.name, layer.class_name));
    return layer;
  }

  /// Fails if the user names a layer that becomes no function.
  static void refuse_lambda(const Layer& layer) {
    if (layer.lambda && layer.hook.empty())
      throw Error("--lambda {}: layer '{}' ({}) can't be a function of your own",
                  layer.lambda->text, layer.name, layer.class_name);
  }

  /// What the user says of a layer: by its name, else by its class.
  const LambdaOption* find_lambda(const Layer& layer) {
    for (const std::string& name : {layer.name, layer.class_name})
      for (size_t i = 0; i < lambdas_.size(); ++i)
        if (lambdas_[i].name == name) {
          used_[i] = true;
          return &lambdas_[i];
        }
    return nullptr;
  }

  /// Fails for a --lambda that no layer is called by.
  void check_lambdas() const {
    for (size_t i = 0; i < lambdas_.size(); ++i) {
      if (used_[i]) continue;
      throw Error(
          "--lambda {}: {} has no layer and no class called '{}'{}", lambdas_[i].text, file_.path,
          lambdas_[i].name,
          hooks_.empty() ? "" : fmt::format("; what may be meant is {}", fmt::join(hooks_, ", ")));
    }
  }

  /// Makes each layer of a Sequential model read the one before it.
  static void chain(Model& model) {
    if (model.layers.front().class_name != "InputLayer") {
      Layer input;
      input.name = model.name + "_input";
      input.class_name = "InputLayer";
      model.layers.insert(model.layers.begin(), std::move(input));
    }
    for (int i = 0; i < static_cast<int>(model.layers.size()); ++i) {
      Call call;
      if (i > 0) call.push_back({"", TensorRef{i - 1, 0, 0}, nullptr});
      model.layers[static_cast<size_t>(i)].calls.push_back(std::move(call));
    }
    model.inputs = {{0, 0, 0}};
    model.outputs = {{static_cast<int>(model.layers.size()) - 1, 0, 0}};
  }

  [[noreturn]] void refuse() const {
    std::string list;
    for (size_t i = 0; i < unsupported_.size() && i < kMaxNamed; ++i)
      list += (i ? ", " : "") + unsupported_[i];
    const size_t count = unsupported_.size();
    if (count > kMaxNamed) list += fmt::format(" and {} more", count - kMaxNamed);
    const char* const those = count == 1 ? "it" : "them";
    throw Error(
        "{}: {} not supported: {}. Replace {} by supported layers, cut the model before {}, or "
        "write {} in C++ (--lambda NAME=HxWxC, see docs/lambda.md)",
        file_.path, count == 1 ? "a layer is" : fmt::format("{} layers are", count), list, those,
        those, those);
  }

  const KerasFile& file_;
  const std::vector<LambdaOption>& lambdas_;
  std::vector<bool> used_;          // of lambdas_
  std::vector<std::string> hooks_;  // layers that --lambda may be about
  std::vector<std::string> unsupported_;
  size_t layers_ = 0;
};

}  // namespace

bool is_keras2(const KerasFile& file) {
  int major = 0;
  const std::string& v = file.keras_version;
  std::from_chars(v.data(), v.data() + v.size(), major);
  return major > 0 ? major < 3 : file.legacy_h5;
}

Model read_model(const KerasFile& file, const std::vector<LambdaOption>& lambdas) {
  return ModelReader(file, lambdas).read_whole();
}

}  // namespace nnomc::keras
