/// \file
/// The port of QEMU's RISC-V machine: text through semihosting, time from the CLINT's counter.
#include <stdint.h>

#include "port.hpp"
#include "semihosting.hpp"

namespace nnom::port {

void print(const char* text) { semihosting::write(text); }

/// The low word of mtime.
uint32_t ticks() { return *reinterpret_cast<const volatile uint32_t*>(uintptr_t{0x0200BFF8}); }

uint32_t ticks_per_second() { return 10'000'000; }

}  // namespace nnom::port
