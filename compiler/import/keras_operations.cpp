#include <algorithm>
#include <limits>

#include "compiler/import/keras_catalogue.hpp"
#include "compiler/import/keras_elementwise.hpp"
#include "compiler/import/keras_views.hpp"

namespace nnomc::keras {
namespace {

using nnom::Function;

template <Function function>
int function_of(LayerCall& call) {
  return apply(call, call.input(), function);
}

template <class O>
int reduce(LayerCall& call) {
  const int tensor = call.input();
  const int rank = call.shape(tensor).rank;
  if (!call.config.find("axis"))
    call.config.site().fail("not supported: no 'axis', which takes the batch along. Name the axes");
  const std::vector<int> gone = call.axes("axis", -1, rank);
  const bool keep = call.config.flag("keepdims", false) || call.config.flag("keep_dims", false);
  const int out = reduced<O>(call, tensor, gone, keep ? "" : "/keep");
  if (keep) return out;
  nnom::Transpose op;
  Shape to;
  int next = 0;
  for (int axis = 0; axis < rank; ++axis) {
    const int place = call.place_of(axis);
    if (std::count(gone.begin(), gone.end(), place)) continue;
    to.d[to.rank++] = call.shape(out)[place];
    op.order[next++] = place;
  }
  const bool moves = !std::is_sorted(op.order, op.order + next);
  for (const int place : gone) op.order[next++] = place;
  return call.reshape(moves ? call.add(op, {out}, "/order") : out, to);
}

int clip(LayerCall& call) {
  constexpr float kAll = std::numeric_limits<float>::max();
  nnom::Activation op;
  op.function = Function::clip;
  op.threshold = call.config.number("x_min", call.config.number("clip_value_min", -kAll));
  op.high = call.config.number("x_max", call.config.number("clip_value_max", kAll));
  return apply(call, call.input(), op);
}

int gelu(LayerCall& call) {
  const bool tanh = call.config.flag("approximate", !call.keras2());
  return apply(call, call.input(), tanh ? Function::gelu_tanh : Function::gelu);
}

int transpose(LayerCall& call) {
  const int tensor = call.input();
  const int rank = static_cast<int>(view_of(call.session(), tensor).dims.size());
  const char* key = call.keras2() ? "perm" : "axes";
  std::vector<int> order = call.config.integers(key, -rank - 1, rank);
  for (int& axis : order) axis = axis < 0 ? axis + rank : axis - 1;
  if (order.size() != static_cast<size_t>(rank) + 1 || order[0] != -1)
    call.config.site().fail("not supported: '{}' should begin with 0, the batch", key);
  return transposed(call, tensor, {order.begin() + 1, order.end()});
}

int swap_axes(LayerCall& call) {
  const int tensor = call.input();
  const int rank = static_cast<int>(view_of(call.session(), tensor).dims.size());
  std::vector<int> order;
  for (int i = 0; i < rank; ++i) order.push_back(i);
  std::swap(order[static_cast<size_t>(call.config.axis("axis1", 0, rank))],
            order[static_cast<size_t>(call.config.axis("axis2", 0, rank))]);
  return transposed(call, tensor, order);
}

int squeeze(LayerCall& call) {
  const int tensor = call.input();
  Dims to = view_of(call.session(), tensor).dims;
  if (call.config.find("axis")) {
    const int axis = call.config.axis("axis", 0, static_cast<int>(to.size()));
    if (to[static_cast<size_t>(axis)] != 1) call.config.site().fail("axis {} has not size 1", axis);
    to.erase(to.begin() + axis);
  } else {
    std::erase(to, 1);
  }
  return reshaped(call, tensor, to);
}

int expand_dims(LayerCall& call) {
  const int tensor = call.input();
  Dims to = view_of(call.session(), tensor).dims;
  to.insert(to.begin() + call.config.axis("axis", -1, static_cast<int>(to.size()) + 1), 1);
  return reshaped(call, tensor, to);
}

int stack(LayerCall& call) {
  std::vector<int> tensors = call.tensors();
  if (tensors.empty()) call.config.site().fail("it has no inputs");
  const Shape from = call.shape(tensors[0]);
  const int axis = call.config.axis("axis", 0, from.rank + 1);
  if (from.rank == 6) call.config.site().fail("not supported: more than six axes");
  for (int& tensor : tensors) {
    Shape to = call.shape(tensor);
    if (to != from) call.config.site().fail("its inputs differ in their shapes");
    std::copy_backward(to.d + axis, to.d + to.rank, to.d + to.rank + 1);
    to.d[axis] = 1;
    ++to.rank;
    tensor = call.reshape(tensor, to, "/one");
  }
  return joined(call, std::move(tensors), axis);
}

int flip(LayerCall& call) {
  const int tensor = call.input();
  nnom::Slice op;
  op.out = call.shape(tensor);
  if (!call.config.find("axis")) call.config.site().fail("not supported: no 'axis'");
  for (const int axis : call.axes("axis", -1, op.out.rank)) {
    op.begin[axis] = op.out[axis] - 1;
    op.step[axis] = -1;
  }
  return call.add(op, {tensor});
}

/// x[:, begin:end:step, index]: an index drops its axis.
int get_item(LayerCall& call) {
  const int tensor = call.input();
  const Config& config = call.config;
  const Json* spec = nullptr;
  for (const auto& o : call.operands)
    if (o.constant && (o.keyword.empty() || o.keyword == "slice_spec" || o.keyword == "key"))
      spec = o.constant;
  const Shape from = call.shape(tensor);
  if (!spec || !spec->is_array() || spec->size() > static_cast<size_t>(from.rank) + 1)
    config.site().fail("not supported: an index like {}", spec ? show(*spec) : "none");
  nnom::Slice op;
  op.out = from;
  Shape to;
  for (int i = -1; i < from.rank; ++i) {
    const auto entry_of_axis = static_cast<size_t>(i) + 1;  // the batch is before the axes
    const Json* part = entry_of_axis < spec->size() ? &(*spec)[entry_of_axis] : nullptr;
    if (part && text_or_empty(*part, "class_name") == "__slice__") part = find(*part, "config");
    const bool index = part && part->is_number_integer();
    if (part && !index && !part->contains("start"))
      config.site().fail("not supported: an index like {}", show(*part));
    const auto entry = [&](const char* key, int otherwise) {
      const Json* value = part ? find(*part, key) : nullptr;
      return value ? config.as_integer(*value, key, -kMaxElements, kMaxElements) : otherwise;
    };
    if (i < 0) {
      if (index || entry("start", 0) != 0 || entry("stop", kMaxElements) != kMaxElements ||
          entry("step", 1) != 1)
        config.site().fail("not supported: an index of the batch. Begin it with ':'");
      continue;
    }
    const int n = from[i];
    const auto within = [&](int at) { return std::clamp(at < 0 ? at + n : at, 0, n); };
    int step = index ? 1 : entry("step", 1);
    int begin = index ? config.as_integer(*part, "index", -n, n - 1) : entry("start", 0);
    if (step < 1) config.site().fail("not supported: a step of {}", step);
    begin = within(begin);
    const int end = index ? begin + 1 : within(entry("stop", n));
    if (end <= begin) config.site().fail("nothing is left of axis {}", i + 1);
    op.begin[i] = begin;
    op.step[i] = step;
    op.out.d[i] = (end - begin + step - 1) / step;
    if (!index) to.d[to.rank++] = op.out[i];
  }
  const bool drops = to.rank < op.out.rank;
  const int out = op.out == from ? tensor : call.add(op, {tensor}, drops ? "/slice" : "");
  return call.reshape(out, to);
}

/// What a function of Keras does that "activation" can name too.
#define NNOM_NAMED(...) [](LayerCall& call) { return named_activation(call, __VA_ARGS__); }

constexpr auto no_variables = nullptr;

constexpr LayerRow kOperations[] = {
    {"Absolute", function_of<Function::abs>, no_variables, kEach},
    {"Cast", identity, no_variables, kEach},
    {"Ceil", function_of<Function::ceil>, no_variables, kEach},
    {"Celu", NNOM_NAMED("celu", "alpha"), no_variables, kEach},
    {"Clip", clip, no_variables, kEach},
    {"Cos", function_of<Function::cos>, no_variables, kEach},
    {"Divide", divide, no_variables, kAnyOrder},
    {"Elu", NNOM_NAMED("elu", "alpha"), no_variables, kEach},
    {"Erf", function_of<Function::erf>, no_variables, kEach},
    {"Exp", function_of<Function::exponential>, no_variables, kEach},
    {"ExpandDims", expand_dims, no_variables, kViews},
    {"Flip", flip, no_variables, kAnyOrder},
    {"Floor", function_of<Function::floor>, no_variables, kEach},
    {"Gelu", gelu, no_variables, kEach},
    {"GetItem", get_item},
    {"Glu", glu, no_variables, kAnyOrder},
    {"HardSigmoid", NNOM_NAMED("hard_sigmoid"), no_variables, kEach},
    {"HardSilu", NNOM_NAMED("hard_silu"), no_variables, kEach},
    {"HardTanh", NNOM_NAMED("hard_tanh"), no_variables, kEach},
    {"LeakyRelu", NNOM_NAMED("leaky_relu", "negative_slope"), no_variables, kEach},
    {"Log", function_of<Function::log>, no_variables, kEach},
    {"LogSigmoid", NNOM_NAMED("log_sigmoid"), no_variables, kEach},
    {"LogSoftmax", log_softmax, no_variables, kAnyOrder},
    {"Matmul", matmul},
    {"Max", reduce<nnom::ReduceMax>, no_variables, kAnyOrder},
    {"Mean", mean, no_variables, kAnyOrder},
    {"Min", reduce<nnom::ReduceMin>, no_variables, kAnyOrder},
    {"Negative", negative, no_variables, kAnyOrder},
    {"Power", power, no_variables, kEach},
    {"Reciprocal", function_of<Function::reciprocal>, no_variables, kEach},
    {"Relu", NNOM_NAMED("relu"), no_variables, kEach},
    {"Relu6", NNOM_NAMED("relu6"), no_variables, kEach},
    {"Round", function_of<Function::round>, no_variables, kEach},
    {"Rsqrt", function_of<Function::rsqrt>, no_variables, kEach},
    {"Selu", NNOM_NAMED("selu"), no_variables, kEach},
    {"Sigmoid", NNOM_NAMED("sigmoid"), no_variables, kEach},
    {"Sign", function_of<Function::sign>, no_variables, kEach},
    {"Silu", NNOM_NAMED("silu"), no_variables, kEach},
    {"Sin", function_of<Function::sin>, no_variables, kEach},
    {"Softplus", NNOM_NAMED("softplus"), no_variables, kEach},
    {"Softsign", NNOM_NAMED("softsign"), no_variables, kEach},
    {"Sqrt", function_of<Function::sqrt>, no_variables, kEach},
    {"Square", function_of<Function::square>, no_variables, kEach},
    {"Squareplus", NNOM_NAMED("squareplus", "b"), no_variables, kEach},
    {"Squeeze", squeeze, no_variables, kViews},
    {"Stack", stack},
    {"Sum", reduce<nnom::Sum>, no_variables, kAnyOrder},
    {"Swapaxes", swap_axes, no_variables, kViews},
    {"Tanh", NNOM_NAMED("tanh"), no_variables, kEach},
    {"Transpose", transpose, no_variables, kViews},
    {"TrueDivide", divide, no_variables, kAnyOrder},

    {"__operators__.add", add, no_variables, kAnyOrder},
    {"__operators__.getitem", get_item},
    {"cast", identity, no_variables, kEach},
    {"clip_by_value", clip, no_variables, kEach},
    {"compat.v1.squeeze", squeeze, no_variables, kViews},
    {"compat.v1.transpose", transpose, no_variables, kViews},
    {"concat", concatenate, no_variables, kAnyOrder},
    {"expand_dims", expand_dims, no_variables, kViews},
    {"identity", identity, no_variables, kEach},
    {"linalg.matmul", matmul},
    {"math.abs", function_of<Function::abs>, no_variables, kEach},
    {"math.add", add, no_variables, kAnyOrder},
    {"math.add_n", add, no_variables, kAnyOrder},
    {"math.ceil", function_of<Function::ceil>, no_variables, kEach},
    {"math.divide", divide, no_variables, kAnyOrder},
    {"math.exp", function_of<Function::exponential>, no_variables, kEach},
    {"math.floor", function_of<Function::floor>, no_variables, kEach},
    {"math.l2_normalize", unit_normalization, no_variables, kAnyOrder},
    {"math.log", function_of<Function::log>, no_variables, kEach},
    {"math.maximum", maximum, no_variables, kAnyOrder},
    {"math.minimum", minimum, no_variables, kAnyOrder},
    {"math.multiply", multiply, no_variables, kAnyOrder},
    {"math.negative", negative, no_variables, kAnyOrder},
    {"math.pow", power, no_variables, kEach},
    {"math.reduce_max", reduce<nnom::ReduceMax>, no_variables, kAnyOrder},
    {"math.reduce_mean", mean, no_variables, kAnyOrder},
    {"math.reduce_min", reduce<nnom::ReduceMin>, no_variables, kAnyOrder},
    {"math.reduce_sum", reduce<nnom::Sum>, no_variables, kAnyOrder},
    {"math.rsqrt", function_of<Function::rsqrt>, no_variables, kEach},
    {"math.sigmoid", NNOM_NAMED("sigmoid"), no_variables, kEach},
    {"math.softplus", NNOM_NAMED("softplus"), no_variables, kEach},
    {"math.sqrt", function_of<Function::sqrt>, no_variables, kEach},
    {"math.square", function_of<Function::square>, no_variables, kEach},
    {"math.squared_difference", squared_difference, no_variables, kAnyOrder},
    {"math.subtract", subtract, no_variables, kAnyOrder},
    {"math.tanh", NNOM_NAMED("tanh"), no_variables, kEach},
    {"math.truediv", divide, no_variables, kAnyOrder},
    {"nn.bias_add", add, no_variables, kAnyOrder},
    {"nn.elu", NNOM_NAMED("elu"), no_variables, kEach},
    {"nn.gelu", gelu, no_variables, kEach},
    {"nn.leaky_relu", NNOM_NAMED("leaky_relu", "alpha"), no_variables, kEach},
    {"nn.log_softmax", log_softmax, no_variables, kAnyOrder},
    {"nn.relu", NNOM_NAMED("relu"), no_variables, kEach},
    {"nn.relu6", NNOM_NAMED("relu6"), no_variables, kEach},
    {"nn.selu", NNOM_NAMED("selu"), no_variables, kEach},
    {"nn.silu", NNOM_NAMED("silu"), no_variables, kEach},
    {"nn.softmax", softmax, no_variables, kAnyOrder},
    {"reshape", reshape, no_variables, kViews},
    {"stack", stack},
};

}  // namespace

int mean(LayerCall& call) { return reduce<nnom::Mean>(call); }

std::vector<std::string_view> operation_names() {
  std::vector<std::string_view> names;
  for (const LayerRow& row : kOperations) names.push_back(row.class_name);
  return names;
}

const LayerRow* find_operation(std::string_view class_name) {
  const auto row = std::find_if(std::begin(kOperations), std::end(kOperations),
                                [&](const LayerRow& r) { return r.class_name == class_name; });
  return row == std::end(kOperations) ? nullptr : row;
}

}  // namespace nnomc::keras
