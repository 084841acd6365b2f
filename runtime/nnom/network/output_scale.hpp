/// \file
/// The scale of a layer's output where its inputs' scales, or its op, say it.
#pragma once

#include "nnom/network/layer.hpp"

namespace nnom {

/// The range of a function over what its input can hold.
constexpr Range image_of(const Activation& op, const Quantisation& in) {
  Range r;
  for (int q = -128; q < 128; ++q) {
    const double y = Activation::apply(op, real_of(in, q));
    r = r | Range{y, y};
  }
  return r;
}

// The range of a rule's results for operands within a and b.
constexpr Range result_of(const AddRule& rule, Range a, Range b) {
  return rule.minus ? Range{a.lo - b.hi, a.hi - b.lo} : Range{a.lo + b.lo, a.hi + b.hi};
}
constexpr Range result_of(const MulRule&, Range a, Range b) {
  return Range{a.lo * b.lo, a.hi * b.hi} | Range{a.lo * b.hi, a.hi * b.lo};
}
constexpr Range result_of(const PReluRule&, Range a, Range b) {
  return Range{a.lo * b.lo, a.hi} | Range{a.lo * b.hi, a.hi};
}
template <bool larger>
constexpr Range result_of(const ExtremeRule<larger>&, Range a, Range b) {
  return a | b;
}

/// The range of a layer's own constants.
constexpr Quantisation scale_of(const Weights& w) {
  Range r;
  for (int i = 0; i < w.count; ++i) {
    const double v = w(i);
    r = r | Range{v, v};
  }
  return range(r.lo, r.hi);
}

template <class Rule>
requires requires(Rule rule, Range r) { result_of(rule, r, r); }
constexpr Range range_of(const Elementwise<Rule>& op, const Settings& s, const Quantisation* in) {
  Quantisation x[Rule::operands]{in[0], in[op.constant < 0 ? 1 : 0]};
  if (op.constant >= 0) x[op.constant] = scale_of(s.weights);
  return result_of(op.rule, Range{x[0]}, Range{x[1]});
}
template <bool mean>
constexpr Range range_of(const Reduce<SumRule<mean>>& op, const Settings&, const Quantisation* in) {
  const Range r{in[0]};
  return mean ? r : Range{r.lo * op.count(), r.hi * op.count()};
}
constexpr Range range_of(const SumPool2D& op, const Settings&, const Quantisation* in) {
  const Range r{in[0]};  // of one value where the rest of the window lies in the border
  return r | Range{r.lo * op.kernel.size(), r.hi * op.kernel.size()};
}
constexpr Range range_of(const Concat& op, const Settings&, const Quantisation* in) {
  Range r;
  for (int i = 0; i < op.count; ++i) r = r | Range{in[i]};
  return r;
}
constexpr Range range_of(const Activation& op, const Settings&, const Quantisation* in) {
  return image_of(op, in[0]);
}

/// What an op gives whatever its input; scale 0: nothing that is known.
constexpr Quantisation own_scale(const auto&) { return unknown; }
constexpr Quantisation own_scale(const Softmax& op) {
  return op.log ? Quantisation{1.0f / 16, 127} : Quantisation{1.0f / 256, -128};
}
constexpr Quantisation own_scale(const Activation& op) {
  const bool share = op.function == Function::sigmoid || op.function == Function::hard_sigmoid;
  const bool both = op.function == Function::tanh || op.function == Function::softsign;
  return share ? Quantisation{1.0f / 256, -128} : both ? Quantisation{1.0f / 128, 0} : unknown;
}
template <class Cell>
constexpr Quantisation own_scale(const RecurrentLayer<Cell>& op) {
  const bool lstm = __is_same(Cell, LstmCell);
  const bool bounded = op.functions[lstm ? kOutputFunction : kCandidateFunction].bounded();
  return bounded ? Quantisation{1.0f / 128, 0} : unknown;
}

template <class Op>
constexpr Quantisation output_scale(const Op& op, const Settings& s, const Quantisation* in,
                                    int n) {
  if constexpr (requires { requires Op::same_scale; }) {
    return in[0];
  } else {
    if (is_known(s.out) && !__is_same(Op, Softmax)) return s.out;
    if (const Quantisation own = own_scale(op); is_known(own)) return own;
    for (int i = 0; i < n; ++i)
      if (!is_known(in[i])) return unknown;
    if constexpr (requires { range_of(op, s, in); }) {
      const Range r = range_of(op, s, in);
      return range(r.lo, r.hi);
    }
    return unknown;
  }
}

}  // namespace nnom
