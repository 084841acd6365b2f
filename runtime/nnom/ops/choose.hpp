/// \file
/// Ops that compare, or choose one of several values: Maximum, Minimum, Compare, Select, PRelu.
#pragma once

#include "nnom/ops/elementwise.hpp"

namespace nnom {

/// Brings operands to the output's bits before they are compared or chosen.
template <class N, int K>
struct Tables {
  /// From the bits of each to those of the output, index stored + 128; null: the same, as always in
  /// int16.
  const typename N::Out* table[K]{};
  typename N::Out zero = 0;

  constexpr typename N::Acc operator()(int k, typename N::Acc x) const {
    if constexpr (sizeof(typename N::In) == 1)
      return (table[k] ? typename N::Acc{table[k][x + 128]} : x) - zero;
    else
      return x;
  }
  static constexpr void fields(auto& d, auto visit) {
    if constexpr (N::quantised) visit("table", d.table), visit("zero", d.zero);
  }
};

/// The larger, or smaller, of a and b.
template <bool larger>
struct ExtremeRule {
  static constexpr const char* name = larger ? "Maximum" : "Minimum";
  static constexpr int operands = 2;
  template <class N>
  using Data = Tables<N, 2>;

  static constexpr void fields(auto&, auto) {}
  template <class N>
  static constexpr typename N::Rescaled value(const ExtremeRule&, const Data<N>& d,
                                              const typename N::Acc (&x)[2]) {
    const typename N::Acc a = d(0, x[0]), b = d(1, x[1]);
    return (larger ? a > b : a < b) ? a : b;
  }
};

/// c ? a : b; c is true where it is not 0.
struct SelectRule {
  static constexpr const char* name = "Select";
  static constexpr int operands = 3;

  template <class N>
  struct Data {
    typename N::In zero = 0;  ///< of the condition
    Tables<N, 2> values{};

    static constexpr void fields(auto& d, auto visit) {
      visit("zero", d.zero), visit("values", d.values);
    }
  };

  static constexpr void fields(auto&, auto) {}
  template <class N>
  static constexpr typename N::Rescaled value(const SelectRule&, const Data<N>& d,
                                              const typename N::Acc (&x)[3]) {
    return x[0] != d.zero ? d.values(0, x[1]) : d.values(1, x[2]);
  }
};

enum class Relation : int { equal, not_equal, less, less_equal, greater, greater_equal };

/// Whether a and b are in a relation.
template <class T>
constexpr bool holds(Relation relation, T a, T b) {
  switch (relation) {
    case Relation::equal:
      return a == b;
    case Relation::not_equal:
      return a != b;
    case Relation::less:
      return a < b;
    case Relation::less_equal:
      return a <= b;
    case Relation::greater:
      return a > b;
    case Relation::greater_equal:
      return a >= b;
  }
  return false;
}

/// 1 where a and b are in this relation, else 0. Quantised, the output has scale 1, zero point 0.
struct CompareRule {
  static constexpr const char* name = "Compare";
  static constexpr int operands = 2;
  /// Bits the inputs are shifted up by, as in both of TFLite's dialects.
  static constexpr int headroom = 8;

  template <class N>
  struct Data {
    typename N::In zero[2]{};
    Double rescale[2]{};

    static constexpr void fields(auto& d, auto visit) {
      if constexpr (N::quantised) visit("zero", d.zero), visit("rescale", d.rescale);
    }
  };

  Relation relation = Relation::equal;

  static constexpr void fields(auto& r, auto visit) { visit("relation", r.relation); }
  template <class N>
  static constexpr typename N::Rescaled value(const CompareRule& r, const Data<N>& d,
                                              const typename N::Acc (&x)[2]) {
    typename N::Acc a = x[0], b = x[1];
    if constexpr (N::quantised) {
      a = d.rescale[0]((x[0] - d.zero[0]) * (1 << headroom));
      b = d.rescale[1]((x[1] - d.zero[1]) * (1 << headroom));
    }
    return holds(r.relation, a, b);
  }
};

/// a < 0 ? a * b : a.
struct PReluRule {
  static constexpr const char* name = "PRelu";
  static constexpr int operands = 2;
  static constexpr bool int8_only = true;

  template <class N>
  struct Data {
    typename N::In zero[2]{};
    Double positive{}, negative{};  ///< in both of TFLite's dialects

    static constexpr void fields(auto& d, auto visit) {
      if constexpr (N::quantised)
        visit("zero", d.zero), visit("positive", d.positive), visit("negative", d.negative);
    }
  };

  static constexpr void fields(auto&, auto) {}
  template <class N>
  static constexpr typename N::Rescaled value(const PReluRule&, const Data<N>& d,
                                              const typename N::Acc (&x)[2]) {
    if constexpr (N::quantised) {
      const int32_t a = x[0] - d.zero[0];
      return a < 0 ? d.negative(a * (x[1] - d.zero[1])) : d.positive(a);
    } else {
      return x[0] < 0 ? x[0] * x[1] : x[0];
    }
  }
};

using Maximum = Elementwise<ExtremeRule<true>>;
using Minimum = Elementwise<ExtremeRule<false>>;
using Select = Elementwise<SelectRule>;
using Compare = Elementwise<CompareRule>;
using PRelu = Elementwise<PReluRule>;

}  // namespace nnom
