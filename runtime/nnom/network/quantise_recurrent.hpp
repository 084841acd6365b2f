/// \file
/// Data of recurrent layers made by hand: int8 weights, 16-bit states in units of powers of two.
#pragma once

#include "nnom/network/quantise.hpp"

namespace nnom {

constexpr double power_of_two(int bits) {
  double p = 1;
  for (; bits > 0; --bits) p *= 2;
  for (; bits < 0; ++bits) p /= 2;
  return p;
}
/// Bits after the point that int16 has for values of up to `most` either way.
constexpr int bits_for(double most) {
  int bits = 15;
  while (bits > 0 && most * power_of_two(bits) > 32768) --bits;
  return bits;
}

template <class Cell, class N, const RecurrentLayer<Cell>& op, const Given& g>
struct Constants<RecurrentLayer<Cell>, N, op, g> {
  using Op = RecurrentLayer<Cell>;
  using Data = typename Op::template Data<N>;
  static constexpr int rows = Op::gates * op.units;
  static constexpr double usual = 16;  ///< what cells and gates without bounds are taken to hold

  static constexpr double most_out() {
    const Range r{g.out};
    return -r.lo > r.hi ? -r.lo : r.hi;
  }
  static constexpr bool bounded =
      op.functions[Op::states > 1 ? kOutputFunction : kCandidateFunction].bounded() &&
      (Op::gates == 1 || op.functions[kGateFunction].is_share());
  static constexpr int hidden_bits = bounded ? 15 : bits_for(most_out());
  static constexpr int cell_bits = Op::states > 1 ? bits_for(usual) : 15;
  /// Of the values of function f.
  static constexpr int bits_of(int f) {
    if (op.functions[f].bounded()) return 15;
    return f == kOutputFunction ? cell_bits : bits_for(Op::gates == 1 ? most_out() : usual);
  }

  static constexpr double input_scale(bool of_state) {
    return of_state ? power_of_two(-hidden_bits) : double{g.in[0].scale};
  }
  static constexpr double bias_of(bool of_state, int r) {
    const Bias& b = of_state ? g.settings.recurrent_bias : g.settings.bias;
    return b.count ? double{b.real[r]} : 0;
  }
  /// Of row r of all gates' matrices, so that its weights and its bias fit.
  static constexpr double scale_of(bool of_state, int r) {
    const Weights& w = of_state ? g.settings.recurrent : g.settings.weights;
    const int length = op.matrix(of_state).length;
    const double bias = bias_of(of_state, r);
    double scale = (bias < 0 ? -bias : bias) / input_scale(of_state) / (1 << 28);
    for (int k = 0; k < length; ++k) {
      const double v = w(r * length + k, r);
      if ((v < 0 ? -v : v) / 127 > scale) scale = (v < 0 ? -v : v) / 127;
    }
    return scale > 0 ? scale : 1;
  }
  /// Of the sums that function f is given: as many as they have use for and fit 32 bits.
  static constexpr int sum_bits_of(int f) {
    const int least = op.functions[f].bounded() ? 12 : bits_of(f);
    int most = op.functions[f].bounded() ? 20 : f == kOutputFunction ? least : min(least + 12, 20);
    for (int i = 0; i < 2 * rows; ++i) {
      const bool of_state = i >= rows;
      const int r = i % rows;
      if (Cell::function(r / op.units) != f) continue;
      const double unit = input_scale(of_state) * scale_of(of_state, r);
      const double bias = nearest_whole(bias_of(of_state, r) / unit);
      const double reach = (bias < 0 ? -bias : bias) + (of_state ? (1 << 22) * double{op.units}
                                                                 : (1 << 15) * double{op.inputs});
      int headroom = 0;
      while (reach * power_of_two(headroom + 1) < 2147483648.0) ++headroom;
      while (most > least && unit * power_of_two(most) >= power_of_two(headroom)) --most;
    }
    return most;
  }
  static constexpr int sum_bits[] = {sum_bits_of(0), sum_bits_of(1), sum_bits_of(2)};

  /// The matrices of all gates.
  template <bool of_state>
  struct Matrices {
    static constexpr Matrix shape = op.matrix(of_state);
    static constexpr int size = N::Layout::size(shape);

    Array<typename N::Weight, Op::gates * size> weights;
    Array<typename N::Bias, rows> bias;
    Array<Double, N::quantised ? rows : 0> rescale;
    bool fits = true;
  };
  template <bool of_state>
  static constexpr Matrices<of_state> make() {
    using M = Matrices<of_state>;
    M m{};
    const Weights& w = of_state ? g.settings.recurrent : g.settings.weights;
    const double in = input_scale(of_state);
    const int zero = of_state ? 0 : g.in[0].zero, length = M::shape.length;
    for (int r = 0; r < rows; ++r) {
      const int gate = r / op.units;
      const double bias = bias_of(of_state, r);
      const auto real = [&](int k) { return w(r * length + k, r); };
      double scale = 1, folded = bias, reach = 0;
      if constexpr (N::quantised) {
        scale = scale_of(of_state, r);
        folded = nearest_whole(bias / (in * scale));
        reach = folded < 0 ? -folded : folded;
      }
      for (int k = 0; k < length; ++k) {
        auto& to = m.weights.at[gate * M::size + N::Layout::index(M::shape, r % op.units, 0, k)];
        if constexpr (N::quantised) {
          const int q = nearest_whole(real(k) / scale);
          to = static_cast<int8_t>(q);
          folded -= zero * q;
          reach += (q < 0 ? -q : q) * (of_state ? 32768.0 : 256.0);
        } else {
          to = static_cast<float>(real(k));
        }
      }
      if constexpr (N::quantised) {
        const int bits = sum_bits[Cell::function(gate)];
        const Double rescale = rescale_by(in * scale * power_of_two(bits));
        if (reach * power_of_two(max(rescale.shift, 0)) >= 2147483648.0) m.fits = false, folded = 0;
        m.rescale.at[r] = rescale;
      }
      m.bias.at[r] = static_cast<typename N::Bias>(folded);
    }
    return m;
  }
  static constexpr Matrices<false> input_rows = make<false>();
  static constexpr Matrices<true> state_rows = make<true>();

  static constexpr Data made() {
    static_assert(Buildable < input_rows.fits && state_rows.fits
                      ? Text{}
                      : g.complaint(Op::name,
                                    "its sums don't fit 32 bits: its weights "
                                    "are too large for int8") > ::yes);
    Data d;
    d.weights = input_rows.weights.at, d.recurrent = state_rows.weights.at;
    d.bias = input_rows.bias.at, d.recurrent_bias = state_rows.bias.at;
    if constexpr (N::quantised) {
      d.rescale = input_rows.rescale.at, d.recurrent_rescale = state_rows.rescale.at;
      d.hidden_bits = hidden_bits, d.cell_bits = cell_bits;
      for (int f = 0; f < kGateFunctions; ++f) {
        const GateFunction& function = op.functions[f];
        d.squash[f].out = bits_of(f);
        d.squash[f].in = sum_bits[f];
        if (function.function != Function::hard_sigmoid) continue;
        d.squash[f].slope = nearest_whole(double{function.slope} * (1 << 24));
        d.squash[f].offset = nearest_whole(double{function.offset} * (1 << 24));
      }
      d.output =
          rescale_by(power_of_two(-hidden_bits - Inner<N>::kShownBits) / double{g.out.scale});
      d.finish.zero = static_cast<int8_t>(g.out.zero);
    }
    return d;
  }
  static constexpr Data data = made();
};

}  // namespace nnom
