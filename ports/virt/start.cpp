/// \file
/// Start-up of a RISC-V processor with 32 bits: stack, memory, constructors, main, and what happens
/// on a trap.
#include "start.hpp"

#include <stdint.h>

#include "processor.hpp"
#include "semihosting.hpp"
#include "text.hpp"

asm(".option arch, +zicsr");  // rv32imc alone has no control registers

extern "C" {

/// An ebreak between these two shifts, none of them compressed and all in one page, is a call.
[[gnu::naked, gnu::aligned(16)]] int32_t nnom_semihosting(uint32_t, const void*) {
  asm volatile(
      ".option push\n"
      ".option norvc\n"
      "slli zero, zero, 0x1f\n"
      "ebreak\n"
      "srai zero, zero, 7\n"
      ".option pop\n"
      "ret\n");
}

[[gnu::naked]] const uint32_t* nnom_fill_to_stack(uint32_t*, uint32_t) {
  asm volatile(
      "1: bgeu a0, sp, 2f\n"
      "sw a1, 0(a0)\n"
      "addi a0, a0, 4\n"
      "j 1b\n"
      "2: ret\n");
}

[[noreturn]] void report_fault(uint32_t pc, uint32_t caller, uint32_t cause, uint32_t address) {
  using nnom::port::print;
  using nnom::port::print_hex;
  print("FAULT at pc ");
  print_hex(pc);
  print(", called from ");
  print_hex(caller);
  print(", cause ");
  print_hex(cause);
  print(", address ");
  print_hex(address);
  print("\n");
  semihosting::exit(99);
}

[[gnu::naked, gnu::aligned(4), noreturn]] void trap_handler() {
  asm volatile(
      "csrr a0, mepc\n"
      "mv a1, ra\n"
      "csrr a2, mcause\n"
      "csrr a3, mtval\n"
      "la sp, __stack\n"
      "j report_fault\n");
}

[[noreturn]] void start() { start_program(); }

[[gnu::naked, gnu::section(".start"), gnu::used, noreturn]] void reset_handler() {
  asm volatile(
      ".option push\n"
      ".option norelax\n"
      "la gp, __global_pointer$\n"
      ".option pop\n"
      "la sp, __stack\n"
      "la t0, trap_handler\n"
      "csrw mtvec, t0\n"
      "j start\n");
}

}  // extern "C"
