/* What NNoM's adapter uses of CMSIS-NN's interface, declared for tests where the library is not
   there: the names and arguments of https://github.com/ARM-software/CMSIS-NN, nothing behind them. */
#pragma once

#include <stdint.h>

typedef enum { ARM_CMSIS_NN_SUCCESS = 0, ARM_CMSIS_NN_ARG_ERROR = -1 } arm_cmsis_nn_status;

typedef struct {
  int32_t w, h;
} cmsis_nn_tile;

typedef struct {
  int32_t n, h, w, c;
} cmsis_nn_dims;

typedef struct {
  void* buf;
  int32_t size;
} cmsis_nn_context;

typedef struct {
  int32_t min, max;
} cmsis_nn_activation;

typedef struct {
  int32_t* multiplier;
  int32_t* shift;
} cmsis_nn_per_channel_quant_params;

typedef struct {
  int32_t* multiplier;
  int32_t* shift;
  int32_t is_per_channel;
} cmsis_nn_quant_params;

typedef struct {
  int32_t input_offset, output_offset;
  cmsis_nn_tile stride, padding, dilation;
  cmsis_nn_activation activation;
} cmsis_nn_conv_params;

typedef struct {
  int32_t input_offset, output_offset, ch_mult;
  cmsis_nn_tile stride, padding, dilation;
  cmsis_nn_activation activation;
} cmsis_nn_dw_conv_params;

typedef struct {
  int32_t input_offset, filter_offset, output_offset;
  cmsis_nn_activation activation;
} cmsis_nn_fc_params;

typedef struct {
  cmsis_nn_tile stride, padding;
  cmsis_nn_activation activation;
} cmsis_nn_pool_params;

#ifdef __cplusplus
extern "C" {
#endif

arm_cmsis_nn_status arm_convolve_wrapper_s8(
    const cmsis_nn_context*, const cmsis_nn_conv_params*, const cmsis_nn_per_channel_quant_params*,
    const cmsis_nn_dims* input_dims, const int8_t* input, const cmsis_nn_dims* filter_dims,
    const int8_t* filter, const cmsis_nn_dims* bias_dims, const int32_t* bias,
    const cmsis_nn_dims* output_dims, int8_t* output);
int32_t arm_convolve_wrapper_s8_get_buffer_size(const cmsis_nn_conv_params*,
                                                const cmsis_nn_dims* input_dims,
                                                const cmsis_nn_dims* filter_dims,
                                                const cmsis_nn_dims* output_dims);

arm_cmsis_nn_status arm_depthwise_conv_wrapper_s8(
    const cmsis_nn_context*, const cmsis_nn_dw_conv_params*,
    const cmsis_nn_per_channel_quant_params*, const cmsis_nn_dims* input_dims, const int8_t* input,
    const cmsis_nn_dims* filter_dims, const int8_t* filter, const cmsis_nn_dims* bias_dims,
    const int32_t* bias, const cmsis_nn_dims* output_dims, int8_t* output);
int32_t arm_depthwise_conv_wrapper_s8_get_buffer_size(const cmsis_nn_dw_conv_params*,
                                                      const cmsis_nn_dims* input_dims,
                                                      const cmsis_nn_dims* filter_dims,
                                                      const cmsis_nn_dims* output_dims);

arm_cmsis_nn_status arm_fully_connected_wrapper_s8(
    const cmsis_nn_context*, const cmsis_nn_fc_params*, const cmsis_nn_quant_params*,
    const cmsis_nn_dims* input_dims, const int8_t* input, const cmsis_nn_dims* filter_dims,
    const int8_t* filter, const cmsis_nn_dims* bias_dims, const int32_t* bias,
    const cmsis_nn_dims* output_dims, int8_t* output);

arm_cmsis_nn_status arm_max_pool_s8(const cmsis_nn_context*, const cmsis_nn_pool_params*,
                                    const cmsis_nn_dims* input_dims, const int8_t* input,
                                    const cmsis_nn_dims* filter_dims,
                                    const cmsis_nn_dims* output_dims, int8_t* output);
arm_cmsis_nn_status arm_avgpool_s8(const cmsis_nn_context*, const cmsis_nn_pool_params*,
                                   const cmsis_nn_dims* input_dims, const int8_t* input,
                                   const cmsis_nn_dims* filter_dims,
                                   const cmsis_nn_dims* output_dims, int8_t* output);
int32_t arm_avgpool_s8_get_buffer_size(int output_width, int channels);

arm_cmsis_nn_status arm_elementwise_add_s8(
    const int8_t* input_1, const int8_t* input_2, int32_t input_1_offset, int32_t input_1_mult,
    int32_t input_1_shift, int32_t input_2_offset, int32_t input_2_mult, int32_t input_2_shift,
    int32_t left_shift, int8_t* output, int32_t out_offset, int32_t out_mult, int32_t out_shift,
    int32_t activation_min, int32_t activation_max, int32_t count);

#ifdef __cplusplus
}
#endif
