/// \file
/// The runtime's arithmetics, as values: a node's numbers are a type on the board and one of these
/// here.
#pragma once

#include <type_traits>
#include <utility>

#include "compiler/quantise/quantisation.hpp"
#include "nnom/numbers16.hpp"
#include "nnom/packing.hpp"

namespace nnomc {

/// How what is rescaled is rounded: as one of TFLite's dialects, or where all scales are powers of
/// two to the nearest or towards minus infinity.
enum class Rounding { single_rounding, double_rounding, nearest, truncating };
enum class Layout { plain, dsp, vector, helium, compact, quads };

/// Of a quantised node's inputs and output.
enum class Width { int8, int16, widening, narrowing };
/// How sums of products are scaled in int16: nnom::Double, Reduced or Floating.
enum class Rescaling { twice, reduced, floating };

/// What a model or one of its nodes computes with: an nnom::Int8, Float, Int16 or Converting. Those
/// of a model say what is common to its nodes.
struct Numbers {
  bool quantised = false;
  Rounding rounding = Rounding::single_rounding;
  Layout layout = Layout::vector;
  Width width = Width::int8;
  Rescaling rescaling = Rescaling::twice;

  bool operator==(const Numbers&) const = default;
  bool single() const { return rounding == Rounding::single_rounding; }
  Scheme scheme() const {
    return rounding < Rounding::nearest ? Scheme::affine : Scheme::power_of_two;
  }
  /// Bytes of an element of a node's output.
  int element_bytes() const {
    return !quantised ? 4 : width == Width::int8 || width == Width::narrowing ? 1 : 2;
  }
  /// Place in AllNumbers.
  size_t index() const {
    constexpr size_t kLayouts = 6, kWide = 1 + 3 * kLayouts;
    if (!quantised) return 0;
    const auto dialect = scheme() == Scheme::affine ? static_cast<size_t>(rounding) : 2;
    switch (width) {
      case Width::int8:
        return 1 + dialect * kLayouts + static_cast<size_t>(layout);
      case Width::int16:
        return kWide + static_cast<size_t>(rescaling);
      case Width::widening:
        return kWide + 3 + dialect;
      case Width::narrowing:
        break;
    }
    return kWide + 5;
  }
};

/// Every arithmetic the compiler can run and emit; float is the reference, so it adds in double.
template <template <class...> class List>
using AllNumbers = List<nnom::Float<double, nnom::layout::Vector>,            //
                        nnom::Int8<nnom::Single, nnom::layout::Plain>,        //
                        nnom::Int8<nnom::Single, nnom::layout::Dsp>,          //
                        nnom::Int8<nnom::Single, nnom::layout::Vector>,       //
                        nnom::Int8<nnom::Single, nnom::layout::Helium>,       //
                        nnom::Int8<nnom::Single, nnom::layout::Compact>,      //
                        nnom::Int8<nnom::Single, nnom::layout::Quads>,        //
                        nnom::Int8<nnom::Double, nnom::layout::Plain>,        //
                        nnom::Int8<nnom::Double, nnom::layout::Dsp>,          //
                        nnom::Int8<nnom::Double, nnom::layout::Vector>,       //
                        nnom::Int8<nnom::Double, nnom::layout::Helium>,       //
                        nnom::Int8<nnom::Double, nnom::layout::Compact>,      //
                        nnom::Int8<nnom::Double, nnom::layout::Quads>,        //
                        nnom::Int8<nnom::PowerOfTwo, nnom::layout::Plain>,    //
                        nnom::Int8<nnom::PowerOfTwo, nnom::layout::Dsp>,      //
                        nnom::Int8<nnom::PowerOfTwo, nnom::layout::Vector>,   //
                        nnom::Int8<nnom::PowerOfTwo, nnom::layout::Helium>,   //
                        nnom::Int8<nnom::PowerOfTwo, nnom::layout::Compact>,  //
                        nnom::Int8<nnom::PowerOfTwo, nnom::layout::Quads>,    //
                        nnom::Int16<nnom::Double, nnom::layout::Plain>,       //
                        nnom::Int16<nnom::Reduced, nnom::layout::Plain>,      //
                        nnom::Int16<nnom::Floating, nnom::layout::Plain>,     //
                        nnom::Widening<nnom::Single>,                         //
                        nnom::Widening<nnom::Double>,                         //
                        nnom::Narrowing>;

// What an op says of itself by a constant of that name.
template <class Op>
inline constexpr bool real_only = requires {
  requires Op::real_only;
};
template <class Op>
inline constexpr bool int8_only = requires {
  requires Op::int8_only;
};
template <class Op>
inline constexpr bool long_sums = requires {
  requires Op::long_sums;
};
template <class Op>
inline constexpr bool widens = requires {
  requires Op::widens;
};
template <class Op>
inline constexpr bool narrows = requires {
  requires Op::narrows;
};
template <class Op>
inline constexpr bool packs_weights = requires {
  requires Op::packs_weights;
};

using nnom::is_linear;

/// The layout of int8 weights, void in other arithmetics.
template <class N>
struct PackingOfInt8 {
  using type = void;
};
template <class R, class L>
struct PackingOfInt8<nnom::Int8<R, L>> {
  using type = L;
};
template <class N>
using PackingOf = typename PackingOfInt8<N>::type;

/// Whether `Op` can compute in the arithmetic N.
template <class Op, class N>
constexpr bool computes() {
  if constexpr (!N::quantised)
    return true;
  else if constexpr (std::is_same_v<PackingOf<N>, nnom::layout::Quads>)
    return is_linear<Op>();
  else if constexpr (sizeof(typename N::In) != sizeof(typename N::Out))
    return !real_only<Op> && (sizeof(typename N::In) == 1 ? widens<Op> : narrows<Op>);
  else if constexpr (sizeof(typename N::In) == 1)
    return !real_only<Op>;
  else
    return !real_only<Op> && !int8_only<Op> &&
           (is_linear<Op>() ||
            (std::is_same_v<typename N::Rescale, nnom::Double> != long_sums<Op> &&
             !std::is_same_v<typename N::Rescale, nnom::Floating>));
}

/// What `Op` computes with in the arithmetic N: the packing matters only to those with weights. One
/// it can't compute in is replaced by another: nothing runs in it.
template <class Op, class N>
struct NumbersOfOp {
  using Able =
      std::conditional_t<computes<Op, N>(), N, nnom::Int8<nnom::Single, nnom::layout::Plain>>;
  using type =
      std::conditional_t<is_linear<Op>() || packs_weights<Op>, Able, typename Able::Unpacked>;
};
template <class Op, class N>
using NumbersOf = typename NumbersOfOp<Op, N>::type;

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
