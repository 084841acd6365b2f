/// \file
/// Conv2D: 2-D convolution over a channels-last picture; over {w, c} it is 1-D.
#pragma once

#include "nnom/convolution.hpp"

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
    const Matrix m = op.matrix();
    if (op.pointwise() && one_run(io.in[0], op.in, io) && one_run(io.out, op.out, io) &&
        !through_lines<N>(op)) {
      if constexpr (sizeof(LineOf<N>) == sizeof(typename N::In)) {
        Window<LineOf<N>> w;
        w.first = io.in[0].row(io.y0), w.length = op.in.c;
        const int count = (io.y1 - io.y0) * op.out.w;
        multiply<T, N>({w, op.in.c, count, io.out.row(io.y0), op.out.c}, m, d, d.weights, 0);
        return;
      }
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

 private:
  /// Whether output pixels are products of one input pixel each, in the same order.
  constexpr bool pointwise() const {
    return kernel.size() == 1 && stride.size() == 1 && groups == 1 && !pad.any();
  }
  /// Whether the wanted rows of a view on `picture` are one run of memory.
  static constexpr bool one_run(const auto& view, const Image& picture, const auto& io) {
    return view.pitch == picture.row() && io.y1 <= view.wrap;
  }
};

}  // namespace nnom
