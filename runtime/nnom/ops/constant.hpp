/// \file
/// Constant: a tensor that is always the same.
#pragma once

#include "nnom/numbers.hpp"

namespace nnom {

/// Copies its values, the node's weights, to where ops read them that take no constant themselves.
struct Constant {
  static constexpr const char* name = "Constant";
  static constexpr int min_inputs = 0, max_inputs = 1;

  template <class N>
  struct Data {
    using Numbers = N;
    const typename N::Out* values = nullptr;

    static constexpr void fields(auto& d, auto visit) { visit("values", d.values); }
  };

  Shape out{};

  constexpr int64_t macs() const { return 0; }
  constexpr int constants() const { return out.size(); }
  constexpr Inferred infer(const Shape*, int n) {
    if (n) return {{}, "it takes no input"};
    return {out};
  }
  template <class N>
  constexpr Memory memory() const {
    return {};
  }
  static constexpr void fields(auto& op, auto visit) { visit("out", op.out); }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const Constant& op, const Data<N>& d,
                                         const Io<Constant, N>& io) {
    __builtin_memcpy(io.out.base, d.values, static_cast<size_t>(op.out.size()) * sizeof *d.values);
  }
};

}  // namespace nnom
