/// \file
/// Data of the ops that make one value from one of each operand.
#pragma once

#include <algorithm>
#include <cmath>

#include "compiler/quantise/data.hpp"
#include "compiler/quantise/histogram.hpp"

namespace nnomc {

/// How the file of a quantised model stores a constant.
inline Quantisation as_stored(const StoredWeights& s, int bits) {
  return {static_cast<double>(s.scale.at(0)), s.zero, bits};
}
/// How a rule's constant is stored elsewhere: by the range of its values.
inline Quantisation constant_scale(const auto&, const Making& m, int) {
  Limits limits;
  for (const float v : m.node.weights) limits = {std::min(limits.lo, v), std::max(limits.hi, v)};
  return quantisation_of(limits, m.scales.scheme);
}
/// What may become the output is stored as it is there.
template <bool larger>
Quantisation constant_scale(const nnom::ExtremeRule<larger>&, const Making& m, int) {
  return m.scales.out;
}
inline Quantisation constant_scale(const nnom::SelectRule&, const Making& m, int operand) {
  return operand == 0 ? Quantisation{} : m.scales.out;
}

/// The scale of a tensor, in which desktop TFLite computes some factors.
inline float single(const Quantisation& q) { return static_cast<float>(q.scale); }

template <class Data>
void make_zeros(const NodeScales& s, Data& d) {
  for (size_t i = 0; i < 2; ++i)
    d.zero[i] = static_cast<std::remove_reference_t<decltype(d.zero[i])>>(s.in[i].zero);
}

/// Both inputs to the larger of their scales, doubled, as TFLite has it; returns that.
template <class Data>
double make_common(const NodeScales& s, Data& d) {
  make_zeros(s, d);
  const double common = 2 * std::max(s.in[0].scale, s.in[1].scale);
  for (size_t i = 0; i < 2; ++i) d.rescale[i] = rescale_by<nnom::Double>(s.in[i].scale / common);
  return common;
}

/// XNNPACK's choice: the larger of the two factors in 21 bits, the other in its unit. It is only
/// defined for factors from 2^-10 to 2^8; beyond 2^10 every value but zero saturates.
inline void make_sum(const NodeScales& scales, bool minus, nnom::SingleSum& sum) {
  float factor[2];
  for (size_t i = 0; i < 2; ++i)
    factor[i] = std::min(
        static_cast<float>(scales.in[i].scale) / static_cast<float>(scales.out.scale), 1024.0f);
  sum.shift = std::min(20 - std::ilogb(std::max({factor[0], factor[1], 0x1p-20f})), 30);
  sum.bias = 1 << (sum.shift - 1);
  for (size_t i = 0; i < 2; ++i) {
    sum.multiplier[i] = static_cast<int32_t>(std::lrint(std::ldexp(factor[i], sum.shift)));
    if (minus && i == 1) sum.multiplier[i] *= -1;
    sum.bias -= sum.multiplier[i] * scales.in[i].zero;
  }
}

/// Exact where scales are powers of two, but for an operand whose steps are less than 2^-20 of the
/// other's. Beyond 2^8 output steps only the sign matters, so no factor needs to be large.
inline void make_exact_sum(const Making& m, const NodeScales& scales, bool minus,
                           nnom::SingleSum& sum) {
  double factor[2];
  for (size_t i = 0; i < 2; ++i) factor[i] = scales.in[i].scale / scales.out.scale;
  const double too_large = std::max(std::min(factor[0], factor[1]) / 256, 1.0);
  const double least = std::min(factor[0], factor[1]) / too_large;
  for (double& f : factor) f = std::min(f / too_large, 1024 * std::max(least, 1.0));
  sum.shift = std::min(20 - std::ilogb(std::max(factor[0], factor[1])), 30);
  sum.bias = m.truncates ? 0 : 1 << (sum.shift - 1);
  for (size_t i = 0; i < 2; ++i) {
    sum.multiplier[i] = static_cast<int32_t>(std::ldexp(factor[i], sum.shift));
    if (minus && i == 1) sum.multiplier[i] *= -1;
    sum.bias -= sum.multiplier[i] * scales.in[i].zero;
  }
}

template <int headroom>
void make_sum(const NodeScales& scales, bool minus, nnom::ShiftedSum<headroom>& sum) {
  const double common = make_common(scales, sum);
  sum.minus = minus;
  sum.total = rescale_by<nnom::Double>(common / (1 << headroom) / scales.out.scale);
}

template <class N>
void make_rule(const nnom::AddRule& rule, const Making& m, const NodeScales& s,
               nnom::AddRule::Data<N>& d) {
  if constexpr (N::Rescale::symmetric)
    make_exact_sum(m, s, rule.minus, d.sum);
  else
    make_sum(s, rule.minus, d.sum);
}

template <class N>
void make_rule(const nnom::SquaredDifferenceRule&, const Making&, const NodeScales& s,
               nnom::SquaredDifferenceRule::Data<N>& d) {
  const double common = make_common(s, d);
  const int bits = 2 * nnom::SquaredDifferenceRule::headroom<N>;
  d.total = rescale_by<nnom::Double>(common * common / ((1 << bits) * s.out.scale));
}

template <class N>
void make_rule(const nnom::MulRule&, const Making& m, const NodeScales& s,
               nnom::MulRule::Data<N>& d) {
  make_zeros(s, d);
  using Rescale = typename N::Rescale;
  d.rescale =
      rescale_of<Rescale>(m, output_factor<Rescale>(s.in[0].scale, s.in[1].scale, s.out.scale));
}

template <class N>
void make_rule(const nnom::DivRule&, const Making&, const NodeScales& s,
               nnom::DivRule::Data<N>& d) {
  make_zeros(s, d);
  d.rescale = rescale_by<nnom::Double>(
      static_cast<double>(single(s.in[0]) / (single(s.in[1]) * single(s.out))));
}

template <class N>
void make_rule(const nnom::PReluRule&, const Making& m, const NodeScales& s,
               nnom::PReluRule::Data<N>& d) {
  make_zeros(s, d);
  double positive = s.in[0].scale / s.out.scale;
  double negative = s.in[0].scale * s.in[1].scale / s.out.scale;
  if (m.single) {
    positive = static_cast<double>(single(s.in[0]) / single(s.out));
    negative = static_cast<double>(single(s.in[0]) * single(s.in[1]) / single(s.out));
  }
  d.positive = rescale_by<nnom::Double>(positive);
  d.negative = rescale_by<nnom::Double>(negative);
}

template <class N>
void make_rule(const nnom::CompareRule& rule, const Making&, const NodeScales& s,
               nnom::CompareRule::Data<N>& d) {
  make_zeros(s, d);
  // In int16 TFLite orders the stored numbers, whatever their scales.
  const bool as_stored = sizeof(typename N::In) == 2 && rule.relation != nnom::Relation::equal &&
                         rule.relation != nnom::Relation::not_equal;
  for (size_t i = 0; i < 2; ++i)
    d.rescale[i] = rescale_by<nnom::Double>(as_stored ? 1 : s.in[i].scale);
}

template <class N, int K>
void make_tables(const Making& m, const NodeScales& s, size_t first, nnom::Tables<N, K>& d) {
  d.zero = static_cast<typename N::Out>(s.out.zero);
  for (size_t k = 0; k < K; ++k)
    d.table[k] = keep_table<typename N::Out>(m, k, s.in[first + k], s.out);
}
template <bool larger, class N>
void make_rule(const nnom::ExtremeRule<larger>&, const Making& m, const NodeScales& s,
               nnom::Tables<N, 2>& d) {
  make_tables(m, s, 0, d);
}
template <class N>
void make_rule(const nnom::SelectRule&, const Making& m, const NodeScales& s,
               nnom::SelectRule::Data<N>& d) {
  d.zero = static_cast<typename N::In>(s.in[0].zero);
  make_tables(m, s, 1, d.values);
}

template <class Rule, class N>
void make_rule(const Rule&, const Making&, const NodeScales&, nnom::NoData<N>&) {}

template <class Rule, class Data>
void make(const nnom::Elementwise<Rule>& op, const Making& m, Data& d) {
  using N = typename Data::Numbers;
  d.clamp = make_clamp<N>(m);
  if constexpr (N::quantised) {
    NodeScales scales = m.scales;
    if (op.constant >= 0) {
      const Quantisation q = m.node.stored ? as_stored(*m.node.stored, m.scales.out.bits)
                                           : constant_scale(op.rule, m, op.constant);
      scales.in.insert(scales.in.begin() + op.constant, q);
      d.constant = m.keep("constant", stored_as<N>(m.node.weights, q));
    }
    make_rule(op.rule, m, scales, d.rule);
  } else if (op.constant >= 0) {
    d.constant = m.keep("constant", m.node.weights);
  }
}

}  // namespace nnomc
