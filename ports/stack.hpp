/// \file
/// How much stack a piece of code takes: fill the free stack with a pattern, run it, look how far
/// down the pattern is gone.
#pragma once

#include <stdint.h>

#include "processor.hpp"

extern "C" uint32_t __bss_end;  // the lowest address of the stack

namespace nnom::port {

constexpr uint32_t stack_paint = 0xA5C35A3C;
extern const uint32_t* painted_end;

/// Fills everything between the end of .bss and the caller's stack.
[[gnu::always_inline]] inline void paint_stack() {
  painted_end = nnom_fill_to_stack(&__bss_end, stack_paint);
}

/// Bytes of stack used below the caller of paint_stack() since then.
uint32_t stack_used();

}  // namespace nnom::port
