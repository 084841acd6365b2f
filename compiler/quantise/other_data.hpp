/// \file
/// Data of the ops that neither multiply by weights nor work on operands one by one.
#pragma once

#include <cmath>

#include "compiler/error.hpp"
#include "compiler/quantise/tables.hpp"

namespace nnomc {

template <class N, class Op>
void make(const Op&, const Making&, nnom::Moved<N>&) {}

template <bool mean, class N>
void make(const nnom::Reduce<nnom::SumRule<mean>>& op, const Making& m, nnom::SumData<N>& d) {
  d.clamp = make_clamp<N>(m);
  if constexpr (N::quantised) {
    d.bias = -op.count() * m.scales.in[0].zero;
    d.rescale = rescale_by<typename N::Rescale>(m.scales.in[0].scale / m.scales.out.scale /
                                                (mean ? op.count() : 1));
  }
}

template <class N>
void make(const nnom::MatMul&, const Making& m, nnom::MatMul::Data<N>& d) {
  d.clamp = make_clamp<N>(m);
  if constexpr (N::quantised) {
    for (size_t i = 0; i < 2; ++i) d.zero[i] = static_cast<int8_t>(m.scales.in[i].zero);
    const float product =
        static_cast<float>(m.scales.in[0].scale) * static_cast<float>(m.scales.in[1].scale);
    d.rescale = rescale_by<nnom::Double>(static_cast<double>(product) / m.scales.out.scale);
  }
}

template <class N>
void make(const nnom::Pad& op, const Making& m, nnom::Pad::Data<N>& d) {
  if constexpr (N::quantised)
    d.value = quantise(static_cast<double>(op.value), m.scales.in[0]);
  else
    d.value = op.value;
}

template <class N>
void make(const nnom::Gather& op, const Making& m, nnom::Gather::Data<N>& d) {
  std::vector<int32_t> index;
  for (const float v : m.node.weights) {
    index.push_back(static_cast<int32_t>(v));
    if (index.back() < 0 || index.back() >= op.size || static_cast<float>(index.back()) != v)
      throw Error("layer '{}' ({}): index {} of an axis of {} elements", m.node.name, m.node.source,
                  v, op.size);
  }
  d.index = m.keep("index", std::move(index));
}

/// Where output pixels lie in the input: at or after pixel `from`, in units of Blend<Rescale>::one.
struct ResizePlace {
  int from = 0;
  double fraction = 0;
};
/// Those of the `out` pixels along one axis, of `in` pixels.
template <class Rescale>
std::vector<ResizePlace> resize_places(const nnom::Resize& op, int in, int out, float ratio);

template <class N>
void make(const nnom::Resize& op, const Making& m, nnom::Resize::Data<N>& d) {
  using Rescale = typename N::Rescale;
  std::vector<ResizePlace> places = resize_places<Rescale>(op, op.in.h, op.out.h, op.ratio[0]);
  const auto columns = resize_places<Rescale>(op, op.in.w, op.out.w, op.ratio[1]);
  places.insert(places.end(), columns.begin(), columns.end());
  std::vector<int16_t> from;
  std::vector<typename N::Acc> fraction;
  for (const ResizePlace& p : places) {
    from.push_back(static_cast<int16_t>(p.from));
    fraction.push_back(static_cast<typename N::Acc>(p.fraction));
  }
  d.from = m.keep("from", std::move(from));
  if (op.interpolation == nnom::Interpolation::linear)
    d.fraction = m.keep("fraction", std::move(fraction));
}

template <class N>
void make(const nnom::Concat& op, const Making& m, nnom::Concat::Data<N>& d) {
  if constexpr (N::quantised)
    for (size_t i = 0; i < static_cast<size_t>(op.count); ++i)
      d.table[i] = keep_table(m, i, m.scales.in[i], m.scales.out);
}

template <class N>
void make(const nnom::Activation& op, const Making& m, nnom::Activation::Data<N>& d) {
  if constexpr (N::quantised)
    d.table = m.keep("table", table_of(m.scales.in[0], m.scales.out,
                                       [&](double x) { return nnom::Activation::apply(op, x); }));
}

template <class N>
void make(const nnom::Softmax& op, const Making& m, nnom::Softmax::Data<N>& d) {
  if constexpr (N::quantised) {
    const double step = m.scales.in[0].scale * static_cast<double>(op.beta);
    std::vector<uint32_t> table;
    for (int q = 0; q < 256; ++q)
      table.push_back(static_cast<uint32_t>(
          std::lround(std::ldexp(std::exp(-q * step), nnom::Softmax::bits(op.length)))));
    d.table = m.keep("table", std::move(table));
    if (!op.log) return;
    const auto fixed = [&](double v) {  // beyond 256 output steps all is cut off
      return static_cast<int32_t>(
          std::lround(std::ldexp(std::min(v / m.scales.out.scale, 256.0), 16)));
    };
    d.step = fixed(step), d.log_of_2 = fixed(std::log(2.0));
    d.zero = static_cast<int8_t>(m.scales.out.zero);
  }
}

}  // namespace nnomc
