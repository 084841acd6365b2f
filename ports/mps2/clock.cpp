/// \file
/// The port of the MPS2 boards: text through semihosting, time from SysTick.
#include <stdint.h>

#include "port.hpp"
#include "semihosting.hpp"

namespace {

struct SysTick {
  uint32_t control, reload, value, calibration;
};
volatile SysTick& systick = *reinterpret_cast<volatile SysTick*>(uintptr_t{0xE000E010});
const volatile uint32_t& interrupt_control =
    *reinterpret_cast<const volatile uint32_t*>(uintptr_t{0xE000ED04});
constexpr uint32_t kSysTickPending = 1U << 26;
constexpr uint32_t kMask = 0xFFFFFF;  // the counter has 24 bits

volatile uint32_t wraps = 0;

/// Runs before main.
[[gnu::constructor]] void start_clock() {
  systick.reload = kMask;
  systick.value = 0;
  systick.control = 7;  // processor clock, interrupt, on
}

}  // namespace

extern "C" void systick_handler() { wraps = wraps + 1; }

namespace nnom::port {

void print(const char* text) { semihosting::write(text); }

/// The counter runs down and interrupts when it reaches 0. The wrap is pending, not yet counted,
/// when the interrupt is masked or comes between the readings; the value is then read again, since
/// the first reading may be from before the wrap.
uint32_t ticks() {
  for (;;) {
    const uint32_t counted = wraps;
    uint32_t value = systick.value;
    uint32_t pending = 0;
    if ((interrupt_control & kSysTickPending) != 0) {
      value = systick.value;
      pending = 1;
    }
    if (counted == wraps) return ((counted + pending) << 24) + ((0 - value) & kMask);
  }
}

/// The boards' processor clock.
uint32_t ticks_per_second() { return NNOM_CLOCK_HZ; }

}  // namespace nnom::port
