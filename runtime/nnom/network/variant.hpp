/// \file
/// One of several ops, as a constant: what a node of a network made at compile time holds.
#pragma once

#include "nnom/core.hpp"

namespace nnom {

/// The place of type V in a list; its size if it isn't there.
template <class V, class... T>
constexpr int index_of() {
  int i = 0, found = int{sizeof...(T)};
  ((__is_same(V, T) ? void(found = i++) : void(i++)), ...);
  return found;
}

/// Type I of a list.
template <int I, class List>
struct TypeAt;
template <int I, class T, class... U>
struct TypeAt<I, TypeList<T, U...>> : TypeAt<I - 1, TypeList<U...>> {};
template <class T, class... U>
struct TypeAt<0, TypeList<T, U...>> {
  using type = T;
};

/// Memory for one value of any of the types.
template <class... T>
union Storage {
  char none = 0;
};
template <class T, class... U>
union Storage<T, U...> {
  char none = 0;
  T head;
  Storage<U...> tail;

  constexpr Storage() {}
  constexpr explicit Storage(const T& value) : head(value) {}
  template <class V>
  constexpr explicit Storage(const V& value) : tail(value) {}

  template <int I>
  constexpr const auto& get() const {
    if constexpr (I == 0)
      return head;
    else
      return tail.template get<I - 1>();
  }
};

/// A value of one of the types, or (index -1) none.
template <class... T>
struct Variant {
  int index = -1;
  Storage<T...> storage{};

  constexpr Variant() = default;
  template <class V>
  constexpr explicit Variant(const V& value) : index(index_of<V, T...>()), storage(value) {
    static_assert(index_of<V, T...>() < int{sizeof...(T)}, "this op is not in nnom::Ops");
  }

  template <int I>
  constexpr const auto& get() const {
    return storage.template get<I>();
  }
};

}  // namespace nnom
