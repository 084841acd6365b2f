/// \file
/// How the weights of a linear op are counted, and where each lies once it is packed. For those who
/// make Op::Data: the compiler, and layers made by hand.
#pragma once

#include "nnom/numbers.hpp"
#include "nnom/target/layout.hpp"

namespace nnom {

/// Whether `Op` multiplies by weights, as Linear says.
template <class Op>
constexpr bool is_linear() {
  using Real = Float<double, layout::Plain>;
  return __is_same(typename Op::template Data<Real>, Linear<Real>);
}

/// Decides whether a linear layer is brief (Linear::brief).
template <class N>
class Brevity {
 public:
  /// A weight of the next channel.
  constexpr void add(double weight) {
    const double ends[] = {weight * N::lowest, weight * N::highest};
    least_ += ends[weight > 0 ? 0 : 1], most_ += ends[weight > 0 ? 1 : 0];
  }
  /// Ends a channel.
  constexpr void end(double bias) {
    small_ = small_ && bias + least_ > -kLimit && bias + most_ < kLimit;
    least_ = most_ = 0;
  }
  /// Whether all sums are below 2^23.
  constexpr bool small() const { return small_; }
  /// Whether the layer is brief (Linear::brief). Factors that scale every sum to 0 become ones that
  /// are.
  constexpr bool shorten(typename N::Rescale* rescale, size_t rescales) const {
    for (size_t i = 0; i < rescales; ++i)
      if (!small_ || !(brief(rescale[i]) || vanishes(rescale[i]))) return false;
    for (size_t i = 0; i < rescales; ++i)
      if (!brief(rescale[i])) vanish(rescale[i]);
    return true;
  }

 private:
  static constexpr double kLimit = 1 << 23;

  static constexpr bool vanishes(const Double& r) { return r.multiplier == 0 || r.shift < -23; }
  static constexpr bool vanishes(const auto&) { return false; }
  static constexpr void vanish(Double& r) { r = {0, -1}; }
  static constexpr void vanish(auto&) {}

  bool small_ = true;
  double least_ = 0, most_ = 0;
};

/// Whether weights of `Op` can be joined in N.
template <class Op, class N>
constexpr bool joins() {
  return requires(const Op& op, int8_t* w) { op.matrix(), N::Layout::join(w, size_t{}); };
}

/// The packed place of weight `k` of output channel `channel`, and how the weights are counted.
template <class N>
struct Packing {
  size_t channels = 0, per_channel = 0, size = 0;
  size_t phases = 1;  ///< sets of biases, each for some of the weights

  template <class Op>
  constexpr explicit Packing(const Op& op) {
    if constexpr (requires { op.matrix(); }) {
      const Matrix m = matrix_of(op);
      channels = static_cast<size_t>(outputs(op));
      per_channel = static_cast<size_t>(m.taps) * static_cast<size_t>(m.length);
      size = channels / static_cast<size_t>(m.rows) * static_cast<size_t>(N::Layout::size(m));
    } else if constexpr (requires { op.phases(); }) {
      channels = static_cast<size_t>(op.out.c);
      per_channel = static_cast<size_t>(op.kernel.size() * op.in.c);
      phases = static_cast<size_t>(op.phases());
      size = static_cast<size_t>(op.template weights_before<typename N::Layout>(op.phases()));
    } else {
      channels = static_cast<size_t>(op.out.c);
      per_channel = static_cast<size_t>(op.kernel.size());
      size = channels * per_channel;
    }
  }
  /// Packed place of weight k of `channel`.
  template <class Op>
  static constexpr size_t packed(const Op& op, size_t channel, size_t k) {
    const auto c = static_cast<int>(channel);
    if constexpr (requires { op.matrix(); }) {
      auto i = static_cast<int>(k);
      if constexpr (N::Layout::stacks && requires { op.stacked(); }) i = op.place_stacked(i);
      const Matrix m = matrix_of(op);
      const int group = c / m.rows * N::Layout::size(m);
      const int place = N::Layout::index(m, c % m.rows, i / m.length, i % m.length);
      return static_cast<size_t>(group) + static_cast<size_t>(place);
    } else if constexpr (requires { op.phases(); }) {
      return static_cast<size_t>(op.template packed<typename N::Layout>(c, static_cast<int>(k)));
    } else {
      if constexpr (requires { N::Layout::depthwise(0, c, 0, 0); })
        return static_cast<size_t>(
            N::Layout::depthwise(static_cast<int>(k), c, op.kernel.size(), op.out.c));
      else
        return k * static_cast<size_t>(op.out.c) + channel;
    }
  }
  /// The set of biases that weight k belongs to.
  template <class Op>
  static constexpr size_t phase(const Op& op, size_t k) {
    if constexpr (requires { op.phases(); })
      return static_cast<size_t>(op.phase_of(static_cast<int>(k)));
    return 0;
  }
  template <class Op>
  static constexpr Matrix matrix_of(const Op& op) {
    if constexpr (N::Layout::stacks && requires { op.stacked(); })
      return op.stacked();
    else
      return op.matrix();
  }
  template <class Op>
  static constexpr int outputs(const Op& op) {
    if constexpr (requires { op.out.c; })
      return op.out.c;
    else
      return op.out;
  }
};

}  // namespace nnom
