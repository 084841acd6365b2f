/// \file
/// What firmware under semihosting needs in assembly; each processor's start.cpp has it.
#pragma once

#include <stdint.h>

extern "C" {

/// Has the host do semihosting operation `number`. \return what it answers.
int32_t nnom_semihosting(uint32_t number, const void* argument);

/// Writes `pattern` to every word from `from` up to the stack of the caller, where it ends.
const uint32_t* nnom_fill_to_stack(uint32_t* from, uint32_t pattern);
}
