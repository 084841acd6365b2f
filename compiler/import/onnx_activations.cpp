#include <algorithm>
#include <cmath>
#include <limits>

#include "compiler/import/onnx_elementwise.hpp"

namespace nnomc::onnx {
namespace {

using nnom::Function;

constexpr float kNoLimit = std::numeric_limits<float>::infinity();

Values apply(Call& call, Function function, float slope = 0, float threshold = 0,
             float high = kNoLimit) {
  nnom::Activation op;
  op.function = function;
  op.slope = slope;
  op.threshold = threshold;
  op.high = high;
  return {call.made(call.add(op, {call.in(0).tensor}), call.in(0))};
}

/// Softmax over an axis; until operator set 13 over that and all that follow.
Value softmax_value(Call& call, bool log) {
  const Value& in = call.in(0);
  const bool all = call.opset() < 13;
  if (in.rank() == 0) call.fail("its input is a single number");
  const int axis = call.axis(call.integer("axis", all ? 1 : -1), in.rank());
  std::vector<int> order, last;
  for (const int a : call.order_of(in, {axis}))
    (a == axis || (all && a > axis) ? last : order).push_back(a);
  if (all) std::sort(last.begin(), last.end());
  const size_t rows = order.size();
  order.insert(order.end(), last.begin(), last.end());
  int tensor = call.arrange(in, order);
  if (last.size() > 1) {
    Dims merged;
    for (size_t i = 0; i < rows; ++i) merged.push_back(call.shape(tensor)[static_cast<int>(i)]);
    merged.push_back(1);
    for (const int a : last) merged.back() *= in[a];
    tensor = call.reshape(tensor, call.shape_of(merged));
  }
  nnom::Softmax op;
  op.log = log;
  return call.made(call.add(op, {tensor}), in.dims, order);
}

}  // namespace

Values elu(Call& call) { return apply(call, Function::elu, call.real("alpha", 1)); }

Values gelu(Call& call) {
  const bool tanh = call.text("approximate", "none") == "tanh";
  return apply(call, tanh ? Function::gelu_tanh : Function::gelu);
}

Values hard_sigmoid(Call& call) {
  return apply(call, Function::hard_sigmoid, call.real("alpha", 0.2F), call.real("beta", 0.5F));
}

Values hard_swish(Call& call) { return apply(call, Function::hard_silu, 1.0F / 6, 0.5F); }

Values leaky_relu(Call& call) { return apply(call, Function::relu, call.real("alpha", 0.01F)); }

Values clip(Call& call) {
  const auto limit = [&](size_t input, const char* name, float otherwise) {
    if (call.opset() < 11) return call.real(name, otherwise);
    if (!call.has(input)) return otherwise;
    if (call.constant(input).data.size() != 1) call.fail("its limit '{}' is not one number", name);
    return static_cast<float>(call.constant(input).data[0]);
  };
  const float low = limit(1, "min", -kNoLimit), high = limit(2, "max", kNoLimit);
  const Value& in = call.in(0);
  if (call.session().quantised && is_integer(in.type))
    return {limited_stored(call, in, double{low}, double{high})};
  Value out = limited(call, in, low, high);
  out.type = in.type;
  return {out};
}

Value limited(Call& call, const Value& in, float low, float high) {
  if (low == 0 && high >= 0) {
    nnom::Activation op;
    op.function = Function::relu;
    op.high = high;
    return nnomc::onnx::apply(call, in, op);
  }
  Value out = in;
  if (low > -kNoLimit)
    out = elementwise(call, nnom::Maximum{}, {out, number(double{low})},
                      high < kNoLimit ? "/low" : "");
  if (high < kNoLimit) out = elementwise(call, nnom::Minimum{}, {out, number(double{high})});
  return out;
}

Values celu(Call& call) { return apply(call, Function::celu, call.real("alpha", 1)); }

Values thresholded_relu(Call& call) {
  return apply(call, Function::thresholded_relu, 0, call.real("alpha", 1));
}

Values selu(Call& call) {
  const float alpha = call.real("alpha", 1.67326319F), gamma = call.real("gamma", 1.05070102F);
  const auto is_usual = [](float v, double usual) { return std::fabs(double{v} - usual) < 1e-6; };
  if (is_usual(alpha, 1.6732632423543772) && is_usual(gamma, 1.0507009873554805))
    return apply(call, Function::selu);
  nnom::Activation elu;
  elu.function = Function::elu;
  elu.slope = alpha;
  return {times(call, nnomc::onnx::apply(call, call.in(0), elu, "/elu"), number(double{gamma}))};
}

Values softmax(Call& call) { return {softmax_value(call, false)}; }

Values log_softmax(Call& call) { return {softmax_value(call, true)}; }

}  // namespace nnomc::onnx
