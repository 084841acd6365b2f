/// \file
/// TransposeConv2D: convolution backwards; it makes a picture larger.
#pragma once

#include "nnom/convolution.hpp"

namespace nnom {

/// out[y][x][o] = bias[o] + sum of in[i][j] * weights[o][y + top - i * stride][x + left - ...]:
/// each input pixel adds a kernel to the output, `stride` pixels from that of the next; `pad` is
/// cut off the result, `extra` rows and columns are added at its end. Weights are
/// [out.c][kernel.h][kernel.w][in.c].
///
/// The output pixels of one phase (position modulo stride) are those of a convolution with stride
/// 1 and every stride-th tap: it runs as one convolution a phase.
struct TransposeConv2D {
  static constexpr const char* name = "TransposeConv2D";
  static constexpr int max_inputs = 1;
  template <class N>
  using Data = Linear<N>;

  Image in{}, out{};
  Size kernel{}, stride{};
  Border pad{};
  Size extra{0, 0};

  constexpr int64_t macs() const { return int64_t{in.size()} * kernel.size() * out.c; }
  constexpr Inferred infer(const Shape* x, int) {
    if (x[0].rank < 1 || x[0].rank > 3)
      return {{}, "its input must have 1 to 3 axes (height, width, channels) besides the batch"};
    if (min(min(kernel.h, kernel.w), min(stride.h, stride.w)) < 1)
      return {{}, "kernel size and strides must be positive"};
    if (min(extra.h, extra.w) < 0 || max(pad.top, pad.bottom) >= kernel.h ||
        max(pad.left, pad.right) >= kernel.w)
      return {{}, "what is cut off must be smaller than its kernel"};
    in = image(x[0]);
    const int64_t h = int64_t{in.h} * stride.h + kernel.h + extra.h;
    const int64_t w = int64_t{in.w} * stride.w + kernel.w + extra.w;
    if (h > INT_MAX / w / max(out.c, 1)) return {{}, "its output is too large"};
    if (int64_t{kernel.size()} * in.c > INT_MAX / max(out.c, 1))
      return {{}, "it has too many weights"};
    out.h = (in.h - 1) * stride.h + kernel.h + extra.h - pad.top - pad.bottom;
    out.w = (in.w - 1) * stride.w + kernel.w + extra.w - pad.left - pad.right;
    if (min(out.h, out.w) < 1) return {{}, "nothing is left of its output"};
    return picture(out, x[0].rank);
  }
  template <class N>
  constexpr Memory memory() const {
    const Lines v = lines();
    const bool through = through_lines<N>(v);
    const int element = sizeof(typename N::In);
    return {lines_bytes<N>(v),
            lead_of(out.h, out.row() * element, in.h, in.row() * element, [&](int y) {
              const int b = (y + pad.top) / stride.h;
              return max(min(through ? b + 1 : b - v.kernel.h + 1, in.h), 0);
            })};
  }
  static constexpr void fields(auto& op, auto visit) {
    visit("in", op.in), visit("out", op.out), visit("kernel", op.kernel);
    visit("stride", op.stride), visit("pad", op.pad), visit("extra", op.extra);
  }

  /// Each phase has its own matrix of weights, and biases: the taps that meet it.
  constexpr int phases() const { return stride.size(); }
  constexpr Matrix matrix_of(int phase) const {
    const int h = taps(phase / stride.w, kernel.h, stride.h);
    const int w = taps(phase % stride.w, kernel.w, stride.w);
    return {out.c, w ? h : 0, h ? w * in.c : 0};
  }
  /// The phase that weight k of a channel belongs to.
  constexpr int phase_of(int k) const {
    const int y = k / in.c / kernel.w, x = k / in.c % kernel.w;
    return y % stride.h * stride.w + x % stride.w;
  }
  /// Where weights lie: phase by phase, each packed as L says, taps in the order of the input.
  template <class L>
  constexpr int weights_before(int phase) const {
    int n = 0;
    for (int p = 0; p < phase; ++p) n += L::size(matrix_of(p));
    return n;
  }
  template <class L>
  constexpr int packed(int channel, int k) const {
    const int phase = phase_of(k);
    const Matrix m = matrix_of(phase);
    const int y = k / in.c / kernel.w / stride.h, x = k / in.c % kernel.w / stride.w;
    return weights_before<L>(phase) +
           L::index(m, channel, m.taps - 1 - y, m.length - in.c - x * in.c + k % in.c);
  }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const TransposeConv2D& op, const Linear<N>& d,
                                         const Io<TransposeConv2D, N>& io) {
    const Lines v = op.lines();
    const Border first = op.first();
    auto rows = io;
    rows.y0 = (io.y0 + op.pad.top) / op.stride.h - first.top;
    rows.y1 = (io.y1 - 1 + op.pad.top) / op.stride.h - first.top + 1;
    for_rows<T, N>(v, d.in_zero, rows, true, [&](int b, const Window<LineOf<N>>& w) NNOM_INLINE {
      Linear<N> own = d;  // that of a phase
      for (int phase = 0; phase < op.phases(); ++phase, own.bias += op.out.c) {
        const Matrix m = op.matrix_of(phase);
        const int y = (b + first.top) * op.stride.h + phase / op.stride.w - op.pad.top;
        int x = phase % op.stride.w - op.pad.left;
        while (x < 0) x += op.stride.w;
        if (y >= io.y0 && y < io.y1 && x < op.out.w) {
          Window<LineOf<N>> window = w;
          window.rows = m.taps;
          window.length = m.length;
          window.first += (v.kernel.h - m.taps) * w.row_step;
          if (w.ring && window.first >= w.end) window.first -= w.ring;
          window.first +=
              ((x + op.pad.left) / op.stride.w - first.left + v.kernel.w) * op.in.c - m.length;
          multiply<T, N>({window, op.in.c, (op.out.w - 1 - x) / op.stride.w + 1,
                          io.out.row(y) + x * op.out.c, op.stride.w * op.out.c},
                         m, own, own.weights, 0);
        }
        own.weights += N::Layout::size(m);
      }
    });
  }

 private:
  /// The convolution with stride 1 that all phases read their input for.
  struct Lines {
    Image in, out;
    Size kernel, stride, dilation;
    Border pad;
  };

  /// Taps that meet a phase of one axis.
  static constexpr int taps(int phase, int kernel, int stride) {
    return phase < kernel ? (kernel - phase + stride - 1) / stride : 0;
  }
  /// The last row and column of input that the first (top, left) and the last output pixel look at.
  constexpr Border first() const {
    return {pad.top / stride.h, pad.left / stride.w, (out.h - 1 + pad.top) / stride.h,
            (out.w - 1 + pad.left) / stride.w};
  }
  constexpr Lines lines() const {
    const Border f = first();
    const Size k{taps(0, kernel.h, stride.h), taps(0, kernel.w, stride.w)};
    return {in,
            {f.bottom - f.top + 1, f.right - f.left + 1, out.c},
            k,
            {1, 1},
            {1, 1},
            {k.h - 1 - f.top, k.w - 1 - f.left, max(f.bottom - in.h + 1, 0),
             max(f.right - in.w + 1, 0)}};
  }
};

}  // namespace nnom
