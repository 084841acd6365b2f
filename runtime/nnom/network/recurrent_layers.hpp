/// \file
/// Recurrent layers for models made by hand, as in layers.hpp.
#pragma once

#include "nnom/network/layer.hpp"

namespace nnom::layers {

/// What else a recurrent layer may be told.
struct Recurrence {
  bool sequences = false;  ///< an output for each step: {steps, units}; else of the last: {units}
  bool stateful = false;   ///< its state stays from one run to the next, until reset()
  bool backwards = false;  ///< it begins at the last step
  Function activation = Function::tanh;  ///< or relu, linear, sigmoid
  Function gate = Function::sigmoid;     ///< or hard_sigmoid (of GateFunction's slope and offset)
  Bias recurrent_bias{};                 ///< as `bias`, added to the products with the state
  Quantisation out = unknown;            ///< known by itself where the activation is bounded
};
template <class Op>
constexpr Layer<Op> recurrent(int units, Weights weights, Weights of_state, Bias bias,
                              const Recurrence& r) {
  Layer<Op> l;
  l.op.units = units, l.op.sequences = r.sequences, l.op.stateful = r.stateful;
  l.op.backwards = r.backwards;
  l.op.functions[kGateFunction].function = r.gate;
  l.op.functions[kCandidateFunction].function = r.activation;
  l.op.functions[kOutputFunction].function = r.activation;
  l.settings.weights = weights, l.settings.recurrent = of_state;
  l.settings.bias = bias, l.settings.recurrent_bias = r.recurrent_bias, l.settings.out = r.out;
  return l;
}
/// {steps, inputs} -> {units}; weights [units][inputs], of the state [units][units].
constexpr auto simple_rnn(int units, Weights weights, Weights of_state, Bias bias = {},
                          const Recurrence& r = {}) {
  return recurrent<RnnLayer>(units, weights, of_state, bias, r);
}
/// The same of three gates one after the other: z, r, n.
constexpr auto gru(int units, Weights weights, Weights of_state, Bias bias = {},
                   const Recurrence& r = {}, bool reset_after = true) {
  auto l = recurrent<GruLayer>(units, weights, of_state, bias, r);
  l.op.cell.reset_after = reset_after;
  return l;
}
/// The same of four gates: i, f, g, o.
constexpr auto lstm(int units, Weights weights, Weights of_state, Bias bias = {},
                    const Recurrence& r = {}) {
  return recurrent<LstmLayer>(units, weights, of_state, bias, r);
}

}  // namespace nnom::layers
