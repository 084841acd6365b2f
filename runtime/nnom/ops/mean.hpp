/// \file
/// Mean: the average of each channel over a whole picture (global average pooling).
#pragma once

#include "nnom/numbers.hpp"

namespace nnom {

/// out[c] = mean over all pixels of in[..][c], with a scale of its own.
struct Mean {
  static constexpr const char* name = "Mean";
  static constexpr int max_inputs = 1;

  template <class N>
  struct Data {
    using Numbers = N;
    typename N::Rescale::Mean mean{};
    Clamp<N> clamp{};

    static constexpr void fields(auto& d, auto visit) {
      if constexpr (N::quantised) visit("mean", d.mean);
      visit("clamp", d.clamp);
    }
  };

  Image in{};
  int rank = 1;  ///< of the output: 1, or that of the input where the axes are kept as ones

  constexpr int pixels() const { return in.h * in.w; }
  constexpr int64_t macs() const { return in.size(); }
  constexpr Inferred infer(const Shape* x, int) {
    if (x[0].rank < 1 || x[0].rank > 3)
      return {{}, "its input must have 1 to 3 axes (height, width, channels) besides the batch"};
    in = image(x[0]);
    return {shape(Image{1, 1, in.c}, rank)};
  }
  /// A channel is written when its last pixel has been read, but those after it still wait.
  template <class N>
  constexpr Memory memory() const {
    return {};
  }
  static constexpr void fields(auto& op, auto visit) { visit("in", op.in), visit("rank", op.rank); }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const Mean& op, const Data<N>& d, const Io<Mean, N>& io) {
    typename N::Out* out = io.out.row(0);
    for (int c = 0; c < op.in.c; ++c) {
      typename N::Acc sum = 0;
      for (int y = 0; y < op.in.h; ++y) {
        const typename N::In* p = io.in[0].row(y) + c;
        for (int x = 0; x < op.in.w; ++x, p += op.in.c) sum += *p;
      }
      if constexpr (N::quantised)
        out[c] = d.clamp(d.mean(sum));
      else
        out[c] = d.clamp(sum / typename N::Acc(op.pixels()));
    }
  }
};

}  // namespace nnom
