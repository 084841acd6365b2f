/// \file
/// The reference target: plain C++ that runs anywhere, reads every packing, and defines the bits
/// that every other target must compute.
#pragma once

#include "nnom/fixed16.hpp"
#include "nnom/numbers.hpp"
#include "nnom/target/layout.hpp"
#include "nnom/window.hpp"

namespace nnom::target {

struct Scalar : Basic16 {
  /// Whether the bounds of a layer are constants, and its loops therefore inlined.
  static constexpr bool fixed = false;
  /// Whether little code matters more than time.
  static constexpr bool compact = false;
  /// The packing it reads fastest.
  using Preferred = layout::Plain;
  /// Whether the patches of two pixels lie together, pairs of elements of each in turn.
  static constexpr bool pairs_pixels = false;

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
              acc[p][i] += F{x[p * step + k]} * F{weight<L>(weights, m, r + i, tap, k)};
        ++tap;
      });
    }
  }

  template <class L>
  [[gnu::always_inline]] static auto weight(const auto* weights, const Matrix& m, int row, int tap,
                                            int k) {
    if constexpr (requires { L::weight(weights, m, row, tap, k); })
      return L::weight(weights, m, row, tap, k);
    else
      return weights[L::index(m, row, tap, k)];
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
          acc[i] += F{x[c + i]} * F{weights[c + i]};
        }
      if constexpr (requires { N::Layout::depthwise(0, 0, 0, 0); })
        ++tap;
      else
        weights += channels;
    });
  }

  /// out[p * step] = what `d` makes of sums of channel c, perhaps without its limits: those are for
  /// limit(), which goes over `pixels` of so many `channels`.
  template <class N, int P>
  [[gnu::always_inline]] static void finish(const Linear<N>& d, int c,
                                            const typename N::Acc (&sum)[P], typename N::Out* out,
                                            int step) {
    typename N::Out value[P];  // out may alias what d points to
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p) value[p] = d.finish(sum[p], c);
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p, out += step) *out = value[p];
  }

  /// A channel of a layer, with what finish() needs of it.
  template <class N>
  struct Channel {
    typename N::Acc bias;
    int index;

    Channel() = default;
    [[gnu::always_inline]] Channel(const Linear<N>& d, int c) : bias(d.bias[c]), index(c) {}
  };
  template <class N, int P>
  [[gnu::always_inline]] static void finish(const Linear<N>& d, const Channel<N>& channel,
                                            const typename N::Acc (&sum)[P], typename N::Out* out,
                                            int step) {
    finish<N, P>(d, channel.index, sum, out, step);
  }

  /// What scales a sum below 2^30 as `rescale`, which is brief, does.
  static constexpr auto brief(auto rescale) { return rescale; }
  template <class N>
  [[gnu::always_inline]] static void limit(const Linear<N>&, typename N::Out*, int, int, int) {}

  /// Two rows of four channels, value by value side by side: a[0], b[0], a[1], b[1], ...
  [[gnu::always_inline]] static void pair_up(int16_t* to, const int8_t* a, const int8_t* b) {
    for (int i = 0; i < 4; ++i) to[2 * i] = a[i], to[2 * i + 1] = b[i];
  }

  /// acc[p] += three taps of each of `rows` rows at pixel p of P, which are `stride` apart. From a
  /// pair of columns to the next it is `step` elements, in the weights too: a row there is the
  /// pairs (0, 1) and (1, 2).
  template <int stride, int step, int P>
  [[gnu::always_inline]] static void three_taps(const int16_t* x, int pitch, const int16_t* w,
                                                int rows, int32_t (&acc)[P]) {
    for (; rows > 0; --rows, x += pitch, w += 2 * step)
      for (int p = 0; p < P; ++p)
        for (int k = 0; k < 3; ++k) {
          const int column = p * stride + k;
          acc[p] += x[column / 2 * step + column % 2] * w[k / 2 * step + k % 2 + k / 2];
        }
  }

  /// out[i] = clamp(sum(a[i], b[i])) for i < n; see Rescale::Sum. False: nothing is done.
  template <class Sum, class N>
  [[gnu::always_inline]] static bool add(const Sum& sum, const Clamp<N>& clamp,
                                         const typename N::In* a, const typename N::In* b,
                                         typename N::Out* out, int n) {
    for (int i = 0; i < n; ++i) out[i] = clamp(sum(typename N::Acc(a[i]), typename N::Acc(b[i])));
    return true;
  }

  /// sum[i] += channel c + i of all taps.
  template <class E, class Acc, int B>
  [[gnu::always_inline]] static void window_sums(const Window<E>& window, int c, Acc (&sum)[B]) {
    window.taps([&](const E* x) NNOM_INLINE {
      for (int i = 0; i < B; ++i) sum[i] += Acc(x[c + i]);
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
