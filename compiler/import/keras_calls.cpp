#include <algorithm>
#include <unordered_map>

#include "compiler/import/keras_model.hpp"

namespace nnomc::keras {
namespace {

constexpr int kMaxNesting = 16;  // of lists and dictionaries of tensors

bool is_text_list(const Json& value) {
  return value.is_array() && !value.empty() && value.front().is_string();
}

/// Reads the references of one model.
class CallReader {
 public:
  CallReader(const KerasFile& file, const Config& config, Model& model,
             const std::vector<const Json*>& inbound)
      : keras2_(is_keras2(file)), config_(config), model_(model) {
    for (size_t i = 0; i < model.layers.size(); ++i) {
      const Layer& layer = model.layers[i];
      if (!index_.emplace(layer.name, static_cast<int>(i)).second)
        site().fail("it has two layers named '{}'", layer.name);
      // An input makes one tensor, without a call.
      const bool input = layer.class_name == "InputLayer";
      const size_t calls = inbound[i] ? inbound[i]->size() : 0;
      count_.push_back(input ? 1 : static_cast<int>(calls));
    }
  }

  void read(const std::vector<const Json*>& inbound) {
    for (size_t i = 0; i < model_.layers.size(); ++i) {
      Layer& layer = model_.layers[i];
      if (layer.class_name == "InputLayer") {
        layer.calls.resize(1);
      } else if (inbound[i]) {
        for (const Json& call : *inbound[i]) layer.calls.push_back(read_call(layer, call));
      }
    }
  }

  /// The tensors in a list, a dictionary (in the order of its keys) or both, nested.
  std::vector<TensorRef> ends(std::string_view key) const {
    const Json* list = config_.find(key);
    if (!list) site().fail("'{}' is missing from its configuration", key);
    std::vector<TensorRef> found;
    append_ends(*list, found, 0);
    if (found.empty()) site().fail("'{}' is empty", key);
    return found;
  }

 private:
  const Site& site() const { return config_.site(); }

  /// `number` is as in the file: a nested model's first call may be number 0 or 1 there, because
  /// its own construction counts as a call in some places.
  TensorRef reference(const Json& name, const Json& number, const Json& tensor, bool end) const {
    if (!name.is_string()) site().fail("a reference to a tensor names {}", show(name));
    const auto it = index_.find(name.get<std::string>());
    if (it == index_.end()) site().fail("it refers to a layer it doesn't have: {}", show(name));
    Layer& layer = model_.layers[static_cast<size_t>(it->second)];
    const int calls = count_[static_cast<size_t>(it->second)];
    int call = config_.as_integer(number, "node index", 0, kMaxElements);
    const int output = config_.as_integer(tensor, "tensor index", 0, kMaxElements);
    layer.outputs = std::max(layer.outputs, output + 1);
    if (layer.model && call >= first_call(*layer.model, end)) call -= first_call(*layer.model, end);
    if (layer.model && calls > 0 && call == calls) --call;
    if (calls == 1) call = 0;  // Keras 3.0 counts calls by other models too
    if (call >= calls)
      site().fail("it refers to call {} of layer '{}', which is called {} times", call + 1,
                  layer.name, calls);
    return {it->second, call, output};
  }

  int first_call(const Model& nested, bool end) const {
    if (!keras2_) return end && !nested.sequential ? 1 : 0;
    return nested.layers.empty() || nested.layers.front().config == nullptr ? 0 : 1;
  }

  Call read_call(const Layer& layer, const Json& call) const {
    Call arguments;
    if (call.is_object()) {
      if (const Json* positional = find(call, "args")) append(*positional, "", arguments, 0);
      if (const Json* named = find(call, "kwargs"); named && named->is_object())
        for (const auto& [key, value] : named->items()) append(value, key, arguments, 0);
    } else if (is_text_list(call)) {
      append_keras2(call, arguments);
    } else if (call.is_array()) {
      for (const Json& one : call) append_keras2(one, arguments);
    } else {
      site().fail("a call of layer '{}' is {}, not a list of tensors", layer.name, show(call));
    }
    return arguments;
  }

