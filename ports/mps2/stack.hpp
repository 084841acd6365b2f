/// \file
/// How much stack a piece of code takes: fill the free stack with a pattern, run it, look how far
/// down the pattern is gone.
#pragma once

#include <stdint.h>

namespace nnom::port {

/// Fills everything between the end of .bss and the caller's stack.
void paint_stack();

/// Bytes of stack used below the caller of paint_stack() since then.
uint32_t stack_used();

}  // namespace nnom::port
