/// \file
/// Conv2D: 2-D convolution over a channels-last picture; over {w, c} it is 1-D.
#pragma once

#include "nnom/convolution.hpp"
#include "nnom/patches.hpp"
#include "nnom/stack.hpp"

namespace nnom {

/// out[y][x][o] = bias[o] + sum over taps and the channels of o's group of in * weights.
/// Weights are [out.c][kernel.h][kernel.w][in.c / groups].
struct Conv2D {
  static constexpr const char* name = "Conv2D";
  static constexpr int max_inputs = 1;
  template <class N>
  using Data = Linear<N>;

  Image in{}, out{};
  Size kernel{}, stride{}, dilation{};
  Border pad{};
  int groups = 1;

  /// A row of taps is one run of memory, unless it is dilated or only some channels are read.
  constexpr bool contiguous() const { return dilation.w == 1 && groups == 1; }
  /// The weights of one group.
  constexpr Matrix matrix() const {
    const int c = in.c / groups;
    return contiguous() ? Matrix{out.c, kernel.h, kernel.w * c}
                        : Matrix{out.c / groups, kernel.size(), c};
  }
  /// The same where Layout::stacks: a column of taps follows the other.
  constexpr Matrix stacked() const { return {out.c / groups, 1, kernel.size() * (in.c / groups)}; }
  constexpr int place_stacked(int k) const {
    const int c = in.c / groups, y = k / c / kernel.w, x = k / c % kernel.w;
    return (x * kernel.h + y) * c + k % c;
  }
  constexpr int64_t macs() const { return int64_t{out.size()} * kernel.size() * (in.c / groups); }
  constexpr Inferred infer(const Shape* x, int) {
    const int channels = out.c;
    const Inferred r = slide(*this, x[0], channels);
    if (r.error) return r;
    if (groups < 1 || in.c % groups || channels % groups)
      return {{}, "input channels and filters must be multiples of groups"};
    return r;
  }
  template <class N>
  constexpr Memory memory() const {
    if constexpr (N::Layout::stacks)
      return stack_memory<N>(*this);
    else if constexpr (widened<N>)
      return patches_memory<N>(*this);
    else
      return lines_memory<N>(*this);
  }
  static constexpr void fields(auto& op, auto visit) {
    visit("in", op.in), visit("out", op.out), visit("kernel", op.kernel);
    visit("stride", op.stride), visit("dilation", op.dilation), visit("pad", op.pad);
    visit("groups", op.groups);
  }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const Conv2D& op, const Linear<N>& d,
                                         const Io<Conv2D, N>& io) {
    if constexpr (N::Layout::stacks)
      run_stacked<T, N>(op, d, io);
    else if constexpr (widened<N>)
      run_patches<T, N>(op, d, io);
    else
      run_lines<T, N>(op, d, io);
  }

 private:
  template <class T, class N>
  [[gnu::always_inline]] static void run_lines(const Conv2D& op, const Linear<N>& d,
                                               const Io<Conv2D, N>& io) {
    const Matrix m = op.matrix();
    if constexpr (!widened<N> && N::Layout::pixels <= 4)
      if (rows_join(op, io)) {
        Window<LineOf<N>> w;
        w.first = io.in[0].row(io.y0), w.length = op.in.c;
        const int count = (io.y1 - io.y0) * op.out.w;
        return multiply<T, N>({w, op.in.c, count, io.out.row(io.y0), op.out.c}, m, d, d.weights, 0);
      }
    const int group_channels = op.in.c / op.groups;
    for_rows<T, N>(op, d.in_zero, io, op.contiguous(), [&](int y, Window<LineOf<N>> w) NNOM_INLINE {
      if (!op.contiguous()) w.length = group_channels;
      const typename N::Weight* weights = d.weights;
      typename N::Out* to = io.out.row(y);
      for (int g = 0; g < op.groups; ++g) {
        multiply<T, N>({w, op.stride.w * op.in.c, op.out.w, to, op.out.c}, m, d, weights,
                       g * m.rows);
        w.first += group_channels;
        weights += N::Layout::size(m);
        to += m.rows;
      }
    });
  }

