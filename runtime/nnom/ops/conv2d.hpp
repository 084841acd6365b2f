/// \file
/// Conv2D: 2-D convolution over a channels-last picture; over {w, c} it is 1-D.
#pragma once

#include "nnom/patches.hpp"
#include "nnom/stack.hpp"
#include "nnom/windows.hpp"

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
    else if constexpr (compact<N>)
      return windows_memory<N>(*this);
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
    else if constexpr (compact<N>)
      run_windows<T, N>(op, d, io);
    else if constexpr (widened<N>)
      run_patches<T, N>(op, d, io);
    else
      run_lines<T, N>(op, d, io);
  }
};

}  // namespace nnom
