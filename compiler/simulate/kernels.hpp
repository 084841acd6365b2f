/// \file
/// The runtime's kernels on the host, compiled once for each instruction set.
#pragma once

#include <cstddef>

/// Runs op number `op_index` of nnom::Ops with number `numbers_index` of AllNumbers; `in`, `out`
/// and `scratch` are offsets in `arena`. The types behind the pointers are those of the runtime;
/// each build of the kernels has them in a namespace of its own.
using RunKernel = void (*)(std::size_t op_index, std::size_t numbers_index, const void* op,
                           const void* data, const int* in, std::size_t inputs, int out,
                           int scratch, unsigned char* arena);

extern "C" void nnom_run_baseline(std::size_t op_index, std::size_t numbers_index, const void* op,
                                  const void* data, const int* in, std::size_t inputs, int out,
                                  int scratch, unsigned char* arena);
extern "C" void nnom_run_avx2(std::size_t op_index, std::size_t numbers_index, const void* op,
                              const void* data, const int* in, std::size_t inputs, int out,
                              int scratch, unsigned char* arena);
