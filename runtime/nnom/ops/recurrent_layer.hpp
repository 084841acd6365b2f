/// \file
/// Recurrent layers: a cell that is run for each row of a sequence.
#pragma once

#include "nnom/cells.hpp"

namespace nnom {

/// What a state is before the first step.
enum class Begin : int { zero, constant, input };

/// Runs its cell for each row of the input [steps][inputs] (or [steps][batch][inputs], each row of
/// the batch by itself); h of each step is a row of the output, or h of the last one all of it. In
/// a node, `weights` are the W [units][inputs] of all gates, the R [units][units] of all gates,
/// what h and then c are at first where that is a constant ([batch][units]), and the cell's own;
/// `bias` are those of all gates that are added to W x, then those that are added to R h.
template <class Cell>
struct RecurrentLayer {
  static constexpr const char* name = Cell::layer;
  static constexpr int states = Cell::states, gates = Cell::gates;
  static constexpr int max_inputs = 1 + states;
  static constexpr bool keeps_state = true, packs_weights = true, int8_only = true;

  template <class N>
  struct Data {
    using Numbers = N;
    using Rescale = typename Wide<N>::Rescale;
    using Stored = typename Inner<N>::Stored;

    const typename N::Weight *weights = nullptr, *recurrent = nullptr;  ///< a matrix for each gate
    /// Of each row, like the factors from its sums to the units of its gate.
    const typename N::Bias *bias = nullptr, *recurrent_bias = nullptr;
    const Rescale *rescale = nullptr, *recurrent_rescale = nullptr;
    const Stored *initial = nullptr, *peepholes = nullptr;
    typename Inner<N>::Squash squash[kGateFunctions]{};
    typename N::In zero[states]{};  ///< of the inputs that states begin as
    Rescale begin[states]{};        ///< from those to the units of h and c
    Rescale output{};               ///< from these, as Inner::shown has them, to the output's
    int hidden_bits = 0, cell_bits = 0, peephole_bits = 0;
    Clamp<N> finish{};

    static constexpr void fields(auto& d, auto visit) {
      visit("weights", d.weights), visit("recurrent", d.recurrent);
      visit("bias", d.bias), visit("recurrent_bias", d.recurrent_bias);
      if constexpr (N::quantised)
        visit("rescale", d.rescale), visit("recurrent_rescale", d.recurrent_rescale);
      visit("initial", d.initial), visit("peepholes", d.peepholes);
      if constexpr (N::quantised) {
        visit("squash", d.squash), visit("zero", d.zero), visit("begin", d.begin);
        visit("output", d.output), visit("hidden_bits", d.hidden_bits);
        visit("cell_bits", d.cell_bits), visit("peephole_bits", d.peephole_bits);
      }
      visit("finish", d.finish);
    }
  };

  /// Values that the output may show; gate g is kGate + g.
  static constexpr int kHidden = 0, kCell = 1, kGate = 2;

  Cell cell{};
  GateFunction functions[kGateFunctions]{{}, {Function::tanh}, {Function::tanh}};
  Begin begin[states]{};
  bool backwards = false;  ///< begins at the last row; row t of the output still belongs to row t
  bool sequences = true;   ///< one row of output for each step, not for the last one alone
  bool stateful = false;   ///< states stay from one run to the next
  int shown = kHidden;
  int units = 0;
  int steps = 0, batch = 1, inputs = 0;

