/// \file
/// What every processor's start.cpp does once there is a stack: memory, constructors, main.
#pragma once

#include <stdint.h>

#include "semihosting.hpp"

extern "C" {

int main();

// Of the linker script.
extern const uint32_t __data_load;
extern uint32_t __data_start, __data_end, __bss_start, __bss_end;
extern void (*const __init_array_start[])();
extern void (*const __init_array_end[])();
}

/// Fills memory as the program expects it, runs it, and ends with what main returns.
[[noreturn]] inline void start_program() {
  const uint32_t* from = &__data_load;
  for (uint32_t* to = &__data_start; to != &__data_end;) *to++ = *from++;
  for (uint32_t* to = &__bss_start; to != &__bss_end;) *to++ = 0;
  for (auto* constructor = __init_array_start; constructor != __init_array_end; ++constructor) {
    (*constructor)();
  }
  semihosting::exit(main());
}
