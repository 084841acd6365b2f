/// \file
/// Svdf: a fully connected layer over time, its weights split into factors.
#pragma once

#include "nnom/recurrent.hpp"

namespace nnom {

/// Of each run's input x every filter keeps one number, for the last `memory` runs:
///
///     m[f] = (m[f][1 ..], features[f] . x)
///     out[u] = bias[u] + sum over its `rank` filters f and over k of m[f][k] * time[f][k]
///
/// In a node, `weights` are features [units * rank][inputs], then time [units * rank][memory].
/// Source: "Compressing deep neural networks using a rank-constrained topology" (Nakkiran et al.
/// 2015), and TFLite's svdf.
struct Svdf {
  static constexpr const char* name = "Svdf";
  static constexpr int max_inputs = 1;
  static constexpr bool keeps_state = true, packs_weights = true, int8_only = true;

  template <class N>
  struct Data {
    using Numbers = N;
    using Rescale = typename Wide<N>::Rescale;
    using Time = either<N::quantised, int16_t, float>;

    const typename N::Weight* features = nullptr;
    const typename N::Bias* offset = nullptr;  ///< of each filter: the input's zero point
    const Time* time = nullptr;
    const typename N::Bias* bias = nullptr;
    Rescale rescale{}, output{};  ///< of features, of outputs
    Clamp<N> clamp{};

    static constexpr void fields(auto& d, auto visit) {
      visit("features", d.features), visit("offset", d.offset), visit("time", d.time);
      visit("bias", d.bias);
      if constexpr (N::quantised) visit("rescale", d.rescale), visit("output", d.output);
      visit("clamp", d.clamp);
    }
  };

  int units = 0, rank = 1, memory_size = 0;
  int inputs = 0;

  constexpr int filters() const { return units * rank; }
  constexpr Matrix matrix() const { return {filters(), 1, inputs}; }
  constexpr int constants() const { return filters() * (inputs + memory_size); }
  constexpr int biases() const { return units; }
  constexpr int64_t macs() const { return constants(); }
  constexpr Inferred infer(const Shape* x, int) {
    if (x[0].size() != x[0].back()) return {{}, "its input must have one axis besides the batch"};
    constexpr int most = 1 << 13;
    if (units < 1 || rank < 1 || memory_size < 1 || units > most || rank > most / units ||
        memory_size > most || x[0].back() > most)
      return {{}, "its sizes make no sense"};
    inputs = x[0].back();
    Shape s = x[0];
    if (s.rank) s.d[s.rank - 1] = units;
    return s.rank ? Inferred{s} : Inferred{{1, {units}}};
  }
  template <class N>
  constexpr Memory memory() const {
    Memory m;
    m.scratch = round_up(filters() * int{sizeof(typename Wide<N>::Out)}, 4) + line_bytes<N>(inputs);
    m.lead = -inputs * int{sizeof(typename N::In)};
    m.state = filters() * memory_size * int{sizeof(typename Gates<N>::Value)};
    return m;
  }
  static constexpr void fields(auto& op, auto visit) {
    visit("units", op.units), visit("rank", op.rank), visit("memory_size", op.memory_size);
    visit("inputs", op.inputs);
  }

  template <class N>
  static void reset(const Svdf& op, const Data<N>&, unsigned char* state) {
    __builtin_memset(state, 0, static_cast<size_t>(op.memory<N>().state));
  }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const Svdf& op, const Data<N>& d, const Io<Svdf, N>& io) {
    using Value = typename Gates<N>::Value;
    using Total = typename Wide<N>::Out;
    auto* const sum = reinterpret_cast<Total*>(io.scratch);
    auto* const state = reinterpret_cast<Value*>(io.state);
    const int size = op.memory_size;
    unsigned char* const line = io.scratch + round_up(op.filters() * int{sizeof(Total)}, 4);
    multiply_line<T, N>(line_of<T, N>(io.in[0].base, op.inputs, line),
                        {op.matrix(), d.features, d.offset, &d.rescale}, sum);
    __builtin_memmove(state, state + 1,
                      static_cast<size_t>(op.filters() * size - 1) * sizeof(Value));
    for (int f = 0; f < op.filters(); ++f) {
      Value& last = state[f * size + size - 1];
      if constexpr (N::quantised)
        last = static_cast<Value>(clamp16(sum[f]));
      else
        last = sum[f];
    }
    const Value* m = state;
    const auto* w = d.time;
    for (int u = 0; u < op.units; ++u) {
      using A = either<N::quantised, uint32_t, typename N::Acc>;  // it may wrap
      A acc = static_cast<A>(d.bias[u]);
      for (int i = 0; i < op.rank * size; ++i) acc += static_cast<A>(*m++ * *w++);
      io.out.base[u] = d.clamp(d.output(static_cast<typename N::Acc>(acc)));
    }
  }
};

}  // namespace nnom
