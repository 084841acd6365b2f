/// \file
/// The reference target: plain C++ that runs anywhere, reads every packing, and defines the bits
/// that every other target must compute.
#pragma once

#include "nnom/numbers.hpp"
#include "nnom/target/layout.hpp"
#include "nnom/window.hpp"

namespace nnom::target {

struct Scalar {
  /// Whether the bounds of a layer are constants, and its loops therefore inlined.
  static constexpr bool fixed = false;
  /// The packing it reads fastest.
  using Preferred = layout::Plain;

  /// Whether a packing can be read: every one on a PC, those without permuted steps on a board,
  /// where reading the others element by element would be needlessly slow.
  template <class Layout>
  static constexpr bool reads = Layout::depth == 1 || sizeof(void*) > 4;

  /// line[i] = in[i] for i < n.
  template <class Line, class In>
  [[gnu::always_inline]] static void widen(Line* line, const In* in, int n) {
    if constexpr (sizeof(Line) == sizeof(In))
      __builtin_memcpy(line, in, static_cast<size_t>(n) * sizeof(In));
    else
      for (int i = 0; i < n; ++i) line[i] = in[i];
  }

  /// to[i] = value for i < n.
  template <class E>
  [[gnu::always_inline]] static void fill(E* to, E value, int n) {
    for (int i = 0; i < n; ++i) to[i] = value;
  }

  /// Copies `count` runs of n elements, whose places are to_step and from_step apart.
  template <class E>
  [[gnu::always_inline]] static void copy_runs(E* to, int to_step, const E* from, int from_step,
                                               int n, int count) {
    for (; count > 0; --count, to += to_step, from += from_step)
      for (int i = 0; i < n; ++i) to[i] = from[i];
  }

  /// acc[p][i] += window at pixel p . row r + i of `weights`, which is packed as N::Layout says.
  /// `Fixed`: the bounds are constants.
  template <class N, int P, int R, bool Fixed, class Line>
  [[gnu::always_inline]] static void tile(Window<Line> window, int step,
                                          const typename N::Weight* weights, const Matrix& m, int r,
                                          typename N::Acc (&acc)[P][R]) {
    using L = typename N::Layout;
    using F = typename N::Factor;
    if constexpr (L::depth == 1) {  // weight k of row r + i lies at w[k * k_step + i * row_step]
      constexpr bool interleaved = L::group({R, 1, 1}, 0) == R && R > 1;
      const int row_step = interleaved ? 1 : L::row_size(m);
      constexpr int k_step = interleaved ? R : 1;
      const typename N::Weight* w = weights + r * L::row_size(m);
      window.taps([&](const Line* x) NNOM_INLINE {
        for (int k = 0; k < window.length; ++k, w += k_step) {
          F a[P];
#pragma GCC unroll 4
          for (int p = 0; p < P; ++p) a[p] = x[p * step + k];
#pragma GCC unroll 8
          for (int i = 0; i < R; ++i) {
            const F b = w[i * row_step];
#pragma GCC unroll 4
            for (int p = 0; p < P; ++p) acc[p][i] += a[p] * b;
          }
        }
      });
    } else {
      int tap = 0;
      window.taps([&](const Line* x) NNOM_INLINE {
        for (int k = 0; k < window.length; ++k)
          for (int i = 0; i < R; ++i)
            for (int p = 0; p < P; ++p)
              acc[p][i] += F{x[p * step + k]} * F{weights[L::index(m, r + i, tap, k)]};
        ++tap;
      });
    }
  }

  /// acc[i] += sum over taps of channel c + i times its weight; weights are packed.
  template <class N, int B, class Line>
  [[gnu::always_inline]] static void depthwise(const Window<Line>& window, int c, int channels,
                                               const typename N::Weight* weights,
                                               typename N::Acc (&acc)[B]) {
    using F = typename N::Factor;
    [[maybe_unused]] int tap = 0;
    window.taps([&](const Line* x) NNOM_INLINE {
#pragma GCC unroll 8
      for (int i = 0; i < B; ++i)
        if constexpr (requires { N::Layout::depthwise(0, 0, 0, 0); }) {
          const int taps = window.rows * window.columns;
          acc[i] += F{x[c + i]} * F{weights[N::Layout::depthwise(tap, c + i, taps, channels)]};
        } else {
          acc[i] += F{x[c + i]} * F{weights[N::Layout::channel(c + i, channels)]};
        }
      if constexpr (requires { N::Layout::depthwise(0, 0, 0, 0); })
        ++tap;
      else
        weights += channels;
    });
  }

  /// out[i] = max(out[i], in[i]) for i < n.
  template <class E>
  [[gnu::always_inline]] static void maximum(E* out, const E* in, int n) {
    for (int i = 0; i < n; ++i) out[i] = out[i] > in[i] ? out[i] : in[i];
  }
};

/// Any target, for a layer whose bounds are all constants.
template <class T>
struct Fixed : T {
  static constexpr bool fixed = true;
};

}  // namespace nnom::target
