/// \file
/// Resize: a picture in another size, by its nearest pixels or between them.
#pragma once

#include "nnom/numbers16.hpp"

namespace nnom {

/// The place in the input of output pixel i, as ONNX names them, for a ratio of in / out pixels:
/// (i + 1/2) * ratio - 1/2; the same, but 0 for an output of one pixel; i * ratio;
/// i * (in - 1) / (out - 1).
enum class Coordinate : int { half_pixel, pytorch_half_pixel, asymmetric, align_corners };

/// Between pixels: linear interpolation, or one of the two.
enum class Interpolation : int { linear, floor, ceil, round_prefer_floor, round_prefer_ceil };

/// How the weights of two neighbours add to `one`, and what becomes of four pixels so weighted: of
/// real numbers; as desktop TFLite (XNNPACK) has it, halves up; as TFLite Micro, and both in int16,
/// halves away from 0.
template <class Rescale>
struct Blend {
  static constexpr int one = 1;
  static constexpr auto end(auto sum) { return static_cast<float>(sum); }
};
template <>
struct Blend<Single> {
  static constexpr int one = 1 << 11;
  static constexpr auto end(int32_t sum) { return static_cast<int8_t>((sum + (1 << 21)) >> 22); }
};
template <>
struct Blend<Double> {
  static constexpr int one = 1 << 10;
  static constexpr auto end(int32_t sum) {
    constexpr int32_t half = 1 << 19;
    return static_cast<int8_t>((sum > 0 ? sum + half : sum - half) / (2 * half));
  }
};
/// As the rest of its scheme: halves up.
template <>
struct Blend<PowerOfTwo> : Blend<Single> {};

template <>
struct Blend<Reduced> {
  static constexpr int one = Blend<Double>::one;
  static constexpr auto end(int64_t sum) {
    constexpr int32_t half = 1 << 19;
    return static_cast<int16_t>((sum > 0 ? sum + half : sum - half) / (2 * half));
  }
};

/// out[y][x] = in at the place of (y, x), of which beyond the edge is the edge.
struct Resize {
  static constexpr const char* name = "Resize";
  static constexpr int max_inputs = 1;
  static constexpr bool same_scale = true, long_sums = true;

  template <class N>
  struct Data {
    using Numbers = N;
    /// The pixel at or before the place of each output row, then of each column.
    const int16_t* from = nullptr;
    /// How far the place is from there to the next pixel, of Blend<Rescale>::one.
    const typename N::Factor* fraction = nullptr;

    static constexpr void fields(auto& d, auto visit) {
      visit("from", d.from), visit("fraction", d.fraction);
    }
  };

  Image in{}, out{};
  Coordinate coordinate = Coordinate::half_pixel;
  Interpolation interpolation = Interpolation::linear;
  float ratio[2]{};  ///< of rows and columns; 0: in / out

  constexpr int64_t macs() const {
    return int64_t{out.size()} * (interpolation == Interpolation::linear ? 4 : 1);
  }
  constexpr Inferred infer(const Shape* x, int) {
    if (x[0].rank < 2 || x[0].rank > 3)
      return {{}, "its input must have 2 or 3 axes (height, width, channels) besides the batch"};
    in = image(x[0]);
    out.c = in.c;
    if (max(max(in.h, in.w), max(out.h, out.w)) > INT16_MAX)
      return {{}, "it can't resize more than 32767 pixels"};
    if (min(out.h, out.w) < 1) return {{}, "its output is empty"};
    if (int64_t{out.h} * out.w * out.c > INT_MAX) return {{}, "its output is too large"};
    const Shape s = shape(out, x[0].rank);
    if (s.size() != out.size()) return {{}, "it resizes an axis its input does not have"};
    return {s};
  }
  template <class N>
  constexpr Memory memory() const {
    return {};
  }
  static constexpr void fields(auto& op, auto visit) {
    visit("in", op.in), visit("out", op.out), visit("coordinate", op.coordinate);
    visit("interpolation", op.interpolation), visit("ratio", op.ratio);
  }

  template <class T, class N>
  [[gnu::always_inline]] static void run(const Resize& op, const Data<N>& d,
                                         const Io<Resize, N>& io) {
    const int c = op.out.c;
    const int16_t* const columns = d.from + op.out.h;
    for (int y = io.y0; y < io.y1; ++y) {
      typename N::Out* out = io.out.row(y);
      const typename N::In* row = io.in[0].row(d.from[y]);
      if (op.interpolation != Interpolation::linear) {
        for (int x = 0; x < op.out.w; ++x, out += c)
          __builtin_memcpy(out, row + columns[x] * c, static_cast<size_t>(c) * sizeof *out);
        continue;
      }
      const typename N::In* below = io.in[0].row(min(d.from[y] + 1, op.in.h - 1));
      const typename N::Acc fy = d.fraction[y];
      for (int x = 0; x < op.out.w; ++x, out += c) {
        const int left = columns[x] * c, right = min(columns[x] + 1, op.in.w - 1) * c;
        const typename N::Acc fx = d.fraction[op.out.h + x];
        for (int i = 0; i < c; ++i)
          out[i] = between<N>({row[left + i], row[right + i], below[left + i], below[right + i]},
                              fy, fx);
      }
    }
  }

 private:
  /// Four neighbours, row by row.
  template <class N>
  [[gnu::always_inline]] static typename N::Out between(const typename N::Acc (&p)[4],
                                                        typename N::Acc fy, typename N::Acc fx) {
    using B = Blend<typename N::Rescale>;
    constexpr typename N::Acc one = B::one;
    return B::end((p[0] * (one - fx) + p[1] * fx) * (one - fy) +
                  (p[2] * (one - fx) + p[3] * fx) * fy);
  }
};

}  // namespace nnom
