// What the code in docs/porting.md uses of the Pico SDK.
#pragma once

#include <stdint.h>

extern "C" bool stdio_init_all();
extern "C" uint32_t time_us_32();