  /// Whether the pixels of all wanted rows are one row. memory() keeps the output of a row from the
  /// input of the same: where a tile of up to four pixels reaches into the next row, its outputs
  /// must not lie over the inputs of its first ones.
  static bool rows_join(const Conv2D& op, const auto& io) {
    return op.kernel.size() == 1 && op.stride.size() == 1 && op.groups == 1 && !op.pad.any() &&
           io.in[0].wrap >= io.y1 && io.in[0].pitch == op.in.row() && io.out.wrap >= io.y1 &&
           io.out.pitch == op.out.row() && (op.out.w - 1) * op.out.c >= 3 * op.in.c &&
           (op.out.w - 3) * op.out.c >= op.in.c;
  }

  /// Pixel after pixel, over the ends of rows where the output's lie one after the other.
  template <class T, class N>
  [[gnu::always_inline]] static void run_patches(const Conv2D& op, const Linear<N>& d,
                                                 const Io<Conv2D, N>& io) {
    const Matrix m = op.matrix(), over = over_patches<N>(m);
    auto* const memory = reinterpret_cast<LineOf<N>*>(io.scratch);
    const int most = patches<N>(op), size = patch_size<N>(op);
    const bool one_run = io.out.pitch == op.out.row() && io.y1 <= io.out.wrap;
    const bool copy =
        one_run && op.copies<N>() && io.in[0].pitch == op.in.row() && io.y1 <= io.in[0].wrap;
    for (int y = io.y0, x = 0; y < io.y1;) {
      const int count = min(most, (one_run ? io.y1 - y : 1) * op.out.w - x);
      if (copy)
        T::widen(memory, io.in[0].row(y) + x * op.in.c, count * op.in.c);
      else
        op.gather_windows<T, N>(d.in_zero, io.in[0], y, x, count, memory);
      Window<LineOf<N>> w;
      w.first = memory, w.length = over.length;
      const typename N::Weight* weights = d.weights;
      typename N::Out* to = io.out.row(y) + x * op.out.c;
      for (int g = 0; g < op.groups; ++g) {
        multiply<T, N>({w, size, count, to, op.out.c}, over, d, weights, g * m.rows);
        w.first += over.length;
        weights += N::Layout::size(m);
        to += m.rows;
      }
      for (x += count; x >= op.out.w; x -= op.out.w) ++y;
    }
  }

  /// Whether patches are the input, pixel by pixel.
  template <class N>
  constexpr bool copies() const {
    return kernel.size() == 1 && stride.size() == 1 && !pad.any() && groups == 1 &&
           N::Layout::padded(in.c) == in.c;
  }

  /// What `count` output pixels from (y, x) on look at.
  template <class T, class N>
  [[gnu::always_inline]] void gather_windows(typename N::In zero,
                                             const View<const typename N::In>& view, int y, int x,
                                             int count, LineOf<N>* to) const {
    const int channels = in.c / groups, columns = contiguous() ? kernel.w : 1;
    const int taps = kernel.w / columns, size = N::Layout::padded(columns * channels);
    const Runs runs{in, kernel.h, dilation.h, columns, channels, taps * size};
    for (; count > 0; --count) {
      for (int g = 0; g < groups; ++g, to += kernel.h * runs.size)
        for (int i = 0; i < taps; ++i)
          gather<T, N>(runs, zero, view, y * stride.h - pad.top,
                       x * stride.w - pad.left + i * dilation.w, g * channels, to + i * size);
      if (++x == out.w) x = 0, ++y;
    }
  }

  template <class T, class N>
  [[gnu::always_inline]] static void run_stacked(const Conv2D& op, const Linear<N>& d,
                                                 const Io<Conv2D, N>& io) {
    const Matrix m = op.stacked();
    const int c = op.in.c / op.groups;
    const bool stacks = is_stacked(op);
    auto* const stack = reinterpret_cast<typename N::In*>(io.scratch);
    Window<typename N::In> w;
    w.length = m.length;
    const bool joined = rows_join(op, io);
    const int rows = joined ? io.y1 - io.y0 : 1;
    for (int y = io.y0; y < io.y1; y += rows) {
      const int top = y * op.stride.h - op.pad.top;
      const typename N::Weight* weights = d.weights;
      typename N::Out* to = io.out.row(y);
      for (int g = 0; g < op.groups; ++g, to += m.rows, weights += N::Layout::size(m)) {
        if (stacks) fill_stack<T, N>(op, d.in_zero, io.in[0], top, g * c, stack);
        w.first = stacks ? stack : io.in[0].row(top) + g * c;
        multiply<T, N>(
            {w, stacks ? stack_step(op) : op.stride.w * op.in.c, rows * op.out.w, to, op.out.c}, m,
            d, weights, g * m.rows);
      }
    }
  }
};

}  // namespace nnom
