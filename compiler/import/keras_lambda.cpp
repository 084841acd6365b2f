// Layers that become functions of the user's own. Python code in the file is never looked at.
#include <algorithm>
#include <limits>
#include <set>

#include "compiler/emit/names.hpp"
#include "compiler/emit/text.hpp"
#include "compiler/import/keras_layers.hpp"

namespace nnomc::keras {
namespace {

/// A shape in the file without its first `skip` axes; nothing if an axis is open, or it is none.
std::optional<Shape> shape_in(const Json* value, size_t skip) {
  if (!value || !value->is_array() || value->size() < skip || value->size() > skip + 6) return {};
  Shape shape;
  for (size_t i = skip; i < value->size(); ++i) {
    const Json& n = (*value)[i];
    if (!n.is_number_integer() || n < 1 || n > kMaxElements) return {};
    shape.d[shape.rank++] = n.get<int>();
  }
  return shape;
}

/// Fields of a configuration that are Keras's own.
bool is_common(const std::string& field) {
  static const std::set<std::string> kCommon = {"activity_regularizer",
                                                "batch_input_shape",
                                                "batch_shape",
                                                "dtype",
                                                "dynamic",
                                                "input_shape",
                                                "mask",
                                                "name",
                                                "training",
                                                "trainable"};
  return kCommon.contains(field);
}

bool is_whole(const Json& value) {
  return value.is_number_integer() && value >= std::numeric_limits<int>::min() &&
         value <= std::numeric_limits<int>::max();
}

/// A member of a struct: "int steps = 3"; nothing for what has no place in C++.
std::optional<std::string> member(const Config& config, const std::string& key, const Json& value) {
  const std::string name = usable_name(key);
  if (value.is_boolean()) return fmt::format("bool {} = {}", name, value.get<bool>());
  if (value.is_string())
    return fmt::format("const char* {} = {}", name, literal(value.get<std::string>()));
  if (is_whole(value)) return fmt::format("int {} = {}", name, value.get<int>());
  if (value.is_number())
    return fmt::format("float {} = {}", name, value_text(config.as_number(value, key)));
  const std::string kind = text_or_empty(value, "class_name");
  const Json* list = &value;
  if (kind == "__tuple__") list = find(value, "items");
  if (!list || (!list->is_array() && kind != "__numpy__") || list->empty()) return {};
  Constant constant;
  try {
    constant = config.as_constant(*list, key);
  } catch (const Error&) {
    return {};  // not of numbers
  }
  std::string elements;
  for (const float v : constant.data) elements += (elements.empty() ? "" : ", ") + value_text(v);
  return fmt::format("float {}[{}] = {{{}}}", name, constant.data.size(), elements);
}

/// The same of a value on the command line.
std::string member(const LayerCall& call, const LambdaOption& option, const std::string& name,
                   const std::string& text) {
  const Json value = Json::parse(text, nullptr, false);
  if (!value.is_number() && !value.is_boolean())
    throw Error("--lambda {}: {} is '{}', not a number, true or false", option.text, name, text);
  return member(call.config, name, value).value();
}

/// What the function can look at: what the file has, and what the user says.
std::vector<std::string> parameters_of(const LayerCall& call) {
  const Layer& layer = *call.layer();
  const bool own = layer.class_name == "Lambda";
  std::map<std::string, std::string> members;
  const Json* fields = own ? call.config.find("arguments") : &call.config.fields();
  if (fields && fields->is_object())
    for (const auto& [key, value] : fields->items())
      if (own || !is_common(key))
        if (auto text = member(call.config, key, value)) members[usable_name(key)] = *text;
  if (layer.lambda)
    for (const auto& [name, text] : layer.lambda->parameters)
      members[name] = member(call, *layer.lambda, name, text);
  std::vector<std::string> list;
  for (const auto& [name, text] : members) list.push_back(text);
  return list;
}

Shape weight_shape(const Weight& weight, const Site& site) {
  if (weight.shape.size() > 6) site.fail("one of its weights has more than six axes");
  Shape shape;
  size_t size = 1;
  for (const int64_t n : weight.shape) {
    if (n < 1 || n > kMaxElements) site.fail("one of its weights is empty or too large");
    shape.d[shape.rank++] = static_cast<int>(n);
    size *= static_cast<size_t>(n);
    if (size > weight.data.size()) break;
  }
  if (size != weight.data.size()) site.fail("one of its weights is incomplete in the file");
  return shape;
}

}  // namespace

// That of Python's where the file tells one, else the layer's; of a custom layer its class.
std::string hook_function(const Layer& layer) {
  if (layer.class_name != "Lambda") return usable_name(layer.class_name);
  const Json* function = find(*layer.config, "function");
  if (function && text_or_empty(*function, "class_name") == "function")
    if (const std::string name = text_or_empty(*function, "config"); !name.empty())
      return usable_name(name);
  return usable_name(layer.name);
}

int hook_outputs(const Layer& layer) {
  const Json* told = layer.class_name == "Lambda" ? find(*layer.config, "output_shape") : nullptr;
  const bool lists = told && told->is_array() && !told->empty() && told->front().is_array();
  return std::max(layer.outputs, lists ? static_cast<int>(told->size()) : 1);
}

std::optional<Shape> hook_shape(const Layer& layer) {
  if (layer.lambda && layer.lambda->shape) return layer.lambda->shape;
  if (layer.class_name == "Lambda")
    if (const auto told = shape_in(find(*layer.config, "output_shape"), 0)) return told;
  std::optional<Shape> read;
  for (const Json* one : layer.read_as) {
    const auto shape = shape_in(one, layer.each_step ? 2 : 1);
    if (!shape || (read && *read != *shape)) return {};
    read = shape;
  }
  return read;
}

int lambda(LayerCall& call) {
  const Layer& layer = *call.layer();
  const Site& site = call.config.site();
  for (const LayerCall::Operand& o : call.operands)
    if (o.constant && o.keyword.empty())
      site.fail("it is called with {}: make that an argument with a name", show(*o.constant));
  nnom::Lambda op;
  op.out = hook_shape(layer).value();
  Hook hook{layer.hook, layer.name};
  hook.parameters = parameters_of(call);
  std::vector<float> weights;
  for (const Weight* w : layer.weights) {
    hook.weights.push_back(weight_shape(*w, site));
    weights.insert(weights.end(), w->data.begin(), w->data.end());
  }
  op.weights = static_cast<int>(weights.size());
  const int out = call.add(op, call.tensors(), "", std::move(weights));
  call.session().graph.nodes.back().hook = std::move(hook);
  return out;
}

}  // namespace nnomc::keras
