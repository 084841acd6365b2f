// Layers that remember.
#include <cmath>

#include "compiler/import/tflite_operators.hpp"

namespace nnomc::tflite {
namespace {

constexpr int kGates = 4;
// Inputs of UNIDIRECTIONAL_SEQUENCE_LSTM: those that stand for gates have one for each.
constexpr int kWeights = 1, kRecurrent = 5, kPeephole = 9, kBias = 12, kProjection = 16,
              kHidden = 18, kCell = 19, kNormalisation = 20;

void check_variable(const Call& call, int i, int size) {
  if (call.in(i).is_constant || call.in(i).size() != size)
    call.fail("its input '{}' is not a state of {} elements", call.in(i).name, size);
}

/// Appends constant `i` of `size` elements to the weights of `node`; in a quantised graph it is of
/// type `type`.
void add_matrix(const Call& call, int i, size_t size, Node& node,
                format::ElementType type = format::ElementType_int8) {
  const std::vector<float> values = call.reals(i);
  const Value& v = call.in(i);
  if (values.size() != size)
    call.fail("its input '{}' has {} elements instead of {}", v.name, values.size(), size);
  node.weights.insert(node.weights.end(), values.begin(), values.end());
  if (!call.quantised()) return;
  if (!v.scale || v.scale->zero != 0 || v.type != type)
    call.fail("its weights '{}' are not {} around zero with one scale", v.name,
              format::EnumNameElementType(type));
  node.stored->scale.push_back(static_cast<float>(v.scale->scale));
}

/// Appends the biases of input `i`.
void add_bias(const Call& call, int i, size_t size, Node& node) {
  const std::vector<float> values = call.reals(i);
  if (values.size() != size) call.fail("it has {} biases instead of {}", values.size(), size);
  node.bias.insert(node.bias.end(), values.begin(), values.end());
  const bool wide = call.out().type == format::ElementType_int16;
  if (call.quantised() &&
      call.in(i).type != (wide ? format::ElementType_int64 : format::ElementType_int32))
    call.fail("its biases are not {}", wide ? "int64" : "int32");
  if (call.quantised())
    for (const double b : call.in(i).constant) node.stored->bias.push_back(whole(b));
}

/// What an LSTM keeps between its runs.
std::vector<Quantisation> inner_scales(const Call& call) {
  const auto &hidden = call.in(kHidden).scale, &cell = call.in(kCell).scale;
  const Value* product = call.between(4);
  if (!hidden || !cell || call.in(kCell).type != format::ElementType_int16 ||
      call.in(kHidden).type != call.out().type)
    call.fail("its states are not of its output's type and an int16 cell");
  const double power = std::log2(cell->scale);
  if (power != std::round(power) || power < -15 || power > -9 || cell->zero != 0)
    call.fail("its cell's scale {} is no power of two from 2^-15 to 2^-9", cell->scale);
  return {*hidden, *cell, product && product->scale ? *product->scale : *hidden};
}

}  // namespace

void unidirectional_sequence_lstm(Call& call) {
  const auto& o = call.options<format::SequenceLstmOptions>();
  if (o.activation() != format::Fused_tanh) call.fail("only tanh is supported as its activation");
  if (call.in(0).rank() != 3) call.fail("its input has {} axes, not 3", call.in(0).rank());
  if (!call.has(kWeights) || !call.has(kRecurrent)) call.fail("coupled gates are not supported");
  if (call.in(kRecurrent).rank() != 2)
    call.fail("its recurrent weights have {} axes, not 2", call.in(kRecurrent).rank());
  for (int i = kPeephole; i < kBias; ++i)
    if (call.has(i)) call.fail("peepholes are not supported");
  if (call.has(kProjection) || call.has(kProjection + 1))
    call.fail("a projection is not supported");
  for (int i = kNormalisation; i < kNormalisation + kGates; ++i)
    if (call.has(i)) call.fail("layer normalisation is not supported");
  const int time = o.time_major() ? 0 : 1;
  if (call.in(0).dims[static_cast<size_t>(1 - time)] != 1)
    call.fail("only a batch of 1 is supported");
  const int steps = call.in(0).dims[static_cast<size_t>(time)], inputs = call.in(0).dims[2];
  nnom::Lstm op;
  op.units = call.in(kRecurrent).dims[0];
  op.stateful = true;
  op.clip = o.cell_clip();
  for (const int state : {kHidden, kCell}) check_variable(call, state, op.units);
  const auto units = static_cast<size_t>(op.units);
  Node node;
  node.inputs = {call.reshape(call.tensor(0), {2, {steps, inputs}})};
  if (call.quantised()) node.stored.emplace().inner = inner_scales(call);
  for (int g = 0; g < kGates; ++g)
    add_matrix(call, kWeights + g, units * static_cast<size_t>(inputs), node);
  for (int g = 0; g < kGates; ++g) add_matrix(call, kRecurrent + g, units * units, node);
  for (int g = 0; g < kGates; ++g) add_bias(call, kBias + g, units, node);
  node.op = op;
  call.set(call.add(std::move(node), call.out().scale));
}

void svdf(Call& call) {
  constexpr int kFeatures = 1, kTime = 2, kBiases = 3, kMemory = 4;
  const auto& o = call.options<format::SvdfOptions>();
  for (const int i : {kFeatures, kTime})
    if (call.in(i).rank() != 2) call.fail("its weights have {} axes, not 2", call.in(i).rank());
  const int filters = call.in(kFeatures).dims[0], inputs = call.in(kFeatures).dims[1];
  nnom::Svdf op;
  op.rank = o.rank();
  op.memory_size = call.in(kTime).dims[1];
  if (op.rank < 1 || filters % op.rank)
    call.fail("its rank of {} makes no sense for {} filters", op.rank, filters);
  op.units = filters / op.rank;
  if (call.in(kTime).dims[0] != filters)
    call.fail("its weights have {} and {} filters", filters, call.in(kTime).dims[0]);
  if (call.in(0).size() != inputs) call.fail("only a batch of 1 is supported");
  check_variable(call, kMemory, filters * op.memory_size);
  const auto all = static_cast<size_t>(filters);
  Node node;
  node.inputs = {call.reshape(call.tensor(0), {1, {inputs}})};
  // The integer kernels take a RELU and don't apply it.
  if (!call.quantised()) node.range = range_of(call, o.activation());
  if (call.quantised()) {
    const auto& memory = call.in(kMemory).scale;
    if (!memory || memory->zero != 0) call.fail("its state has no scale, or a zero point");
    node.stored.emplace().inner = {*memory};
  }
  add_matrix(call, kFeatures, all * static_cast<size_t>(inputs), node);
  add_matrix(call, kTime, all * static_cast<size_t>(op.memory_size), node,
             format::ElementType_int16);
  if (call.has(kBiases)) add_bias(call, kBiases, static_cast<size_t>(op.units), node);
  node.op = op;
  call.set(call.add(std::move(node), call.out().scale));
}

}  // namespace nnomc::tflite
