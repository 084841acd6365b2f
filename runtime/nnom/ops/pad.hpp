/// \file
/// Pad: values around a tensor, along any axes.
#pragma once

#include "nnom/loops.hpp"
#include "nnom/numbers.hpp"

namespace nnom {

/// What lies beyond the edge, as ONNX and TFLite name it: for 1 2 3, a `value`; 3 2 (1 2 3) 2 1;
/// 2 1 (1 2 3) 3 2; 1 1 (1 2 3) 3 3.
enum class Beyond : int { constant, reflect, symmetric, edge };

/// Adds before[i] and after[i] elements along axis i.
struct Pad {
  static constexpr const char* name = "Pad";
  static constexpr int max_inputs = 1;
  static constexpr bool same_scale = true;

  template <class N>
  struct Data {
    using Numbers = N;
    typename N::In value = 0;

    static constexpr void fields(auto& d, auto visit) { visit("value", d.value); }
  };

  int before[6]{}, after[6]{};
  Beyond mode = Beyond::constant;
  float value = 0;
  Shape in{};

  constexpr bool any() const {
    for (int i = 0; i < 6; ++i)
      if (before[i] || after[i]) return true;
    return false;
  }
  constexpr int64_t macs() const { return 0; }
  constexpr Inferred infer(const Shape* x, int) {
    in = x[0];
    Inferred r{in};
    for (int i = 0; i < 6; ++i) {
      if (max(before[i], after[i]) > 1 << 28) return {{}, "its output is too large"};
      if (min(before[i], after[i]) < 0) return {{}, "its border must not be negative"};
      const int most = max(before[i], after[i]);
      if (i >= in.rank && most)
        return {{}, "it adds a border along an axis its input does not have"};
      if (mode == Beyond::reflect && most && most >= in[i])
        return {{}, "its border must be smaller than what it reflects"};
      if (mode == Beyond::symmetric && most > in[i])
        return {{}, "its border must not be larger than what it reflects"};
      if (i < in.rank) r.out.d[i] += before[i] + after[i];
    }
    return r;
  }
  template <class N>
  constexpr Memory memory() const {
    return {};
  }
  static constexpr void fields(auto& op, auto visit) {
    visit("before", op.before), visit("after", op.after), visit("mode", op.mode);
    visit("value", op.value), visit("in", op.in);
  }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const Pad& op, const Data<N>& d, const Io<Pad, N>& io) {
    typename N::Out* out = io.out.base;
    int last = 0, length = 1;  // the last axis that is padded; elements behind it
    for (int i = 0; i < op.in.rank; ++i)
      if (op.before[i] || op.after[i]) last = i;
    for (int i = last + 1; i < op.in.rank; ++i) length *= op.in[i];
    int at[6]{};
    for (;;) {
      bool inside = true;
      int first = 0;  // of the row of input along the last axis
      for (int i = 0; i < last; ++i) {
        const int from = op.source(i, at[i]);
        inside &= from >= 0;
        first = (first + from) * op.in[i + 1];
      }
      out = row<N>(op, d, inside ? io.in[0].base + first * length : nullptr, last, length, out);
      int i = last - 1;
      for (; i >= 0 && ++at[i] == op.before[i] + op.in[i] + op.after[i]; --i) at[i] = 0;
      if (i < 0) return;
    }
  }

 private:
  /// Where element i of the output along `axis` comes from; -1: from nowhere.
  constexpr int source(int axis, int i) const {
    const int n = in[axis], k = i - before[axis];
    if (k >= 0 && k < n) return k;
    const int twice = mode == Beyond::reflect ? 0 : 1;  // times the edge itself is seen again
    switch (mode) {
      case Beyond::constant:
        break;
      case Beyond::reflect:
      case Beyond::symmetric:
        return k < 0 ? -k - twice : 2 * n - 2 - k + twice;
      case Beyond::edge:
        return k < 0 ? 0 : n - 1;
    }
    return -1;
  }
  /// Writes the elements along the last padded axis, each a run of `length`; `in` is null where
  /// they are all beyond the edge. Returns the end.
  template <class N>
  [[gnu::always_inline]] static typename N::Out* row(const Pad& op, const Data<N>& d,
                                                     const typename N::In* in, int axis, int length,
                                                     typename N::Out* out) {
    const int n = op.in.rank ? op.in[axis] : 1;
    const auto border = [&](int from, int count) {
      for (int i = from; i < from + count; ++i, out += length) {
        const int k = in ? op.source(axis, i) : -1;
        if (k >= 0)
          __builtin_memcpy(out, in + k * length, static_cast<size_t>(length) * sizeof *out);
        else
          for (int c = 0; c < length; ++c) out[c] = d.value;
      }
    };
    border(0, op.before[axis]);
    if (in) {
      __builtin_memcpy(out, in, static_cast<size_t>(n * length) * sizeof *out);
      out += n * length;
    } else {
      border(op.before[axis], n);
    }
    border(op.before[axis] + n, op.after[axis]);
    return out;
  }
};

}  // namespace nnom