  /// [layer, call, tensor, keyword arguments]
  void append_keras2(const Json& one, Call& arguments) const {
    if (!is_text_list(one) || one.size() < 3)
      site().fail("not supported yet: a layer called with {}", show(one));
    if (one[0] == "_CONSTANT_VALUE")
      arguments.push_back({"", {}, &one[2]});
    else
      arguments.push_back({"", reference(one[0], one[1], one[2], false), nullptr});
    if (one.size() < 4 || !one[3].is_object()) return;
    for (const auto& [key, value] : one[3].items()) append_keras2_named(key, value, arguments, 0);
  }

  void append_keras2_named(const std::string& key, const Json& value, Call& arguments,
                           int depth) const {
    if (depth > kMaxNesting) site().fail("the arguments of a call are nested too deeply");
    if (is_text_list(value) && value.size() == 3 && value[1].is_number())
      arguments.push_back({key, reference(value[0], value[1], value[2], false), nullptr});
    else if (value.is_array() && !value.empty() && is_text_list(value.front()))
      for (const Json& part : value) append_keras2_named(key, part, arguments, depth + 1);
    else if (!value.is_null())
      arguments.push_back({key, {}, &value});
  }

  static bool is_tensor(const Json& value) {
    return value.is_object() && text_or_empty(value, "class_name") == "__keras_tensor__";
  }

  static bool holds_tensor(const Json& value, int depth) {
    if (is_tensor(value)) return true;
    if (!value.is_structured() || depth > kMaxNesting) return false;
    return std::any_of(value.begin(), value.end(),
                       [&](const Json& part) { return holds_tensor(part, depth + 1); });
  }

  void append(const Json& value, const std::string& keyword, Call& arguments, int depth) const {
    if (depth > kMaxNesting) site().fail("the arguments of a call are nested too deeply");
    if (is_tensor(value)) {
      const Json* config = find(value, "config");
      const Json* history = config ? find(*config, "keras_history") : nullptr;
      if (!history || !history->is_array() || history->size() != 3)
        site().fail("a tensor in its configuration has no 'keras_history'");
      const TensorRef ref = reference((*history)[0], (*history)[1], (*history)[2], false);
      if (const Json* shape = find(*config, "shape"))
        model_.layers[static_cast<size_t>(ref.layer)].read_as.push_back(shape);
      arguments.push_back({keyword, ref, nullptr});
    } else if (holds_tensor(value, 0) || (depth == 0 && keyword.empty() && value.is_array())) {
      for (const Json& part : value) append(part, keyword, arguments, depth + 1);
    } else if (!value.is_null()) {
      arguments.push_back({keyword, {}, &value});
    }
  }

  void append_ends(const Json& value, std::vector<TensorRef>& found, int depth) const {
    if (depth > kMaxNesting) site().fail("its inputs or outputs are nested too deeply");
    if (is_text_list(value) && value.size() == 3)
      found.push_back(reference(value[0], value[1], value[2], true));
    else if (value.is_structured())
      for (const Json& part : value) append_ends(part, found, depth + 1);
    else
      site().fail("one of its inputs or outputs is {}, not a tensor", show(value));
  }

  bool keras2_;
  const Config& config_;
  Model& model_;
  std::unordered_map<std::string, int> index_;
  std::vector<int> count_;
};

}  // namespace

void read_calls(const KerasFile& file, const Config& config, Model& model,
                const std::vector<const Json*>& inbound) {
  CallReader reader(file, config, model, inbound);
  reader.read(inbound);
  model.inputs = reader.ends("input_layers");
  model.outputs = reader.ends("output_layers");
  for (const TensorRef& input : model.inputs)
    if (model.layers[static_cast<size_t>(input.layer)].class_name != "InputLayer")
      config.site().fail("its input '{}' isn't an InputLayer",
                         model.layers[static_cast<size_t>(input.layer)].name);
}

}  // namespace nnomc::keras
