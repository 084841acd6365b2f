/// \file
/// Start-up of an Arm Cortex-M: the vector table, memory, constructors, main, and what happens on a
/// fault.
#include "start.hpp"

#include <stdint.h>

#include "processor.hpp"
#include "semihosting.hpp"
#include "text.hpp"

extern "C" {

void systick_handler();  // mps2/clock.cpp

extern uint32_t __stack;

[[gnu::naked]] int32_t nnom_semihosting(uint32_t, const void*) {
  asm volatile(
      "bkpt 0xab\n"
      "bx lr\n");
}

[[gnu::naked]] const uint32_t* nnom_fill_to_stack(uint32_t*, uint32_t) {
  asm volatile(
      "1: cmp r0, sp\n"
      "bcs 2f\n"
      "stmia r0!, {r1}\n"
      "b 1b\n"
      "2: bx lr\n");
}

/// Prints where the fault happened. `frame` is what the core pushed: r0-r3, r12, lr, pc, xpsr.
[[noreturn]] void report_fault(const uint32_t* frame) {
  using nnom::port::print;
  print("FAULT at pc ");
  nnom::port::print_hex(frame[6]);
  print(", called from ");
  nnom::port::print_hex(frame[5]);
#if __ARM_ARCH >= 7
  constexpr uintptr_t kFaultStatus = 0xE000ED28;
  print(", fault status ");
  nnom::port::print_hex(*reinterpret_cast<const volatile uint32_t*>(kFaultStatus));
#endif
  print("\n");
  semihosting::exit(99);
}

/// Hands over the frame before a prologue can move the stack pointer.
[[gnu::naked, noreturn]] void fault_handler() {
  asm volatile(
      "mov r0, sp\n"
      "ldr r1, =report_fault\n"
      "bx r1\n");
}

[[noreturn]] void reset_handler() {
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
  constexpr uintptr_t kCoprocessorAccess = 0xE000ED88;
  *reinterpret_cast<volatile uint32_t*>(kCoprocessorAccess) |= 0xFU << 20;  // CP10 and CP11
  asm volatile("dsb\nisb" ::: "memory");
#endif
  start_program();
}

union Vector {
  uint32_t* stack;
  void (*handler)();
};

[[gnu::section(".vectors"), gnu::used]] const Vector vectors[16] = {
    {.stack = &__stack},          {.handler = reset_handler},  // 1
    {.handler = fault_handler},                                // non-maskable interrupt
    {.handler = fault_handler},                                // hard fault
    {.handler = fault_handler},                                // memory management
    {.handler = fault_handler},                                // bus
    {.handler = fault_handler},                                // usage
    {.handler = fault_handler},                                // secure (Armv8-M)
    {.handler = fault_handler},                                // reserved
    {.handler = fault_handler},                                // reserved
    {.handler = fault_handler},                                // reserved
    {.handler = fault_handler},                                // supervisor call
    {.handler = fault_handler},                                // debug monitor
    {.handler = fault_handler},                                // reserved
    {.handler = fault_handler},                                // pending service
    {.handler = systick_handler},
};

}  // extern "C"
