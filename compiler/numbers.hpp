/// \file
/// The runtime's arithmetics, as values: a node's numbers are a type on the board and one of these
/// here.
#pragma once

#include <type_traits>
#include <utility>

#include "nnom/numbers.hpp"
#include "nnom/target/layout.hpp"

namespace nnomc {

enum class Rounding { single_rounding, double_rounding };
enum class Layout { plain, dsp, vector };

/// Which nnom::Int8 or nnom::Float a model computes with.
struct Numbers {
  bool quantised = false;
  Rounding rounding = Rounding::single_rounding;
  Layout layout = Layout::vector;

  bool operator==(const Numbers&) const = default;
  /// Bytes of an activation.
  int element_bytes() const { return quantised ? 1 : 4; }
  /// Place in AllNumbers.
  size_t index() const {
    return quantised ? 1 + static_cast<size_t>(rounding) * 3 + static_cast<size_t>(layout) : 0;
  }
};

/// Every arithmetic the compiler can run and emit; float is the reference, so it adds in double.
template <template <class...> class List>
using AllNumbers = List<nnom::Float<double, nnom::layout::Vector>,       //
                        nnom::Int8<nnom::Single, nnom::layout::Plain>,   //
                        nnom::Int8<nnom::Single, nnom::layout::Dsp>,     //
                        nnom::Int8<nnom::Single, nnom::layout::Vector>,  //
                        nnom::Int8<nnom::Double, nnom::layout::Plain>,   //
                        nnom::Int8<nnom::Double, nnom::layout::Dsp>,     //
                        nnom::Int8<nnom::Double, nnom::layout::Vector>>;

/// What `Op` computes with in the arithmetic N: the packing matters only to those with weights.
template <class Op, class N>
using NumbersOf =
    std::conditional_t < std::is_same_v<typename Op::template Data<N>, nnom::Linear<N>> ||
    requires {
  Op::packed;
}
, N, typename N::Unpacked > ;

/// Calls f.operator()<N>() with the type that `numbers` names.
decltype(auto) with_numbers(const Numbers& numbers, auto f) {
  return [&]<class... N>(nnom::TypeList<N...>) {
    using R = std::common_type_t<decltype(f.template operator()<N>())...>;
    using Case = R (*)(decltype(f)&);
    constexpr Case cases[] = {[](decltype(f)& g) -> R { return g.template operator()<N>(); }...};
    return cases[numbers.index()](f);
  }(AllNumbers<nnom::TypeList>{});
}

/// The same with the type that `Op` computes with.
template <class Op>
decltype(auto) with_numbers_of(const Numbers& numbers, auto f) {
  return with_numbers(numbers,
                      [&]<class N>() { return f.template operator()<NumbersOf<Op, N>>(); });
}

}  // namespace nnomc
