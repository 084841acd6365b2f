/// \file
/// Data of the ops that neither multiply by weights nor work on operands one by one.
#pragma once

#include <algorithm>
#include <cmath>

#include "compiler/quantise/curves.hpp"
#include "compiler/quantise/data.hpp"

namespace nnomc {

template <class N, class Op>
void make(const Op&, const Making&, nnom::Moved<N>&) {}

/// Fails for a function that can't be computed with its input's and output's bits.
[[noreturn]] inline void not_between(const Making& m) {
  throw Error("layer '{}' ({}): it can't be computed from int{} to int{}", m.node.name,
              m.node.source, m.scales.in[0].bits, m.scales.out.bits);
}

/// Fails if sums of `count` stored values, each times a factor of up to `most`, can overflow.
template <class N>
void check_sums(const Making& m, int count, int most) {
  const double each = std::ldexp(1.0, 8 * static_cast<int>(sizeof(typename N::In))) * most;
  if (sizeof(typename N::Acc) == 4 && count * each > 2147483647)
    throw Error("layer '{}' ({}): sums of {} values do not fit 32 bits", m.node.name, m.node.source,
                count);
}

/// As XNNPACK has it, for a sum of `count` values over `divisor`.
inline void make_mean(const NodeScales& scales, int count, int divisor, nnom::SingleMean& mean) {
  const auto in = static_cast<float>(scales.in[0].scale),
             out = static_cast<float>(scales.out.scale);
  constexpr float kMost = 1e20f;  // what is above it saturates, and must not become infinite
  mean.scale = std::min(in / out, kMost) * (1.0f / static_cast<float>(divisor));
  const float zeros = static_cast<float>(count * scales.in[0].zero) * mean.scale;
  // The clamp adds the output's zero point to a whole number: it must not be rounded with the rest.
  mean.offset = static_cast<float>(scales.out.zero) - zeros;
}

/// As TFLite has it: the divisor divides the multiplier, as far as that keeps its bits.
inline void make_mean(const NodeScales& scales, int count, int divisor, nnom::DoubleMean& mean) {
  const auto whole = rescale_by<nnom::Double>(scales.in[0].scale / scales.out.scale);
  const int bits = std::min({std::ilogb(divisor), 32, 31 + whole.shift});
  mean.rescale = {static_cast<int32_t>((int64_t{whole.multiplier} << bits) / divisor),
                  whole.shift - bits};
  mean.offset = -count * scales.in[0].zero;
}

/// A finer output has sums shifted to the left, a coarser one a larger divisor; limited where all
/// that is not 0 saturates, or all becomes 0.
inline void make_mean(const NodeScales& scales, int, int divisor, nnom::ShiftedMean& mean) {
  const int left = std::ilogb(scales.in[0].scale / scales.out.scale), bits = std::ilogb(divisor);
  mean.left = std::clamp(left, 0, std::min(9 + bits, 30));
  mean.divisor = divisor << std::clamp(-left, 0, 30 - bits);
  mean.offset = mean.divisor / 2;
}

/// How sums of `count` values become an output, their zero points included.
template <class Mean, class Clamp>
void make_sums(const Making& m, int count, int divisor, Mean& mean, Clamp& clamp) {
  make_mean(m.scales, count, divisor, mean);
  if constexpr (std::is_same_v<Mean, nnom::SingleMean>) clamp.zero = 0;
  if constexpr (std::is_same_v<Mean, nnom::ShiftedMean>) {
    if (m.truncates) mean.offset = 0;
    if (m.scales.in[0].zero != 0)
      throw Error(
          "layer '{}' ({}): it sums numbers of more than 128 places, which have no scale "
          "that is a power of two: leave out --scheme power-of-two",
          m.node.name, m.node.source);
  }
}

template <bool mean, class N>
void make(const nnom::Reduce<nnom::SumRule<mean>>& op, const Making& m, nnom::SumData<N>& d) {
  d.clamp = make_clamp<N>(m);
  if constexpr (N::quantised) {
    check_sums<N>(m, op.count(), 1);
    make_sums(m, op.count(), mean ? op.count() : 1, d.mean, d.clamp);
  }
}

/// The kernel takes the zero point off, as windows at the border have fewer values.
template <class N>
void make(const nnom::SumPool2D& op, const Making& m, nnom::SumPool2D::Data<N>& d) {
  d.clamp = make_clamp<N>(m);
  if constexpr (N::quantised) {
    check_sums<N>(m, op.kernel.size(), 1);
    d.zero = static_cast<typename N::In>(m.scales.in[0].zero);
    make_sums(m, 0, 1, d.sum, d.clamp);
  }
}

template <class N>
void make(const nnom::DynamicSumPool2D& op, const Making& m, nnom::DynamicSumPool2D::Data<N>& d) {
  if constexpr (N::quantised) {
    check_sums<N>(m, op.pool.kernel.size(), 1);
    d.zero = static_cast<typename N::In>(m.scales.in[0].zero);
  }
}

template <class N>
void make(const nnom::MatMul& op, const Making& m, nnom::MatMul::Data<N>& d) {
  d.clamp = make_clamp<N>(m);
  if constexpr (N::quantised) {
    check_sums<N>(m, op.depth, 256);
    for (size_t i = 0; i < 2; ++i) d.zero[i] = static_cast<typename N::In>(m.scales.in[i].zero);
    using Rescale = typename N::Rescale;
    const double a = m.scales.in[0].scale, b = m.scales.in[1].scale, out = m.scales.out.scale;
    d.rescale = rescale_of<Rescale>(m, output_factor<Rescale>(a, b, out));
    const double twice = output_factor(m.single, a, b, out);
    if constexpr (sizeof(typename N::In) == 2)
      d.rescale = rescale_by<Rescale>(twice);
    else
      d.twice = rescale_by<nnom::Double>(twice);
  }
}

template <class N>
void make(const nnom::Pad& op, const Making& m, nnom::Pad::Data<N>& d) {
  if constexpr (N::quantised)
    d.value = static_cast<typename N::In>(quantise(static_cast<double>(op.value), m.scales.in[0]));
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
void make(const nnom::Constant&, const Making& m, nnom::Constant::Data<N>& d) {
  d.values = m.keep("values", stored_as<N>(m.node.weights, m.scales.out));
}

template <class N>
void make(const nnom::Lambda& op, const Making& m, nnom::Lambda::Data<N>& d) {
  if (const auto& hook = m.node.hook) {
    if constexpr (!N::quantised)
      d.hook = hook->on_float;
    else if constexpr (sizeof(typename N::In) == 1)
      d.hook = hook->on_int8;
    else
      d.hook = hook->on_int16;
  }
  if constexpr (N::quantised) {
    for (size_t i = 0; i < static_cast<size_t>(op.count); ++i) {
      d.in_scale[i] = static_cast<float>(m.scales.in[i].scale);
      d.in_zero[i] = m.scales.in[i].zero;
    }
    d.out_scale = static_cast<float>(m.scales.out.scale);
    d.out_zero = m.scales.out.zero;
  }
  if (op.weights) m.keep("weights", m.node.weights);
}

template <class N>
void make(const nnom::Embedding&, const Making& m, nnom::Embedding::Data<N>& d) {
  d.table = m.keep("table", stored_as<N>(m.node.weights, m.scales.out));
  if constexpr (N::quantised) d.zero = static_cast<typename N::In>(m.scales.in[0].zero);
}

template <class N>
void make(const nnom::ArgMax& op, const Making& m, nnom::ArgMax::Data<N>& d) {
  if constexpr (N::quantised) {
    d.zero = static_cast<typename N::Out>(m.scales.out.zero);
    if (op.size - 1 > N::highest - d.zero)
      throw Error("layer '{}' ({}): it tells {} places apart: at most {} fit its output",
                  m.node.name, m.node.source, op.size, N::highest - d.zero + 1);
  }
}

template <class N>
void make(const nnom::Resize& op, const Making& m, nnom::Resize::Data<N>& d) {
  using Rescale = typename N::Rescale;
  std::vector<ResizePlace> places = resize_places<Rescale>(op, op.in.h, op.out.h, op.ratio[0]);
  const auto columns = resize_places<Rescale>(op, op.in.w, op.out.w, op.ratio[1]);
  places.insert(places.end(), columns.begin(), columns.end());
  std::vector<int16_t> from;
  std::vector<typename N::Factor> fraction;
  for (const ResizePlace& p : places) {
    from.push_back(static_cast<int16_t>(p.from));
    fraction.push_back(static_cast<typename N::Factor>(p.fraction));
  }
  d.from = m.keep("from", std::move(from));
  if (op.interpolation == nnom::Interpolation::linear)
    d.fraction = m.keep("fraction", std::move(fraction));
}

template <class N>
void make(const nnom::Concat& op, const Making& m, nnom::Concat::Data<N>& d) {
  if constexpr (N::quantised)
    for (size_t i = 0; i < static_cast<size_t>(op.count); ++i)
      d.table[i] = keep_table<typename N::Out>(m, i, m.scales.in[i], m.scales.out);
}

template <class Data>
void make(const nnom::Activation& op, const Making& m, Data& d) {
  using N = typename Data::Numbers;
  if constexpr (sizeof(typename N::In) == 2) {
    const Curve curve = curve_of(op, m.scales, m.single);
    d.form = curve.form, d.positive = curve.positive, d.negative = curve.negative;
    d.minus = curve.minus;
    d.clamp = make_clamp<N>(m);
    d.clamp.lo = std::max(d.clamp.lo, static_cast<typename N::Out>(curve.lowest));
    d.clamp.hi = std::min(d.clamp.hi, static_cast<typename N::Out>(curve.highest));
    if (!curve.table.empty()) d.table = m.keep("table", curve.table);
  } else if constexpr (sizeof(typename N::Out) == 2) {
    if (op.function != nnom::Function::linear) not_between(m);
    d.table = m.keep("table", widening_table(m.scales));
  } else if constexpr (N::quantised) {
    d.table = m.keep("table", activation_table<typename N::Rescale>(op, m.scales));
  }
}

template <class Data>
void make(const nnom::Softmax& op, const Making& m, Data& d) {
  using N = typename Data::Numbers;
  if constexpr (N::quantised) {
    const double in = m.scales.in[0].scale, beta = static_cast<double>(op.beta);
    const double step =
        m.single ? static_cast<double>(static_cast<float>(in) * op.beta) : in * beta;
    if (op.log && m.scales.in[0].bits + m.scales.out.bits > 16) not_between(m);
    if constexpr (sizeof(typename N::In) == 2) {
      d.power = m.keep("power", softmax_powers(m.single));
      d.inverse = m.keep("inverse", softmax_inverses(m.single));
      d.rescale = rescale_by<nnom::Double>(step / (10.0 / 65535));
    } else {
      d.table = m.keep("table", powers<typename N::Rescale::Power>(step));
      if (!op.log) return;
      const auto fixed = [&](double v) {  // beyond 256 output steps all is cut off
        return static_cast<int32_t>(
            std::lround(std::ldexp(std::min(v / m.scales.out.scale, 256.0), 16)));
      };
      d.step = fixed(step), d.log_of_2 = fixed(std::log(2.0));
      d.zero = static_cast<typename N::Out>(m.scales.out.zero);
    }
  }
}

}  // namespace nnomc
