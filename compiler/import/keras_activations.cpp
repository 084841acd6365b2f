#include <algorithm>
#include <limits>

#include "compiler/import/keras_catalogue.hpp"
#include "compiler/import/keras_elementwise.hpp"

namespace nnomc::keras {
namespace {

using nnom::Function;

constexpr float kNoLimit = std::numeric_limits<float>::infinity();
constexpr int kMaxNesting = 4;  // of Activation in an activation

/// One activation function of Keras, by name.
struct FunctionRow {
  std::string_view name;
  Function function;
  float slope = 0, threshold = 0, high = kNoLimit;
};

constexpr FunctionRow kFunctions[] = {
    {"celu", Function::celu, 1},
    {"elu", Function::elu, 1},
    {"exponential", Function::exponential},
    {"gelu", Function::gelu},
    {"hard_shrink", Function::hard_shrink, 0, 0.5F},
    {"hard_sigmoid", Function::hard_sigmoid, 1.0F / 6, 0.5F},
    {"hard_silu", Function::hard_silu, 1.0F / 6, 0.5F},
    {"hard_swish", Function::hard_silu, 1.0F / 6, 0.5F},
    {"hard_tanh", Function::clip, 0, -1, 1},
    {"leaky_relu", Function::relu, 0.2F},
    {"linear", Function::linear},
    {"log_sigmoid", Function::log_sigmoid},
    {"mish", Function::mish},
    {"relu", Function::relu},
    {"relu6", Function::relu, 0, 0, 6},
    {"selu", Function::selu},
    {"sigmoid", Function::sigmoid},
    {"silu", Function::silu},
    {"soft_shrink", Function::soft_shrink, 0, 0.5F},
    {"softplus", Function::softplus},
    {"softsign", Function::softsign},
    {"sparse_plus", Function::sparse_plus},
    {"sparse_sigmoid", Function::hard_sigmoid, 0.5F, 0.5F},
    {"squareplus", Function::squareplus, 4},
    {"swish", Function::silu},
    {"tanh", Function::tanh},
    {"tanh_shrink", Function::tanh_shrink},
};

/// Functions that Keras 2 defines otherwise.
constexpr FunctionRow kFunctions2[] = {
    {"hard_sigmoid", Function::hard_sigmoid, 0.2F, 0.5F},
};

template <size_t n>
const FunctionRow* find_in(const FunctionRow (&rows)[n], std::string_view name) {
  const auto row = std::find_if(std::begin(rows), std::end(rows),
                                [&](const FunctionRow& r) { return r.name == name; });
  return row == std::end(rows) ? nullptr : row;
}

/// The name in the "activation" field: a text, or a function as an object. "" for anything else.
std::string function_name(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return text_or_empty(value, "class_name") == "function" ? text_or_empty(value, "config") : "";
}

int apply_row(LayerCall& call, int tensor, const FunctionRow& row, std::string_view suffix) {
  if (row.function == Function::linear) return tensor;
  nnom::Activation op;
  op.function = row.function;
  op.slope = row.slope;
  op.threshold = row.threshold;
  op.high = row.high;
  return apply(call, tensor, op, suffix);
}

/// Half of an axis gated by the sigmoid of the other half.
int glu_over(LayerCall& call, int tensor, int axis, const std::string& suffix) {
  nnom::Slice half;
  half.out = call.shape(tensor);
  if (half.out.rank == 0) call.config.site().fail("its input is a single number");
  if (half.out[axis] % 2)
    call.config.site().fail("glu halves an axis of {} entries", half.out[axis]);
  half.out.d[axis] /= 2;
  const int value = call.add(half, {tensor}, suffix + "/value");
  half.begin[axis] = half.out[axis];
  const int gate = call.add(half, {tensor}, suffix + "/half");
  return times(call, value, apply(call, gate, Function::sigmoid, suffix + "/gate"), suffix);
}

int softmax_over(LayerCall& call, int tensor, int axis, const std::string& suffix, bool log) {
  nnom::Softmax op;
  op.log = log;
  return call.with_axis_last(tensor, axis, suffix,
                             [&](int moved) { return call.add(op, {moved}, suffix); });
}

int apply_named(LayerCall& call, int tensor, const std::string& name, const std::string& suffix) {
  const int rank = call.shape(tensor).rank;
  // Channels first, what a layer made of its input may have lost axes.
  const bool same_axes = call.arrangement.order.size() == static_cast<size_t>(rank);
  const int last = same_axes ? call.place_of(rank - 1) : rank - 1;
  if (name == "glu") return glu_over(call, tensor, last, suffix);
  if (name == "softmax") return softmax_over(call, tensor, last, suffix, false);
  if (name == "log_softmax") return softmax_over(call, tensor, last, suffix, true);
  const FunctionRow* row = call.keras2() ? find_in(kFunctions2, name) : nullptr;
  if (!row) row = find_in(kFunctions, name);
  if (!row) call.config.site().fail("activation '{}' is not supported", name);
  return apply_row(call, tensor, *row, suffix);
}

bool is_function(const std::string& name) {
  return name == "glu" || name == "softmax" || name == "log_softmax" || find_in(kFunctions, name);
}

/// Whether a layer may stand in an "activation" field.
bool is_activation_layer(std::string_view class_name) {
  constexpr std::string_view kNames[] = {"Activation", "ELU",  "Identity",
                                         "LeakyReLU",  "ReLU", "Softmax"};
  return std::find(std::begin(kNames), std::end(kNames), class_name) != std::end(kNames);
}

std::optional<std::string> why_unsupported(const Json& value, int depth) {
  const std::string name = function_name(value);
  if (is_function(name)) return {};
  if (!name.empty()) return fmt::format(", activation '{}'", name);
  const std::string class_name = text_or_empty(value, "class_name");
  const Json* fields = find(value, "config");
  if (!is_activation_layer(class_name) || !fields || depth > kMaxNesting)
    return fmt::format(", activation {}", show(value));
  const Json* inner = find(*fields, "activation");
  return inner ? why_unsupported(*inner, depth + 1) : std::nullopt;
}

int activate(LayerCall& call, int tensor, const std::string& suffix) {
  const Json* value = call.config.find("activation");
  if (!value) return tensor;
  const std::string name = function_name(*value);
  if (!name.empty()) return apply_named(call, tensor, name, suffix);
  const std::string class_name = text_or_empty(*value, "class_name");
  const Json* fields = find(*value, "config");
  const LayerRow* row = is_activation_layer(class_name) ? find_layer(class_name) : nullptr;
  if (!row || !fields) call.config.site().fail("activation {} is not supported", show(*value));
  Site site = call.config.site();
  site.class_name = class_name;
  LayerCall inner(call.session(), call.name() + suffix, Config(*fields, site), nullptr,
                  {{"", tensor, nullptr}}, call.arrangement);
  return row->add(inner);
}

}  // namespace

std::vector<std::string_view> activation_names() {
  std::vector<std::string_view> names = {"glu", "log_softmax", "softmax"};
  for (const FunctionRow& row : kFunctions) names.push_back(row.name);
  return names;
}

int activate(LayerCall& call, int tensor) { return activate(call, tensor, "/activation"); }

nnom::GateFunction gate_function(const Config& config, bool keras2, std::string_view key,
                                 std::string_view otherwise) {
  const Json* value = config.find(key);
  const std::string name = value ? function_name(*value) : std::string(otherwise);
  const FunctionRow* row = keras2 ? find_in(kFunctions2, name) : nullptr;
  if (!row) row = find_in(kFunctions, name);
  nnom::GateFunction f;
  if (row) f = {row->function, row->slope, row->threshold};
  // A ReLU with parameters is none.
  if (!row || !f.known() || (f.function == Function::relu && name != "relu"))
    config.site().fail("{} {} is not supported", key, value ? show(*value) : name);
  return f;
}

std::optional<std::string> why_unsupported_activation(const Config& config) {
  const Json* value = config.find("activation");
  return value ? why_unsupported(*value, 0) : std::nullopt;
}

int activation(LayerCall& call) { return activate(call, call.input(), ""); }

int elu(LayerCall& call) {
  return apply_row(call, call.input(), {"", Function::elu, call.config.number("alpha", 1)}, "");
}

int glu(LayerCall& call) {
  const int tensor = call.input();
  return glu_over(call, tensor, call.axis("axis", -1, call.shape(tensor).rank), "");
}

int leaky_relu(LayerCall& call) {
  const float alpha = call.config.number("alpha", 0.3F);  // Keras 2
  const float slope = call.config.number("negative_slope", alpha);
  return apply_row(call, call.input(), {"", Function::relu, slope}, "");
}

/// One slope for each element, or along "shared_axes" the same.
int prelu(LayerCall& call) {
  const int tensor = call.input();
  const Config& config = call.config;
  const int rank = call.shape(tensor).rank, leading = call.arrangement.leading;
  std::vector<int> dims;
  for (int axis = leading; axis < rank; ++axis)
    dims.push_back(call.shape(tensor)[call.place_of(axis)]);
  if (config.find("shared_axes"))
    for (const int axis : config.integers("shared_axes", -rank, rank)) {
      const int at = axis < 0 ? axis + rank - leading : axis - 1;
      if (axis == 0 || at < 0 || at >= rank - leading)
        config.site().fail("'shared_axes' names axis {}", axis);
      dims[static_cast<size_t>(at)] = 1;
    }
  const Value slopes = numbers(call, dims, call.weight("alpha", dims));
  if (slopes.data.size() == 1)
    return apply_row(call, tensor, {"", Function::relu, slopes.data[0]}, "");
  return elementwise(call, nnom::PRelu{}, {tensor, slopes});
}

int relu(LayerCall& call) {
  const FunctionRow row{"", Function::relu, call.config.number("negative_slope", 0),
                        call.config.number("threshold", 0),
                        call.config.number("max_value", kNoLimit)};
  return apply_row(call, call.input(), row, "");
}

int softmax(LayerCall& call) {
  const int tensor = call.input();
  return softmax_over(call, tensor, call.axis("axis", -1, call.shape(tensor).rank), "", false);
}

int log_softmax(LayerCall& call) {
  const int tensor = call.input();
  return softmax_over(call, tensor, call.axis("axis", -1, call.shape(tensor).rank), "", true);
}

int thresholded_relu(LayerCall& call) {
  const FunctionRow row{"", Function::thresholded_relu, 0, call.config.number("theta", 1)};
  return apply_row(call, call.input(), row, "");
}

int named_activation(LayerCall& call, const char* name, const char* parameter) {
  const FunctionRow* row = find_in(kFunctions, name);
  if (!row || !parameter || !call.config.find(parameter))
    return apply_named(call, call.input(), name, "");
  FunctionRow own = *row;
  own.slope = call.config.number(parameter, own.slope);
  return apply_row(call, call.input(), own, "");
}

}  // namespace nnomc::keras
