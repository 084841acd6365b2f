// The port to RT-Thread: its console and its tick.
#include "port.hpp"

#include <rtthread.h>

void nnom::port::print(const char* text) { rt_kprintf("%s", text); }
uint32_t nnom::port::ticks() { return static_cast<uint32_t>(rt_tick_get()); }
uint32_t nnom::port::ticks_per_second() { return RT_TICK_PER_SECOND; }
