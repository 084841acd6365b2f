// QuantizeLinear and DequantizeLinear, and the operators that are another between them: QLinearConv
// and its like.
#include <algorithm>
#include <cmath>
#include <limits>

#include "compiler/import/onnx_elementwise.hpp"
#include "compiler/quantise/fixed_point.hpp"

namespace nnomc::onnx {
namespace {

/// real = scale * (stored - zero): one for all, or one for each entry of axis `axis`.
struct Steps {
  Type type;
  std::vector<float> scale;
  std::vector<double> zero;
  size_t axis = 0;

  double scale_at(size_t i) const { return double{scale[scale.size() == 1 ? 0 : i]}; }
  double zero_at(size_t i) const { return zero[zero.size() == 1 ? 0 : i]; }
};

struct Ends {
  double low, high;
};
Ends ends_of(Type type) {
  const bool is_signed = type == Type::i8 || type == Type::i16 || type == Type::i32;
  const int bits = type == Type::i8 || type == Type::u8     ? 8
                   : type == Type::i16 || type == Type::u16 ? 16
                                                            : 32;
  const double count = std::ldexp(1, bits);
  return {is_signed ? -count / 2 : 0, is_signed ? count / 2 - 1 : count - 1};
}

bool is_byte(Type type) { return type == Type::i8 || type == Type::u8; }

/// What inputs `at` and `at` + 1 say of `value`; `axis` is its axis of several scales.
Steps steps_of(const Call& call, const Value& value, Type type, size_t at, int axis) {
  const Constant& scale = call.constant(at);
  Steps steps{type, reals_of(scale.data), {0}, 0};
  if (call.has(at + 1)) {
    const Constant& zero = call.constant(at + 1);
    steps.type = zero.type;
    steps.zero = zero.data;
    if (steps.zero.size() != steps.scale.size())
      call.fail("it has {} scales and {} zero points", steps.scale.size(), steps.zero.size());
  }
  if (!is_byte(steps.type) && steps.type != Type::i16 && steps.type != Type::u16 &&
      steps.type != Type::i32)
    call.fail("not supported: quantised numbers of type {}", static_cast<int>(steps.type));
  if (steps.scale.empty()) call.fail("it has no scale");
  for (const float s : steps.scale)
    if (!(s > 0) || !std::isfinite(s)) call.fail("its scale is {}", s);
  const Ends ends = ends_of(steps.type);
  for (const double z : steps.zero)
    if (z != std::round(z) || z < ends.low || z > ends.high) call.fail("its zero point is {}", z);
  if (steps.scale.size() == 1) return steps;
  steps.axis = static_cast<size_t>(call.axis(axis, value.rank()));
  if (scale.dims.size() != 1 || value.dims[steps.axis] != static_cast<int64_t>(steps.scale.size()))
    call.fail("it has scales of shape {} for axis {} of {}", show(scale.dims), steps.axis,
              show(value.dims));
  return steps;
}

/// The place of each element of a constant among its scales.
std::vector<size_t> places_of(const Constant& c, const Steps& steps) {
  size_t inner = 1;
  for (size_t i = steps.axis + 1; i < c.dims.size(); ++i) inner *= static_cast<size_t>(c.dims[i]);
  std::vector<size_t> places(c.data.size());
  for (size_t i = 0; i < places.size(); ++i) places[i] = i / inner % steps.scale.size();
  return places;
}

/// One number for each entry of the axis, to be broadcast.
Value along(const Value& value, const Steps& steps, std::vector<double> numbers) {
  if (numbers.size() == 1) return number(numbers[0]);
  Dims dims(value.dims.size(), 1);
  dims[steps.axis] = static_cast<int64_t>(numbers.size());
  Constant c{Type::f32, dims, std::move(numbers)};
  return {Type::f32, dims, std::make_shared<const Constant>(std::move(c)), -1, {}};
}

/// Of one tensor; uint8 is int8 with everything moved by 128. Nothing for what isn't int8.
std::optional<Quantisation> as_int8(const Steps& steps) {
  if (!is_byte(steps.type) || steps.scale.size() != 1) return {};
  const int moved = steps.type == Type::u8 ? 128 : 0;
  return Quantisation{steps.scale_at(0), static_cast<int>(steps.zero_at(0)) - moved};
}

/// Keeps the scale of a tensor that means real numbers.
Value quantised_tensor(Call& call, const Value& x, const Steps& steps) {
  const auto scale = as_int8(steps);
  nnom::Activation op;
  if (!scale) {
    std::string& why = call.session().partly;
    if (why.empty())
      why = fmt::format("node '{}' ({}) quantises to {}", call.node().name, call.node().op_type,
                        is_byte(steps.type) ? "several scales" : "other numbers than int8");
    const bool from_zero = std::all_of(steps.zero.begin(), steps.zero.end(),
                                       [&](double z) { return z == ends_of(steps.type).low; });
    if (from_zero) op.function = nnom::Function::relu;
  }
  Value out = call.made(call.add(op, {x.tensor}), x, steps.type);
  call.session().graph.tensors.back().quantisation = scale;
  return out;
}

Value quantised(Call& call, const Value& x, const Steps& steps) {
  const Ends ends = ends_of(steps.type);
  if (x.constant) {
    Constant c{steps.type, x.dims, x.constant->data};
    const std::vector<size_t> places = places_of(c, steps);
    for (size_t i = 0; i < c.data.size(); ++i) {
      const float ratio =
          static_cast<float>(c.data[i]) / static_cast<float>(steps.scale_at(places[i]));
      const double stored = double{std::nearbyint(ratio)} + steps.zero_at(places[i]);
      c.data[i] =
          std::isnan(stored) ? steps.zero_at(places[i]) : std::clamp(stored, ends.low, ends.high);
    }
    return call.made(std::move(c));
  }
  if (call.session().quantised) return quantised_tensor(call, x, steps);
  const Value scale = along(x, steps, {steps.scale.begin(), steps.scale.end()});
  Value out = apply(call, elementwise(call, nnom::Div{}, {x, scale}, "/steps"),
                    nnom::Function::round, "/round");
  out = plus(call, out, along(x, steps, steps.zero), "/zero");
  nnom::Activation limits;
  limits.function = nnom::Function::clip;
  limits.threshold = static_cast<float>(ends.low), limits.high = static_cast<float>(ends.high);
  out = apply(call, out, limits);
  out.type = steps.type;
  return out;
}

/// The tensor of a quantised model that `x` is means real numbers already.
Value real_tensor(Call& call, Value x, const Steps& steps) {
  x.type = Type::f32;
  const auto scale = as_int8(steps);
  auto& known = call.session().graph.tensors[static_cast<size_t>(x.tensor)].quantisation;
  if (!scale || known == scale) return x;
  if (!known) {
    known = scale;
    return x;
  }
  x.tensor = call.add(nnom::Reshape{call.shape(x.tensor)}, {x.tensor}, "/restated");
  call.session().graph.tensors.back().quantisation = scale;
  return x;
}

Value dequantised(Call& call, const Value& x, const Steps& steps) {
  if (x.constant) {
    Constant c{Type::f32, x.dims, x.constant->data, steps.scale, steps.axis};
    const std::vector<size_t> places = places_of(c, steps);
    for (size_t i = 0; i < c.data.size(); ++i)
      c.data[i] = (c.data[i] - steps.zero_at(places[i])) * steps.scale_at(places[i]);
    return call.made(std::move(c));
  }
  if (call.session().quantised) return real_tensor(call, x, steps);
  std::vector<double> zeros;
  for (const double z : steps.zero) zeros.push_back(-z);
  Value out = plus(call, x, along(x, steps, std::move(zeros)), "/zero");
  out = times(call, out, along(x, steps, {steps.scale.begin(), steps.scale.end()}));
  out.type = Type::f32;
  return out;
}

/// Input `at`, which its scale and zero point follow.
Value real(Call& call, size_t at, int axis = 1) {
  const Value& x = call.in(at);
  return dequantised(call, x, steps_of(call, x, x.type, at + 1, axis));
}

/// `x` as inputs `at` and `at` + 1 say.
Value stored(Call& call, const Value& x, size_t at, Type otherwise) {
  return quantised(call, x, steps_of(call, x, otherwise, at, 1));
}

/// Biases in units of the input's scale times the weights' and `factor`.
Value biases(Call& call, const Value& bias, size_t in_scale, size_t weight_scale, double factor) {
  if (!bias.constant) call.fail("not supported yet: biases that the model computes");
  if (call.constant(in_scale).data.size() != 1)
    call.fail("not supported: biases of an input of several scales");
  Steps steps{Type::i32, reals_of(call.constant(weight_scale).data), {0}, 0};
  for (float& s : steps.scale) {
    s *= static_cast<float>(call.constant(in_scale).data[0] * factor);
    if (!(s > 0) || !std::isfinite(s)) call.fail("the scale of its biases would be {}", s);
  }
  if (bias.dims.empty() || size_of(bias.dims) != bias.dims.back() ||
      (steps.scale.size() != 1 && static_cast<int64_t>(steps.scale.size()) != bias.dims.back()))
    call.fail("biases of shape {} don't fit {} scales", show(bias.dims), steps.scale.size());
  steps.axis = bias.dims.size() - 1;
  return dequantised(call, bias, steps);
}

/// Options of onnxruntime's operators that ONNX's own don't have.
void check_options(const Call& call) {
  if (call.flag("channels_last", false)) call.fail("not supported: 'channels_last'");
  call.integer("opset", 0);  // of the Softmax that it was
}

int axis_of(const Call& call) {
  const int64_t axis = call.integer("axis", 1);
  if (call.integer("block_size", 0) != 0) call.fail("not supported: scales of blocks");
  call.flag("saturate", true);   // of other types
  call.integer("precision", 0);  // of the division
  return static_cast<int>(std::clamp<int64_t>(axis, -100, 100));
}

}  // namespace

Value unscaled(Call& call, const Value& value) {
  return dequantised(call, value, {value.type, {1}, {0}, 0});
}

double meant_by(Call& call, const Value& value, double v) {
  const auto& scale = call.session().graph.tensors[static_cast<size_t>(value.tensor)].quantisation;
  if (!scale) call.fail("not supported: before the scale of its input is known");
  if (!(std::fabs(v) < 1000)) call.fail("a stored number is {}", v);
  return dequantise(static_cast<int>(v) - (value.type == Type::u8 ? 128 : 0), *scale);
}

Value limited_stored(Call& call, const Value& value, double low, double high) {
  Graph& graph = call.session().graph;
  const int producer = graph.producer(value.tensor);
  const auto* op =
      producer < 0 ? nullptr
                   : std::get_if<nnom::Activation>(&graph.nodes[static_cast<size_t>(producer)].op);
  if (!op || op->function != nnom::Function::linear)
    call.fail("not supported: but for the output of a QuantizeLinear");
  Value in = value;
  in.tensor = graph.nodes[static_cast<size_t>(producer)].inputs[0];
  const auto real = [&](double v) {
    return std::isinf(v) ? static_cast<float>(v) : static_cast<float>(meant_by(call, value, v));
  };
  const Value out = limited(call, in, real(low), real(high));
  const auto scale = graph.tensors[static_cast<size_t>(value.tensor)].quantisation;
  Value stored = call.made(call.add(nnom::Activation{}, {out.tensor}), out, value.type);
  graph.tensors.back().quantisation = scale;
  return stored;
}

Values quantize_linear(Call& call) {
  const int axis = axis_of(call);
  const auto wanted = static_cast<Type>(call.integer("output_dtype", 0));
  const Type type = wanted == Type::none ? Type::u8 : wanted;
  return {quantised(call, call.in(0), steps_of(call, call.in(0), type, 1, axis))};
}

Values dequantize_linear(Call& call) {
  const int axis = axis_of(call);
  call.integer("output_dtype", 0);
  return {real(call, 0, axis)};
}

template <Values (*function)(Call&), int operands>
Values qlinear(Call& call) {
  check_options(call);
  Values given;
  for (size_t i = 0; i < operands; ++i) given.push_back(real(call, 3 * i, -1));
  return {stored(call, call.as(function, std::move(given))[0], 3 * operands, call.in(0).type)};
}
template Values qlinear<add, 2>(Call&);
template Values qlinear<multiply, 2>(Call&);
template Values qlinear<matmul, 2>(Call&);
template Values qlinear<average_pool, 1>(Call&);
template Values qlinear<global_average_pool, 1>(Call&);
template Values qlinear<leaky_relu, 1>(Call&);
template Values qlinear<softmax, 1>(Call&);
template Values qlinear<activation<nnom::Function::sigmoid>, 1>(Call&);

Values qlinear_conv(Call& call) {
  Values given{real(call, 0), real(call, 3, 0)};
  if (call.has(8)) given.push_back(biases(call, call.in(8), 1, 4, 1));
  return {stored(call, call.as(conv, std::move(given))[0], 6, call.in(0).type)};
}

Values qgemm(Call& call) {
  const bool turned = call.flag("transB", false);
  Values given{real(call, 0), real(call, 3, turned ? 0 : 1)};
  if (call.has(6)) given.push_back(biases(call, call.in(6), 1, 4, double{call.real("alpha", 1)}));
  const Value out = call.as(gemm, std::move(given))[0];
  return {call.has(7) ? stored(call, out, 7, call.in(0).type) : out};
}

/// The scale and zero point of the output come first.
Values qlinear_concat(Call& call) {
  Values given;
  for (size_t i = 2; i < call.inputs.size(); i += 3) given.push_back(real(call, i));
  if (given.empty()) call.fail("it has no inputs");
  return {stored(call, call.as(concat, std::move(given))[0], 0, call.in(2).type)};
}

}  // namespace nnomc::onnx
