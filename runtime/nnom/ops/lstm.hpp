/// \file
/// Lstm: long short-term memory over a sequence.
#pragma once

#include "nnom/recurrent.hpp"

namespace nnom {

/// For each row x of its input, from h = c = 0 (the zero point) or what the last run left:
///
///     i, f, o = logistic(W x + R h + b),  g = tanh(W x + R h + b),  each with its own W, R and b
///     c = f * c + i * g,  h = o * tanh(c)
///
/// and h is a row of its output. In a node, `weights` are the four W [units][inputs], then the four
/// R [units][units], and `bias` the four b, each in the order i, f, g, o (TFLite's). No peepholes,
/// no projection, no coupled gates, no layer normalisation.
struct Lstm {
  static constexpr const char* name = "Lstm";
  static constexpr int max_inputs = 1;
  static constexpr bool keeps_state = true, packs_weights = true, long_sums = true;
  static constexpr int gates = 4;

  template <class N>
  struct Data {
    using Numbers = N;
    using Rescale = either<N::quantised, Double, Unscaled>;

    const typename N::Weight *weights = nullptr, *recurrent = nullptr;  ///< four matrices each
    const typename N::Bias *bias = nullptr, *recurrent_bias = nullptr;  ///< zero points folded in
    bool joined[2]{};  ///< those for the input, for h; see Linear::joined
    typename Wide<N>::Rescale
        rescale[2 * gates]{};        ///< of the four products with the input, of those with h
    Rescale product{}, output{};     ///< of i * g, of o * tanh(c)
    typename N::In hidden_zero = 0;  ///< what h begins as
    int power = 0;                   ///< a cell is in units of 2^power
    typename Gates<N>::Value clip = most();  ///< the largest cell, either way
    Clamp<N> finish{};

    static constexpr typename Gates<N>::Value most() {
      if constexpr (N::quantised)
        return INT16_MAX;
      else
        return __builtin_huge_valf();
    }
    static constexpr void fields(auto& d, auto visit) {
      visit("weights", d.weights), visit("recurrent", d.recurrent);
      visit("bias", d.bias), visit("recurrent_bias", d.recurrent_bias);
      if constexpr (N::quantised) {
        visit("joined", d.joined), visit("rescale", d.rescale), visit("product", d.product),
            visit("output", d.output);
        visit("hidden_zero", d.hidden_zero), visit("power", d.power), visit("clip", d.clip);
      }
      visit("finish", d.finish);
    }
  };

  bool stateful = false;  ///< h and c stay from one run to the next
  float clip = 0;         ///< limits c to [-clip, clip], if it is not 0
  int units = 0;
  int steps = 0, inputs = 0;

  constexpr Matrix matrix(bool recurrent) const { return {units, 1, recurrent ? units : inputs}; }
  constexpr int constants() const { return gates * units * (inputs + units); }
  constexpr int biases() const { return gates * units; }
  constexpr int64_t macs() const { return int64_t{steps} * constants(); }
  constexpr Inferred infer(const Shape* x, int) {
    if (x[0].rank != 2) return {{}, "its input must have two axes besides the batch"};
    if (units < 1 || units > 1 << 13) return {{}, "its number of units makes no sense"};
    if (x[0].back() > 1 << 13) return {{}, "its input has too many features"};
    steps = x[0][0], inputs = x[0][1];
    return {{2, {steps, units}}};
  }
  template <class N>
  constexpr Memory memory() const {
    const int state = units * int{sizeof(typename Gates<N>::Value) + sizeof(typename N::In)};
    const int row = int{sizeof(typename N::Out)};
    Memory m;
    m.scratch = Scratch<N>(*this).bytes + (stateful ? 0 : state);
    m.state = stateful ? state : 0;
    // A row of the output is written when the input's has been read.
    m.lead = lead_of(steps, units * row, steps, inputs * row, [](int y) { return y + 1; });
    return m;
  }
  static constexpr void fields(auto& op, auto visit) {
    visit("stateful", op.stateful), visit("clip", op.clip), visit("units", op.units);
    visit("steps", op.steps), visit("inputs", op.inputs);
  }