  constexpr Matrix matrix(bool recurrent) const { return {units, 1, recurrent ? units : inputs}; }
  constexpr int matrices() const { return gates * units * (inputs + units); }
  constexpr int initial() const {
    int n = 0;
    for (const Begin b : begin) n += b == Begin::constant ? batch * units : 0;
    return n;
  }
  constexpr int constants() const { return matrices() + initial() + cell.constants(units); }
  constexpr int biases() const { return 2 * gates * units; }
  constexpr int64_t macs() const { return int64_t{steps} * batch * matrices(); }
  constexpr Inferred infer(const Shape* x, int n) {
    const Shape& s = x[0];
    if (s.rank != 2 && s.rank != 3) return {{}, "its input must have a time axis and features"};
    if (units < 1 || units > 1 << 13) return {{}, "its number of units makes no sense"};
    if (s.back() > 1 << 13) return {{}, "its input has too many features"};
    for (const GateFunction& f : functions)
      if (!f.known()) return {{}, "one of its functions is not supported"};
    steps = s[0], batch = s.rank == 3 ? s[1] : 1, inputs = s.back();
    int given = 1;
    for (const Begin b : begin) {
      if (b != Begin::input) continue;
      if (stateful) return {{}, "it keeps its state, so it can't be given one"};
      if (given == n || x[given].size() != batch * units)
        return {{}, "the state it is given has not its units"};
      ++given;
    }
    if (given != n) return {{}, "it has more inputs than states to begin with"};
    if (sequences)
      return {s.rank == 2 ? Shape{2, {steps, units}} : Shape{3, {steps, batch, units}}};
    return {s.rank == 2 ? Shape{1, {units}} : Shape{2, {batch, units}}};
  }
  template <class N>
  constexpr Memory memory() const {
    const int in = inputs * int{sizeof(typename N::In)}, out = units * int{sizeof(typename N::Out)};
    Memory m;
    m.scratch = Places<N>(*this).bytes + (stateful ? 0 : state_bytes<N>());
    m.state = stateful ? batch * state_bytes<N>() : 0;
    if (batch > 1 || (sequences && backwards)) return m;
    m.lead = sequences ? lead_of(steps, out, steps, in, [](int y) { return y + 1; }) : -steps * in;
    return m;
  }
  static constexpr void fields(auto& op, auto visit) {
    visit("cell", op.cell), visit("functions", op.functions), visit("begin", op.begin);
    visit("backwards", op.backwards), visit("sequences", op.sequences);
    visit("stateful", op.stateful), visit("shown", op.shown), visit("units", op.units);
    visit("steps", op.steps), visit("batch", op.batch), visit("inputs", op.inputs);
  }

  template <class N>
  static void reset(const RecurrentLayer& op, const Data<N>& d, unsigned char* state) {
    for (int b = 0; op.stateful && b < op.batch; ++b)
      start<N>(op, d, b, state + b * state_bytes<N>(op), nullptr);
  }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const RecurrentLayer& op, const Data<N>& d,
                                         const Io<RecurrentLayer, N>& io) {
    const Places<N> p(op);
    for (int b = 0; b < op.batch; ++b) {
      unsigned char* const state =
          op.stateful ? io.state + b * state_bytes<N>(op) : io.scratch + p.bytes;
      if (!op.stateful) start<N>(op, d, b, state, io.in);
      const Step<N> s(op, d, p, io.scratch, state);
      for (int i = 0; i < op.steps; ++i) {
        const int t = op.backwards ? op.steps - 1 - i : i;
        step<T, N>(s, io.in[0].base + (t * op.batch + b) * op.inputs, p, io.scratch);
        if (op.sequences || i == op.steps - 1)
          show<N>(s, io.out.base + ((op.sequences ? t * op.batch : 0) + b) * op.units);
      }
    }
  }

 private:
  /// Where what lies in scratch memory: two sums a unit, the gates, lines of x and of the reset h.
  template <class N>
  struct Places {
    int gate, line, reset, bytes;

    constexpr explicit Places(const RecurrentLayer& op)
        : gate(2 * op.units * int{sizeof(typename Wide<N>::Out)}),
          line(round_up(gate + gates * op.units * int{sizeof(typename Inner<N>::Value)}, 4)),
          reset(line + line_bytes<N>(op.inputs)),
          bytes(round_up(reset + (op.cell.takes_reset(2) ? hidden_bytes<N>(op) : 0), 8)) {}
  };

  /// A state: c, if there is one, then h, which is read in whole steps of the packing.
  template <class N>
  static constexpr int hidden_bytes(const RecurrentLayer& op) {
    return round_up(op.units, N::Layout::depth) * int{sizeof(typename Inner<N>::Stored)};
  }
  template <class N>
  static constexpr int cell_bytes(const RecurrentLayer& op) {
    return states > 1 ? round_up(op.units * int{sizeof(typename Inner<N>::Value)}, 4) : 0;
  }
  template <class N>
  static constexpr int state_bytes(const RecurrentLayer& op) {
    return round_up(cell_bytes<N>(op) + hidden_bytes<N>(op), 8);
  }
  template <class N>
  constexpr int state_bytes() const {
    return state_bytes<N>(*this);
  }

  template <class N>
  struct Step {
    using I = Inner<N>;

