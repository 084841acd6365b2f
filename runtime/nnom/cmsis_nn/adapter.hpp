/// \file
/// Runs layers with CMSIS-NN (https://github.com/ARM-software/CMSIS-NN), where it has a function
/// for them, and the others with NNoM's kernels. For models converted with `--kernels cmsis-nn`:
/// their biases and memory are as CMSIS-NN wants them. The library is the user's: its headers are
/// found by the include path, its functions when the program is linked.
#pragma once

#include <arm_nnfunctions.h>

#include "nnom/cmsis_nn/memory.hpp"
#include "nnom/execute.hpp"

namespace nnom::cmsis_nn {

inline cmsis_nn_dims dims(const Image& i) { return {1, i.h, i.w, i.c}; }
inline cmsis_nn_tile tile(const Size& s) { return {s.w, s.h}; }

/// Stops where the library refuses a layer, or needs more memory than was planned for it: it is of
/// another version, or built for another core than the model.
inline void check(arm_cmsis_nn_status status) {
  if (status != ARM_CMSIS_NN_SUCCESS) __builtin_trap();
}
inline cmsis_nn_context context(unsigned char* buffer, int planned, int32_t needed) {
  if (needed > planned) __builtin_trap();
  return {buffer, planned};
}

/// The factors of each channel as two arrays in `scratch`.
template <class N>
cmsis_nn_per_channel_quant_params rescales(const Linear<N>& d, int count, unsigned char* scratch) {
  auto* const multiplier = reinterpret_cast<int32_t*>(scratch);
  int32_t* const shift = multiplier + count;
  for (int i = 0; i < count; ++i) {
    const Double& r = d.rescale[d.per_channel ? i : 0];
    multiplier[i] = r.multiplier, shift[i] = r.shift;
  }
  return {multiplier, shift};
}

template <class N>
cmsis_nn_activation limits(const Clamp<N>& clamp) {
  return {clamp.lo, clamp.hi};
}

template <Core core, class N>
void run(const Conv2D& op, const Linear<N>& d, const Io<Conv2D, N>& io) {
  const cmsis_nn_conv_params p{-d.in_zero,        d.clamp.zero,
                               tile(op.stride),   {op.pad.left, op.pad.top},
                               tile(op.dilation), limits(d.clamp)};
  const cmsis_nn_dims in = dims(op.in), out = dims(op.out), bias{1, 1, 1, op.out.c},
                      filter{op.out.c, op.kernel.h, op.kernel.w, op.in.c / op.groups};
  const auto q = rescales(d, op.out.c, io.scratch);
  const cmsis_nn_context c =
      context(io.scratch + factors(op.out.c), buffer(op, core),
              arm_convolve_wrapper_s8_get_buffer_size(&p, &in, &filter, &out));
  check(arm_convolve_wrapper_s8(&c, &p, &q, &in, io.in[0].row(0), &filter, d.weights, &bias, d.bias,
                                &out, io.out.row(0)));
}

template <Core core, class N>
void run(const DepthwiseConv2D& op, const Linear<N>& d, const Io<DepthwiseConv2D, N>& io) {
  const cmsis_nn_dw_conv_params p{
      -d.in_zero,        d.clamp.zero,   1, tile(op.stride), {op.pad.left, op.pad.top},
      tile(op.dilation), limits(d.clamp)};
  const cmsis_nn_dims in = dims(op.in), out = dims(op.out), bias{1, 1, 1, op.out.c},
                      filter{1, op.kernel.h, op.kernel.w, op.out.c};
  const auto q = rescales(d, op.out.c, io.scratch);
  const cmsis_nn_context c =
      context(io.scratch + factors(op.out.c), buffer(op, core),
              arm_depthwise_conv_wrapper_s8_get_buffer_size(&p, &in, &filter, &out));
  check(arm_depthwise_conv_wrapper_s8(&c, &p, &q, &in, io.in[0].row(0), &filter, d.weights, &bias,
                                      d.bias, &out, io.out.row(0)));
}

/// The input's zero point is in the biases, so it is 0 here; and they are what it takes for sums of
/// weights.
template <Core core, class N>
void run(const Dense& op, const Linear<N>& d, const Io<Dense, N>& io) {
  const cmsis_nn_fc_params p{0, 0, d.clamp.zero, limits(d.clamp)};
  const cmsis_nn_dims in{1, 1, 1, op.in}, filter{op.in, 1, 1, op.out}, out{1, 1, 1, op.out};
  const auto channels = rescales(d, d.per_channel ? op.out : 1, io.scratch);
  const cmsis_nn_quant_params q{channels.multiplier, channels.shift, d.per_channel};
  const cmsis_nn_context c{const_cast<int32_t*>(d.bias), op.out * int{sizeof(int32_t)}};
  check(arm_fully_connected_wrapper_s8(&c, &p, &q, &in, io.in[0].row(0), &filter, d.weights, &out,
                                       d.bias, &out, io.out.row(0)));
}

inline cmsis_nn_pool_params pooling(const auto& op) {
  return {tile(op.stride), {op.pad.left, op.pad.top}, {INT8_MIN, INT8_MAX}};
}

template <Core, class N>
void run(const MaxPool2D& op, const Moved<N>&, const Io<MaxPool2D, N>& io) {
  const cmsis_nn_pool_params p = pooling(op);
  const cmsis_nn_dims in = dims(op.in), out = dims(op.out), filter{1, op.kernel.h, op.kernel.w, 1};
  const cmsis_nn_context c{nullptr, 0};
  check(arm_max_pool_s8(&c, &p, &in, io.in[0].row(0), &filter, &out, io.out.row(0)));
}

template <Core core, class N>
void run(const AveragePool2D& op, const Moved<N>&, const Io<AveragePool2D, N>& io) {
  const cmsis_nn_pool_params p = pooling(op);
  const cmsis_nn_dims in = dims(op.in), out = dims(op.out), filter{1, op.kernel.h, op.kernel.w, 1};
  const cmsis_nn_context c =
      context(io.scratch, buffer(op, core), arm_avgpool_s8_get_buffer_size(op.out.w, op.in.c));
  check(arm_avgpool_s8(&c, &p, &in, io.in[0].row(0), &filter, &out, io.out.row(0)));
}

template <Core, class N>
void run(const Add& op, const typename Add::template Data<N>& d, const Io<Add, N>& io) {
  const auto& s = d.rule.sum;
  check(arm_elementwise_add_s8(
      io.in[0].row(0), io.in[1].row(0), -s.zero[0], s.rescale[0].multiplier, s.rescale[0].shift,
      -s.zero[1], s.rescale[1].multiplier, s.rescale[1].shift, 20, io.out.row(0), d.clamp.zero,
      s.total.multiplier, s.total.shift, d.clamp.lo, d.clamp.hi, op.rows * op.row));
}

/// Whether it computes with N: int8, rounding twice.
template <class N>
constexpr bool has_numbers() {
  if constexpr (requires { typename N::Rescale; })
    return sizeof(typename N::In) == 1 && sizeof(typename N::Out) == 1 &&
           __is_same(typename N::Rescale, Double);
  return false;
}

/// Runs a layer on a library built for `core`.
template <Core core, class Op, class Data>
[[gnu::always_inline]] inline void run_layer(const Op& op, const Data& data,
                                             const Buffers<Op>& buffers, unsigned char* arena) {
  using N = typename Data::Numbers;
  if constexpr (has_numbers<N>() &&
                requires { run<core, N>(op, data, io_of<N>(op, buffers, arena)); }) {
    if (takes(op)) return run<core, N>(op, data, io_of<N>(op, buffers, arena));
  }
  nnom::run_layer<Native>(op, data, buffers, arena);
}

}  // namespace nnom::cmsis_nn
