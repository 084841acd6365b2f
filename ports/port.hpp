/// \file
/// What a board gives: a clock and a place to print. The runtime itself needs neither; profiling
/// and the firmware of `nnom run --on` do.
///
/// A port is one source file, for example on an STM32 with its HAL:
///
///     void nnom::port::print(const char* text) { puts(text); }
///     uint32_t nnom::port::ticks() { return DWT->CYCCNT; }
///     uint32_t nnom::port::ticks_per_second() { return SystemCoreClock; }
#pragma once

#include <stdint.h>

namespace nnom::port {

/// Writes a zero-terminated text; a line ends with "\n".
void print(const char* text);

/// A counter that always runs and wraps from 2^32 - 1 to 0, so the difference of two readings is
/// right for up to 2^32 ticks.
uint32_t ticks();

/// How many ticks make a second: 1'000'000 where ticks() counts microseconds.
uint32_t ticks_per_second();

}  // namespace nnom::port
