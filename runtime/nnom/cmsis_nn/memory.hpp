/// \file
/// Which layers CMSIS-NN has a function for, and the scratch memory it asks for: the compiler plans
/// with it, and the adapter (nnom/cmsis_nn/adapter.hpp) checks it against what the library says.
#pragma once

#include "nnom/ops.hpp"

namespace nnom::cmsis_nn {

/// What the library is built for; it asks for other buffers on each.
enum class Core { plain, dsp, helium };

/// Bytes for the factors of `channels`, which it reads as two arrays: multipliers and shifts.
constexpr int factors(int channels) { return channels * 2 * int{sizeof(int32_t)}; }

/// Whether a layer of this geometry is one of its functions'.
constexpr bool takes(const auto&) { return false; }
constexpr bool takes(const Conv2D&) { return true; }
constexpr bool takes(const DepthwiseConv2D&) { return true; }
constexpr bool takes(const Dense&) { return true; }
constexpr bool takes(const MaxPool2D& op) { return op.dilation == Size{}; }
constexpr bool takes(const AveragePool2D& op) { return op.dilation == Size{} && !op.rule.of_uint8; }
/// Two tensors of one shape: they are one run of memory.
constexpr bool takes(const Add& op) {
  return op.constant < 0 && !op.rule.minus && op.loops.run() == op.row &&
         op.loops.run_step(0) == 1 && op.loops.run_step(1) == 1;
}

/// Bytes of the buffer that its function asks for.
constexpr int buffer(const auto&, Core) { return 0; }
/// Of arm_convolve_wrapper_s8.
constexpr int buffer(const Conv2D& op, Core core) {
  const int columns = op.kernel.size() * op.in.c;
  const bool pointwise = op.kernel == Size{} && op.dilation == Size{} && op.groups == 1 &&
                         op.pad.top == 0 && op.pad.left == 0;
  if (core == Core::helium) {
    if (pointwise) return 0;
    // A row without height may be cut at its borders, each piece copied with its padding.
    const int row = (op.kernel.w + max(op.pad.left, op.pad.right) + 1) * op.in.c;
    return max(4 * round_up(columns, 16), op.in.h == 1 ? row : 0);
  }
  // Two columns in int16. Arm's own compiler has it ask for two pixels where others need none.
  return (pointwise ? 2 * op.in.c : 2 * round_up(columns, 4)) * int{sizeof(int16_t)};
}
/// Of arm_depthwise_conv_wrapper_s8.
constexpr int buffer(const DepthwiseConv2D& op, Core core) {
  constexpr int block = 124;  // channels that it takes at once with Helium
  if (core == Core::plain || op.dilation != Size{}) return 0;
  if (core == Core::helium) return 4 * block * op.kernel.size();
  return op.kernel.size() * op.in.c * int{sizeof(int16_t)};
}
/// Of arm_avgpool_s8.
constexpr int buffer(const AveragePool2D& op, Core core) {
  return core == Core::dsp ? op.in.c * int{sizeof(int32_t)} : 0;
}

/// Output channels of a layer that has a factor for each; else 0.
constexpr int channels(const Conv2D& op) { return op.out.c; }
constexpr int channels(const DepthwiseConv2D& op) { return op.out.c; }
constexpr int channels(const Dense& op) { return op.out; }
constexpr int channels(const auto&) { return 0; }

/// What a layer that it takes needs. Nothing says that an output may lie over the input, but for
/// Add, which reads each element before it writes it.
constexpr Memory memory(const auto& op, Core core) {
  return {round_up(factors(channels(op)) + buffer(op, core), 4), Memory::never};
}
constexpr Memory memory(const Add& op, Core) { return op.memory<Int8<Double, void>>(); }

}  // namespace nnom::cmsis_nn