  template <class N>
  static void reset(const Lstm& op, const Data<N>& d, unsigned char* state) {
    if (op.stateful) clear<N>(op, d, state);
  }
  template <class N>
  static void clear(const Lstm& op, const Data<N>& d, unsigned char* state) {
    auto* const cell = reinterpret_cast<typename Gates<N>::Value*>(state);
    auto* const hidden = reinterpret_cast<typename N::In*>(cell + op.units);
    for (int u = 0; u < op.units; ++u) cell[u] = 0, hidden[u] = d.hidden_zero;
  }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const Lstm& op, const Data<N>& d, const Io<Lstm, N>& io) {
    using G = Gates<N, T>;
    using Value = typename G::Value;
    const Scratch<N> s(op);
    auto* const x_sum = reinterpret_cast<typename N::Acc*>(io.scratch);
    auto* const h_sum = x_sum + gates * op.units;
    auto* const gate = reinterpret_cast<Value*>(io.scratch + s.gates);
    unsigned char* const state = op.stateful ? io.state : io.scratch + s.bytes;
    auto* const cell = reinterpret_cast<Value*>(state);
    auto* const hidden = reinterpret_cast<typename N::In*>(cell + op.units);
    if (!op.stateful) clear<N>(op, d, state);
    for (int t = 0; t < op.steps; ++t) {
      const LineOf<N>* const x =
          line_of<T, N>(io.in[0].base + t * op.inputs, op.inputs, io.scratch + s.x);
      const LineOf<N>* const h = line_of<T, N>(hidden, op.units, io.scratch + s.h);
      op.sum<T, N>(x, op.matrix(false), d.weights, d.bias, d.joined[0], x_sum);
      op.sum<T, N>(h, op.matrix(true), d.recurrent, d.recurrent_bias, d.joined[1], h_sum);
      const bool brief = d.joined[0] && d.joined[1];
      for (int g = 0; g < gates; ++g) {
        const int b = g * op.units;
        const auto squash_by = [&]<auto function>() NNOM_INLINE {
          squash<T, G, function>(x_sum + b, h_sum + b, d.rescale[g], d.rescale[gates + g], brief,
                                 gate + b, op.units);
        };
        if (g == 2)
          squash_by.template operator()<G::tanh>();
        else
          squash_by.template operator()<G::logistic>();
      }
      typename N::Out* const out = io.out.base + t * op.units;
      const auto update = [&](auto product, auto output) NNOM_INLINE {
        const Value largest = d.clip;  // int8 stores alias everything
        const Clamp<N> limit = d.finish;
        const int count = op.units, power = d.power;
        for (int u = 0; u < count; ++u) {
          const Value* const v = gate + u;
          const auto c = G::cell(v[count], cell[u], v[0], v[2 * count], power, product);
          const auto next = static_cast<Value>(c > largest ? largest : c < -largest ? -largest : c);
          cell[u] = next;
          out[u] = hidden[u] = limit(output(v[3 * count] * G::cell_tanh(next, power)));
        }
      };
      if (nnom::brief(d.product) && nnom::brief(d.output))
        update(T::brief(d.product), T::brief(d.output));
      else
        update(d.product, d.output);
    }
  }

 private:
  /// Sums of all gates with an input: at once if their matrices are packed as one would be.
  template <class T, class N>
  [[gnu::always_inline]] void sum(const LineOf<N>* line, const Matrix& m,
                                  const typename N::Weight* weights, const typename N::Bias* bias,
                                  bool joined, typename N::Acc* out) const {
    const int together = units % N::Layout::rows ? 1 : gates;
    const Matrix of_all{together * units, m.taps, m.length};
    for (int g = 0; g < gates; g += together, out += of_all.rows) {
      sum_line<T, N>(line, of_all, weights, bias, joined, out);
      weights += N::Layout::size(of_all), bias += of_all.rows;
    }
  }

  /// gate[i] = function(sum(x[i], h[i])) for i < n, x and h scaled; if `brief`, they are below
  /// 2^23. On its own it keeps all it needs in registers.
  template <class T, class G, auto function, class Sum, class Rescale>
  [[gnu::noinline]] static void squash(const Sum* x, const Sum* h, Rescale of_x, Rescale of_h,
                                       bool brief, typename G::Value* gate, int n) {
    const auto loop = [&](auto scaled_x, auto scaled_h) NNOM_INLINE {
      for (int i = 0; i < n; ++i)
        gate[i] = static_cast<typename G::Value>(function(G::sum(scaled_x(x[i]), scaled_h(h[i]))));
    };
    if (brief && nnom::brief(of_x) && nnom::brief(of_h))
      loop(T::brief(of_x), T::brief(of_h));
    else
      loop(of_x, of_h);
  }

  /// Where what lies in scratch memory: two sums and a value for each gate, lines of x and h.
  template <class N>
  struct Scratch {
    int gates, x, h, bytes;

    constexpr explicit Scratch(const Lstm& op)
        : gates(2 * Lstm::gates * op.units * int{sizeof(typename N::Acc)}),
          x(round_up(gates + Lstm::gates * op.units * int{sizeof(typename Gates<N>::Value)}, 4)),
          h(x + line_bytes<N>(op.inputs)),
          bytes(round_up(h + line_bytes<N>(op.units), 8)) {}
  };
};

}  // namespace nnom
