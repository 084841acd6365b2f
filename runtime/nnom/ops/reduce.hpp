/// \file
/// Reductions over any axes: Sum, Mean, ReduceMax, ReduceMin, Product.
#pragma once

#include "nnom/loops.hpp"
#include "nnom/numbers.hpp"

namespace nnom {

/// One value from all those along some axes. A Rule has Data<N>, start(data), add(sum, x), and
/// end(data, sum, count).
template <class Rule>
struct Reduce {
  static constexpr const char* name = Rule::name;
  static constexpr int max_inputs = 1;
  static constexpr bool same_scale = Rule::same_scale;
  static constexpr bool real_only = requires { Rule::real_only; };
  template <class N>
  using Data = typename Rule::template Data<N>;

  bool axes[6]{};     ///< those that go away
  bool keep = false;  ///< as axes of one element
  Loops<1> kept{}, gone{};

  /// Values that make one.
  constexpr int count() const { return elements(gone); }
  constexpr int64_t macs() const { return int64_t{elements(kept)} * count(); }
  constexpr Inferred infer(const Shape* x, int) {
    const Shape& s = x[0];
    Inferred r;
    kept = gone = {};
    for (int i = 0; i < s.rank; ++i) {
      (axes[i] ? gone : kept).add(s[i], {step_along(s, i)});
      if (!axes[i] || keep) r.out.d[r.out.rank++] = axes[i] ? 1 : s[i];
    }
    for (int i = s.rank; i < 6; ++i)
      if (axes[i]) return {{}, "it reduces an axis its input does not have"};
    return r;
  }
  /// An output is written when its last value has been read, but others still wait.
  template <class N>
  constexpr Memory memory() const {
    return {};
  }
  static constexpr void fields(auto& op, auto visit) {
    visit("axes", op.axes), visit("keep", op.keep), visit("kept", op.kept), visit("gone", op.gone);
  }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const Reduce& op, const Data<N>& d,
                                         const Io<Reduce, N>& io) {
    typename N::Out* out = io.out.base;
    const int n = op.kept.run(), step = op.kept.run_step(0), count = op.count();
    const int inner = op.gone.run(), inner_step = op.gone.run_step(0);
    op.kept.runs([&](const int(&first)[1]) NNOM_INLINE {
      const typename N::In* in = io.in[0].base + first[0];
      for (int i = 0; i < n; ++i, in += step) {
        typename N::Acc sum = Rule::template start<N>(d);
        op.gone.runs([&](const int(&offset)[1])
                         NNOM_INLINE { sum = along(in + offset[0], inner, inner_step, sum); });
        *out++ = Rule::template end<N>(d, sum, count);
      }
    });
  }

 private:
  /// `acc` and n values, `step` apart. A function of its own keeps them in registers.
  template <class In, class Acc>
  [[gnu::noinline]] static Acc along(const In* in, int n, int step, Acc acc) {
    for (; n > 0; --n, in += step) acc = Rule::add(acc, Acc(*in));
    return acc;
  }
  static constexpr int elements(const Loops<1>& l) {
    int n = 1;
    for (int i = 0; i < l.depth; ++i) n *= l.count[i];
    return n;
  }
};

/// What a sum or mean needs.
template <class N>
struct SumData {
  using Numbers = N;
  typename N::Rescale::Mean mean{};
  Clamp<N> clamp{};

  static constexpr void fields(auto& d, auto visit) {
    if constexpr (N::quantised) visit("mean", d.mean);
    visit("clamp", d.clamp);
  }
};

/// The sum, or the mean; each has a scale of its own.
template <bool mean>
struct SumRule {
  static constexpr const char* name = mean ? "Mean" : "Sum";
  static constexpr bool same_scale = false;
  template <class N>
  using Data = SumData<N>;

  template <class N>
  static constexpr typename N::Acc start(const Data<N>&) {
    return 0;
  }
  static constexpr auto add(auto sum, decltype(sum) x) { return sum + x; }
  template <class N>
  static typename N::Out end(const Data<N>& d, typename N::Acc sum, int count) {
    if constexpr (N::quantised)
      return d.clamp(d.mean(sum));
    else
      return d.clamp(mean ? sum / typename N::Acc(count) : sum);
  }
};

/// The largest, or smallest.
template <bool larger>
struct LimitRule {
  static constexpr const char* name = larger ? "ReduceMax" : "ReduceMin";
  static constexpr bool same_scale = true;
  template <class N>
  using Data = Moved<N>;

  template <class N>
  static constexpr typename N::Acc start(const Data<N>&) {
    return larger ? N::lowest : N::highest;
  }
  static constexpr auto add(auto best, decltype(best) x) {
    return (larger ? x > best : x < best) ? x : best;
  }
  template <class N>
  static constexpr typename N::Out end(const Data<N>&, typename N::Acc best, int) {
    return static_cast<typename N::Out>(best);
  }
};

/// The product, of real numbers only.
struct ProductRule {
  static constexpr const char* name = "Product";
  static constexpr bool same_scale = false;
  static constexpr bool real_only = true;
  template <class N>
  using Data = Moved<N>;

  template <class N>
  static constexpr typename N::Acc start(const Data<N>&) {
    return 1;
  }
  static constexpr auto add(auto product, decltype(product) x) { return product * x; }
  template <class N>
  static constexpr typename N::Out end(const Data<N>&, typename N::Acc product, int) {
    return static_cast<typename N::Out>(product);
  }
};

using Sum = Reduce<SumRule<false>>;
using Mean = Reduce<SumRule<true>>;
using ReduceMax = Reduce<LimitRule<true>>;
using ReduceMin = Reduce<LimitRule<false>>;
using Product = Reduce<ProductRule>;

}  // namespace nnom