    const RecurrentLayer& op;
    const Data<N>& d;
    CellMemory<N> m;
    typename Wide<N>::Out *x_sum, *h_sum;

    Step(const RecurrentLayer& o, const Data<N>& data, const Places<N>& p, unsigned char* scratch,
         unsigned char* state)
        : op(o),
          d(data),
          m{reinterpret_cast<typename I::Value*>(scratch + p.gate),
            reinterpret_cast<typename I::Value*>(state),
            reinterpret_cast<typename I::Stored*>(state + cell_bytes<N>(o)),
            reinterpret_cast<typename I::Stored*>(scratch + p.reset)},
          x_sum(reinterpret_cast<typename Wide<N>::Out*>(scratch)),
          h_sum(x_sum + o.units) {}
  };

  /// Writes what the states of row `b` of the batch are at first.
  template <class N>
  static void start(const RecurrentLayer& op, const Data<N>& d, int b, unsigned char* state,
                    const View<const typename N::In>* in) {
    using I = Inner<N>;
    const auto* constant = d.initial;
    for (int k = 0; k < states; ++k) {
      auto* const cell = reinterpret_cast<typename I::Value*>(state);
      auto* const hidden = reinterpret_cast<typename I::Stored*>(state + cell_bytes<N>(op));
      const typename N::In* given = nullptr;
      if (op.begin[k] == Begin::input) given = (++in)->base + b * op.units;
      for (int u = 0; u < op.units; ++u) {
        typename I::Value v = 0;
        if (given)
          v = static_cast<typename I::Value>(
              I::narrow(d.begin[k](static_cast<typename N::Acc>(given[u] - d.zero[k]))));
        else if (op.begin[k] == Begin::constant)
          v = constant[b * op.units + u];
        if (k == 0)
          hidden[u] = static_cast<typename I::Stored>(v);
        else
          cell[u] = v;
      }
      if (op.begin[k] == Begin::constant) constant += op.batch * op.units;
    }
  }

  template <class T, class N>
  static void step(const Step<N>& s, const typename N::In* x, const Places<N>& p,
                   unsigned char* scratch) {
    using H = LineNumbers<N, typename Inner<N>::Stored>;
    const RecurrentLayer& op = s.op;
    const Data<N>& d = s.d;
    const LineOf<N>* const line = line_of<T, N>(x, op.inputs, scratch + p.line);
    const int sizes[2] = {N::Layout::size(op.matrix(false)), N::Layout::size(op.matrix(true))};
    for (int g = 0; g < gates; ++g) {
      const int b = g * op.units;
      Cell::prepare(s, g);
      const auto own = [&](const auto* rescale) { return rescale ? rescale + b : nullptr; };
      multiply_line<T, N>(
          line, {op.matrix(false), d.weights + g * sizes[0], d.bias + b, own(d.rescale), true},
          s.x_sum);
      multiply_line<T, H>(op.cell.takes_reset(g) ? s.m.reset : s.m.hidden,
                          {op.matrix(true), d.recurrent + g * sizes[1], d.recurrent_bias + b,
                           own(d.recurrent_rescale), true},
                          s.h_sum);
      const int f = Cell::function(g);
      for (int u = 0; u < op.units; ++u)
        s.m.gate[b + u] = static_cast<typename Inner<N>::Value>(Inner<N>::squash(
            op.functions[f], d.squash[f], Cell::sum(s, g, u, s.x_sum[u], s.h_sum[u])));
    }
    for (int u = 0; u < op.units; ++u)
      s.m.hidden[u] = static_cast<typename Inner<N>::Stored>(Cell::hidden(s, u));
  }

  template <class N>
  static void show(const Step<N>& s, typename N::Out* out) {
    for (int u = 0; u < s.op.units; ++u) {
      const typename N::Acc v =
          s.op.shown == kHidden ? typename N::Acc(s.m.hidden[u])
          : s.op.shown == kCell ? typename N::Acc(s.m.cell[u])
                                : typename N::Acc(s.m.gate[(s.op.shown - kGate) * s.op.units + u]);
      out[u] = s.d.finish(s.d.output(Inner<N>::shown(v)));
    }
  }
};

using RnnLayer = RecurrentLayer<RnnCell>;
using GruLayer = RecurrentLayer<GruCell>;
using LstmLayer = RecurrentLayer<LstmCell>;

}  // namespace nnom
