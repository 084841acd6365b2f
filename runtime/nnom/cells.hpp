/// \file
/// The cells of recurrent layers: what becomes of the products of one step.
#pragma once

#include "nnom/ops/activation.hpp"
#include "nnom/recurrent.hpp"
#include "nnom/tanh16.hpp"

namespace nnom {

/// A function of a gate: sigmoid, tanh, linear, relu (without parameters), or hard_sigmoid, which
/// is slope * x + offset within [0, 1].
struct GateFunction {
  Function function = Function::sigmoid;
  float slope = 0.2f, offset = 0.5f;

  constexpr bool known() const {
    return bounded() || function == Function::relu || function == Function::linear;
  }
  /// Whether it stays within [-1, 1].
  constexpr bool bounded() const { return is_share() || function == Function::tanh; }
  /// Whether it stays within [0, 1].
  constexpr bool is_share() const {
    return function == Function::sigmoid || function == Function::hard_sigmoid;
  }
  static constexpr void fields(auto& f, auto visit) {
    visit("function", f.function), visit("slope", f.slope), visit("offset", f.offset);
  }
};

/// What lies between the products and the output of a cell. Quantised: int16 in units of a power of
/// two, saturated. A unit is given by its bits after the point.
template <class N, bool = N::quantised>
struct Inner {
  using Value = int16_t;
  using Stored = int16_t;

  /// The units of the sums that a function is given (at most 20 bits where it is bounded) and of
  /// its values, and the parameters of hard_sigmoid in units of 2^-24.
  struct Squash {
    static constexpr const char* name = "Squash";
    int in = tanh16::kBits, out = 15;
    int slope = 0, offset = 0;
    static constexpr void fields(auto& s, auto visit) {
      visit("in", s.in), visit("out", s.out), visit("slope", s.slope), visit("offset", s.offset);
    }
  };

  /// `v` within [-2^bits, 2^bits).
  static constexpr int within(int v, int bits) {
    return max(min(v, (1 << bits) - 1), -(1 << bits));
  }
  /// v / 2^bits, nearest, halves up.
  static constexpr int64_t nearest(int64_t v, int bits) {
    return (v + ((int64_t{1} << bits) >> 1)) >> bits;
  }
  static constexpr int nearest(int v, int bits) { return (v + ((1 << bits) >> 1)) >> bits; }
  /// `v`, at most 2^31 - 2^14, with `to` instead of `from` bits, at most 30 less; limited to 30.
  static constexpr int moved(int v, int from, int to) {
    if (from >= to) return within(nearest(v, from - to), 29);
    return within(shifted_up(v, min(to - from, 30)), 29);
  }
  static constexpr int narrow(int v) { return clamp16(v); }
  /// A value before it is scaled to the output's units: with bits enough that Double's first
  /// rounding doesn't show.
  static constexpr int kShownBits = 14;
  static constexpr int shown(int v) { return v * (1 << kShownBits); }
  /// nearest(v, bits), limited to 30 bits.
  static constexpr int limited(int64_t v, int bits) {
    constexpr int64_t most = 1 << 29;
    const int64_t n = nearest(v, bits);
    return static_cast<int>(n < most ? n > -most ? n : -most : most - 1);
  }
  /// The sum of products with `a_bits` (`to` or more) and `b_bits`, with `to` bits, rounded once.
  static constexpr int total(int a, int a_bits, int b, int b_bits, int to) {
    const int bits = max(a_bits, b_bits);
    return limited(
        int64_t{a} * (int64_t{1} << (bits - a_bits)) + int64_t{b} * (int64_t{1} << (bits - b_bits)),
        bits - to);
  }
  static constexpr int sum(int x, int h) { return within(x, 28) + within(h, 28); }
  /// The value of a gate with `bits` bits times v, at most 17 bits, in the units of v.
  static constexpr int gated(int gate, int v, int bits) { return moved(gate * v, bits, 0); }
  static constexpr int gated_sum(int gate, int v, int bits) {
    return limited(int64_t{gate} * v, bits);
  }
  /// `v` is at most 2^29 either way.
  static int squash(const GateFunction& f, const Squash& s, int v) {
    switch (f.function) {
      case Function::tanh:
        return tanh16::tanh(v, s.in);
      case Function::sigmoid:
        return tanh16::logistic(v, s.in);
      case Function::hard_sigmoid:
        return min(max(limited(int64_t{v} * s.slope + (int64_t{s.offset} << s.in), s.in + 9), 0),
                   INT16_MAX);
      case Function::relu:
        return max(clamp16(moved(v, s.in, s.out)), 0);
      default:
        return clamp16(moved(v, s.in, s.out));
    }
  }
};

template <class N>
struct Inner<N, false> {
  using Value = typename N::Acc;
  using Stored = float;

