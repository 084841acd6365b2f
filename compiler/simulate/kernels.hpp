/// \file
/// The runtime's kernels on the host, compiled once for each instruction set.
#pragma once

#include <cstddef>

/// A node's op and data, of the runtime's types (each build of the kernels has them in a namespace
/// of its own), and where its tensors lie: offsets in the arena.
struct KernelCall {
  const void* op = nullptr;
  const void* data = nullptr;
  const int* in = nullptr;
  std::size_t inputs = 0;
  int out = 0, scratch = 0, state = 0;
  const int* in_ring = nullptr;  ///< null: no tensor is a ring
  int out_ring = 0;
  int row = -1;        ///< the one to run; -1: all
  bool reset = false;  ///< writes the state it has before the first run instead
};

/// Runs op number `op_index` of nnom::Ops with number `numbers_index` of AllNumbers. Only the
/// baseline has every packing; AVX2's has Vector, VNNI's has Quads and nothing else.
using RunKernel = void (*)(std::size_t op_index, std::size_t numbers_index, const KernelCall& call,
                           unsigned char* arena);

extern "C" void nnom_run_baseline(std::size_t op_index, std::size_t numbers_index,
                                  const KernelCall& call, unsigned char* arena);
extern "C" void nnom_run_avx2(std::size_t op_index, std::size_t numbers_index,
                              const KernelCall& call, unsigned char* arena);
extern "C" void nnom_run_vnni(std::size_t op_index, std::size_t numbers_index,
                              const KernelCall& call, unsigned char* arena);
