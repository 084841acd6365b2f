/// \file
/// A model of the shape the compiler generates, small enough to compute by hand: two inputs of 3
/// and 2 bytes, one output of 5 that counts the runs since reset().
#pragma once

#include "nnom/model.hpp"

namespace fake {

struct Graph {
  static constexpr unsigned arena_bytes = 64;
  static constexpr unsigned input_count = 2, output_count = 1, layer_count = 2;

  static nnom::Slot input(unsigned i) {
    return i == 0 ? nnom::Slot{0, 3, {1.0f, 0}} : nnom::Slot{16, 2, {1.0f, 0}};
  }
  static nnom::Slot output(unsigned) { return {32, 5, {1.0f, 0}}; }

  static void reset(unsigned char* arena) { arena[48] = 0; }
  static void run(unsigned char* arena) { observe(arena, nullptr, nullptr); }
  static void observe(unsigned char* arena, nnom::Observer observer, void* context);
};

}  // namespace fake