  struct Squash {
    static constexpr const char* name = "Squash";
    int in = 0, out = 0;
    static constexpr void fields(auto&, auto) {}
  };

  static constexpr Value moved(Value v, int, int) { return v; }
  static constexpr Value narrow(Value v) { return v; }
  static constexpr Value shown(Value v) { return v; }
  static constexpr Value total(Value a, int, Value b, int, int) { return a + b; }
  static constexpr Value sum(Value x, Value h) { return x + h; }
  static constexpr Value gated(Value gate, Value v, int) { return gate * v; }
  static constexpr Value gated_sum(Value gate, Value v, int) { return gate * v; }
  static Value squash(const GateFunction& f, const Squash&, Value x) {
    switch (f.function) {
      case Function::tanh:
        return Value(__builtin_tanh(x));
      case Function::sigmoid:
        return 1 / (1 + Value(__builtin_exp(-x)));
      case Function::hard_sigmoid: {
        const Value v = Value(f.slope) * x + Value(f.offset);
        return v < 0 ? 0 : v > 1 ? 1 : v;
      }
      case Function::relu:
        return x < 0 ? 0 : x;
      default:
        return x;
    }
  }
};

/// Which of a layer's functions a gate has.
enum : int { kGateFunction, kCandidateFunction, kOutputFunction, kGateFunctions };

/// Where one step's numbers lie. `gate` is [gates][units].
template <class N>
struct CellMemory {
  typename Inner<N>::Value *gate, *cell;
  typename Inner<N>::Stored *hidden, *reset;
};

// A cell has its number of gates and states (h; h and c), and
//   function(g)            of gate g
//   takes_reset(g)         whether gate g is made from memory.reset and not from h
//   prepare(step, g)       before gate g
//   sum(step, g, u, x, h)  of the products of gate g, unit u, with the input and with h
//   hidden(step, u)        h of unit u, once all gates are there
// where a step has the layer's op, its data d, and its memory m.

/// h = g(W x + R h + b)
struct RnnCell {
  static constexpr const char* layer = "RnnLayer";
  static constexpr int gates = 1, states = 1;

  static constexpr int function(int) { return kCandidateFunction; }
  constexpr bool takes_reset(int) const { return false; }
  constexpr int constants(int) const { return 0; }
  static constexpr void fields(auto&, auto) {}

  static void prepare(auto&, int) {}
  template <class S>
  static auto sum(S&, int, int, auto x, auto h) {
    return S::I::sum(x, h);
  }
  template <class S>
  static auto hidden(S& s, int u) {
    return S::I::narrow(
        S::I::moved(s.m.gate[u], s.d.squash[kCandidateFunction].out, s.d.hidden_bits));
  }
};

/// z, r = f(W x + R h + b),  n = g(W x + b + R (r * h)),  h = (1 - z) * n + z * h
///
/// or, if `reset_after`, n = g(W x + b + r * (R h + b')). Gates in the order z, r, n.
struct GruCell {
  static constexpr const char* layer = "GruLayer";
  static constexpr int gates = 3, states = 1;

