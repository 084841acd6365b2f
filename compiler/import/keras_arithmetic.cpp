#include <algorithm>
#include <cmath>

#include "compiler/import/keras_layers.hpp"

namespace nnomc::keras {
namespace {

std::vector<float> filled(int count, float value) {
  return std::vector<float>(static_cast<size_t>(count), value);
}

/// `constant` for each entry of the last axis of a tensor. Error if it isn't the same along the
/// other axes.
std::vector<float> per_channel(const LayerCall& call, const Constant& constant, int tensor,
                               std::string_view what) {
  const int channels = call.shape(tensor).back();
  if (constant.data.size() == 1) return filled(channels, constant.data.front());
  if (constant.shape.back() != channels || constant.data.size() != static_cast<size_t>(channels))
    call.config.site().fail(
        "not supported yet: {} of shape {} on {}: it should be one number, or one for each of "
        "the {} channels",
        what, show_shape(constant.shape), to_string(call.shape(tensor)), channels);
  return constant.data;
}

std::vector<float> constant_field(const LayerCall& call, std::string_view key, float otherwise,
                                  int tensor) {
  const Json* value = call.config.find(key);
  if (!value) return filled(call.shape(tensor).back(), otherwise);
  return per_channel(call, call.config.as_constant(*value, key), tensor, key);
}

/// A layer's variable with one value for each channel, or one for all.
std::vector<float> channel_weight(const LayerCall& call, std::string_view variable, int tensor) {
  const int channels = call.shape(tensor).back();
  const auto weight = call.weight(variable, {channels});
  return {weight.begin(), weight.end()};
}

/// The operands of an operator: tensors, and constants that stand for numbers.
std::vector<LayerCall::Operand> operands_of(const LayerCall& call) {
  std::vector<LayerCall::Operand> found;
  for (const auto& o : call.operands) {
    const bool named = !o.keyword.empty() && o.keyword != "x" && o.keyword != "y" &&
                       o.keyword != "x1" && o.keyword != "x2";
    if (o.tensor >= 0 || !named) found.push_back(o);
  }
  return found;
}

/// The operands of an operator that takes two.
std::pair<LayerCall::Operand, LayerCall::Operand> pair_of(const LayerCall& call) {
  const auto found = operands_of(call);
  if (found.size() != 2 || (found[0].tensor < 0 && found[1].tensor < 0))
    call.config.site().fail("it should have two inputs, not {}", found.size());
  return {found[0], found[1]};
}

std::vector<float> operand_values(const LayerCall& call, const LayerCall::Operand& o, int tensor) {
  return per_channel(call, call.config.as_constant(*o.constant, "a constant"), tensor,
                     "a constant");
}

int negate(LayerCall& call, int tensor, std::string_view suffix) {
  return call.scale(tensor, filled(call.shape(tensor).back(), -1), {}, suffix);
}

}  // namespace

/// Layer and operator: the sum of all tensors and constants.
int add(LayerCall& call) {
  const auto operands = operands_of(call);
  int sum = -1, partial = 1;
  size_t left = operands.size();
  // The last node bears the layer's name.
  const auto suffix = [&] { return --left ? fmt::format("/sum{}", partial++) : std::string(); };
  for (const auto& o : operands) {
    if (o.tensor < 0) continue;
    if (sum < 0) {
      sum = o.tensor;
      --left;
    } else {
      const std::string name = suffix();
      sum = call.add(nnom::Add{}, {sum, o.tensor}, name);
    }
  }
  if (sum < 0) call.config.site().fail("it has no inputs");
  for (const auto& o : operands) {
    if (o.tensor >= 0) continue;
    std::vector<float> values = operand_values(call, o, sum);
    const std::string name = suffix();
    sum = call.scale(sum, filled(call.shape(sum).back(), 1), std::move(values), name);
  }
  return sum;
}

int subtract(LayerCall& call) {
  const auto [a, b] = pair_of(call);
  if (b.tensor < 0) {
    std::vector<float> offset = operand_values(call, b, a.tensor);
    for (float& v : offset) v = -v;
    return call.scale(a.tensor, filled(call.shape(a.tensor).back(), 1), std::move(offset));
  }
  if (a.tensor < 0)
    return call.scale(b.tensor, filled(call.shape(b.tensor).back(), -1),
                      operand_values(call, a, b.tensor));
  const int negated = negate(call, b.tensor, "/negative");
  return call.add(nnom::Add{}, {a.tensor, negated});
}

int multiply(LayerCall& call) {
  const auto [a, b] = pair_of(call);
  if (a.tensor >= 0 && b.tensor >= 0)
    call.config.site().fail("not supported yet: the product of two tensors");
  const auto& [tensor, constant] = a.tensor >= 0 ? std::pair(a, b) : std::pair(b, a);
  return call.scale(tensor.tensor, operand_values(call, constant, tensor.tensor), {});
}

int divide(LayerCall& call) {
  const auto [a, b] = pair_of(call);
  if (b.tensor >= 0) call.config.site().fail("not supported yet: division by a tensor");
  std::vector<float> factor = operand_values(call, b, a.tensor);
  for (float& v : factor) v = 1 / v;
  return call.scale(a.tensor, std::move(factor), {});
}

int negative(LayerCall& call) { return negate(call, call.input(), ""); }

int concatenate(LayerCall& call) {
  std::vector<int> tensors = call.tensors();
  if (tensors.empty()) call.config.site().fail("it has no inputs");
  Config config = call.config;
  Json with_axis;
  for (const auto& o : call.operands)
    if (o.constant && o.keyword == "axis") {  // TensorFlow's function has it as an argument
      with_axis = {{"axis", *o.constant}};
      config = Config(with_axis, config.site());
    }
  nnom::Concat op;
  op.axis = config.axis("axis", -1, call.shape(tensors.front()).rank);
  constexpr size_t kMost = nnom::Concat::max_inputs;
  for (int part = 1; tensors.size() > kMost;) {
    std::vector<int> joined;
    for (size_t i = 0; i < tensors.size(); i += kMost) {
      const size_t end = std::min(i + kMost, tensors.size());
      std::vector<int> some(tensors.begin() + static_cast<std::ptrdiff_t>(i),
                            tensors.begin() + static_cast<std::ptrdiff_t>(end));
      joined.push_back(some.size() == 1
                           ? some.front()
                           : call.add(op, std::move(some), fmt::format("/part{}", part++)));
    }
    tensors = std::move(joined);
  }
  return tensors.size() == 1 ? tensors.front() : call.add(op, std::move(tensors));
}

int batch_normalization(LayerCall& call) {
  const int tensor = call.input();
  const Config& config = call.config;
  const int rank = call.shape(tensor).rank;
  const int axis = config.axis("axis", -1, rank);
  if (config.flag("renorm", false)) config.site().fail("not supported yet: 'renorm'");
  const double epsilon = double{config.number("epsilon", 1e-3F)};
  const int channels = call.shape(tensor)[axis];
  const auto mean = call.weight("moving_mean", {channels});
  const auto variance = call.weight("moving_variance", {channels});
  std::span<const float> gamma, beta;
  if (config.flag("scale", true)) gamma = call.weight("gamma", {channels});
  if (config.flag("center", true)) beta = call.weight("beta", {channels});
  std::vector<float> factors, offsets;
  for (size_t c = 0; c < mean.size(); ++c) {
    const double factor =
        (gamma.empty() ? 1.0 : double{gamma[c]}) / std::sqrt(double{variance[c]} + epsilon);
    factors.push_back(static_cast<float>(factor));
    offsets.push_back(
        static_cast<float>((beta.empty() ? 0.0 : double{beta[c]}) - double{mean[c]} * factor));
  }
  return call.with_axis_last(tensor, axis, "", [&](int moved) {
    return call.scale(moved, std::move(factors), std::move(offsets));
  });
}

int rescaling(LayerCall& call) {
  const int tensor = call.input();
  return call.scale(tensor, constant_field(call, "scale", 1, tensor),
                    constant_field(call, "offset", 0, tensor));
}

int normalization(LayerCall& call) {
  const int tensor = call.input();
  const Config& config = call.config;
  const int rank = call.shape(tensor).rank;
  const Json* axis = config.find("axis");
  const bool all = !axis || (axis->is_array() && axis->empty());
  if (!all && config.axis("axis", -1, rank) != rank - 1)
    config.site().fail("not supported yet: axis {}: use the last, the channels", show(*axis));
  std::vector<float> mean, variance;
  if (config.find("mean")) {
    mean = constant_field(call, "mean", 0, tensor);
    variance = constant_field(call, "variance", 1, tensor);
  } else if (all) {
    mean = filled(call.shape(tensor).back(), call.weight("mean", {}).front());
    variance = filled(call.shape(tensor).back(), call.weight("variance", {}).front());
  } else {
    mean = channel_weight(call, "mean", tensor);
    variance = channel_weight(call, "variance", tensor);
  }
  constexpr double kEpsilon = 1e-7;  // of Keras's back end
  const bool invert = config.flag("invert", false);
  std::vector<float> factors, offsets;
  for (size_t c = 0; c < mean.size(); ++c) {
    const double deviation = std::max(std::sqrt(double{variance[c]}), kEpsilon);
    factors.push_back(static_cast<float>(invert ? deviation : 1 / deviation));
    offsets.push_back(static_cast<float>(invert ? double{mean[c]} : -double{mean[c]} / deviation));
  }
  return call.scale(tensor, std::move(factors), std::move(offsets));
}

}  // namespace nnomc::keras