  bool reset_after = true;

  static constexpr int function(int g) { return g == 2 ? kCandidateFunction : kGateFunction; }
  constexpr bool takes_reset(int g) const { return g == 2 && !reset_after; }
  constexpr int constants(int) const { return 0; }
  static constexpr void fields(auto& c, auto visit) { visit("reset_after", c.reset_after); }

  template <class S>
  static void prepare(S& s, int g) {
    if (!s.op.cell.takes_reset(g)) return;
    const int units = s.op.units, bits = s.d.squash[kGateFunction].out;
    for (int u = 0; u < units; ++u)
      s.m.reset[u] = static_cast<typename S::I::Stored>(
          S::I::narrow(S::I::gated(s.m.gate[units + u], s.m.hidden[u], bits)));
  }
  template <class S>
  static auto sum(S& s, int g, int u, auto x, auto h) {
    if (g == 2 && s.op.cell.reset_after)
      return S::I::sum(x,
                       S::I::gated_sum(s.m.gate[s.op.units + u], h, s.d.squash[kGateFunction].out));
    return S::I::sum(x, h);
  }
  template <class S>
  static auto hidden(S& s, int u) {
    const auto* const gate = s.m.gate + u;
    const auto n = S::I::narrow(
        S::I::moved(gate[2 * s.op.units], s.d.squash[kCandidateFunction].out, s.d.hidden_bits));
    return S::I::narrow(n + S::I::gated(gate[0], s.m.hidden[u] - n, s.d.squash[kGateFunction].out));
  }
};

/// i, f = s(W x + R h + b [+ p * c]),  g = t(W x + R h + b),  c = f * c + i * g,
/// o = s(W x + R h + b [+ p * c]),     h = o * t'(c)
///
/// Gates in the order i, f, g, o; `peepholes` p of i, f, o.
struct LstmCell {
  static constexpr const char* layer = "LstmLayer";
  static constexpr int gates = 4, states = 2;

  bool peepholes = false;

  static constexpr int function(int g) { return g == 2 ? kCandidateFunction : kGateFunction; }
  constexpr bool takes_reset(int) const { return false; }
  constexpr int constants(int units) const { return peepholes ? 3 * units : 0; }
  static constexpr void fields(auto& c, auto visit) { visit("peepholes", c.peepholes); }

  template <class S>
  static void prepare(S& s, int g) {
    if (g != 3) return;
    const int units = s.op.units, bits = s.d.squash[kGateFunction].out;
    for (int u = 0; u < units; ++u) {
      const auto* const gate = s.m.gate + u;
      const auto c =
          S::I::total(gate[units] * s.m.cell[u], bits + s.d.cell_bits, gate[0] * gate[2 * units],
                      bits + s.d.squash[kCandidateFunction].out, s.d.cell_bits);
      s.m.cell[u] = static_cast<typename S::I::Value>(S::I::narrow(c));
    }
  }
  template <class S>
  static auto sum(S& s, int g, int u, auto x, auto h) {
    const auto both = S::I::sum(x, h);
    if (!s.op.cell.peepholes || g == 2) return both;
    const auto* const p = s.d.peepholes + (g == 3 ? 2 : g) * s.op.units;
    return S::I::sum(both, S::I::moved(p[u] * s.m.cell[u], s.d.peephole_bits + s.d.cell_bits,
                                       s.d.squash[kGateFunction].in));
  }
  template <class S>
  static auto hidden(S& s, int u) {
    const auto& squash = s.d.squash[kOutputFunction];
    const auto c = S::I::squash(s.op.functions[kOutputFunction], squash,
                                S::I::moved(s.m.cell[u], s.d.cell_bits, squash.in));
    return S::I::narrow(S::I::moved(s.m.gate[3 * s.op.units + u] * c,
                                    s.d.squash[kGateFunction].out + squash.out, s.d.hidden_bits));
  }
};

}  // namespace nnom
