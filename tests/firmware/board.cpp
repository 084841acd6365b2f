// What start-up, clock and stack of a port must do. The first argument chooses the test.
#include "port.hpp"
#include "semihosting.hpp"
#include "stack.hpp"
#include "text.hpp"

namespace {

using nnom::port::print;
using nnom::port::print_decimal;
using nnom::port::ticks;

struct Constructed {
  int value;
  Constructed(int v) : value(v) {}
};
volatile int source = 41;
Constructed constructed(source + 1);
int initialised = 7;
volatile int zero[3];

[[gnu::noinline]] int use_stack() {
  volatile char buffer[1000];
  for (volatile char& byte : buffer) byte = 1;
  return buffer[500];
}

int memory() {
  nnom::port::paint_stack();
  use_stack();
  const uint32_t stack = nnom::port::stack_used();
  const bool good =
      constructed.value == 42 && initialised == 7 && zero[1] == 0 && stack >= 1000 && stack < 1100;
  return good ? 0 : 1;
}

/// Readings never go back, or jump, while a 24-bit counter wraps, with interrupts on and off.
int clock() {
  constexpr uint32_t kWrap = 1U << 24;
  while (ticks() < kWrap - 4000) {
    for (int i = 0; i < 10000; ++i) asm volatile("");
  }
  uint32_t last = ticks();
  uint32_t longest = 0;
  for (unsigned i = 0; last < kWrap + 4000; ++i) {
    if (i % 64 == 0) asm volatile(NNOM_INTERRUPTS_OFF ::: "memory");
    if (i % 64 == 40) asm volatile(NNOM_INTERRUPTS_ON ::: "memory");
    const uint32_t now = ticks();
    if (now - last > longest) longest = now - last;
    last = now;
  }
  print("longest step ");
  print_decimal(longest);
  print("\n");
  return longest < 100 ? 0 : 1;
}

[[noreturn]] void hang() {
  print("waiting\n");
  for (;;) asm volatile("");
}

int fault() {
  *reinterpret_cast<volatile int*>(uintptr_t{0xF0000001}) = 1;  // no device, and unaligned
  return 0;
}

}  // namespace

int main() {
  char arguments[64];
  if (semihosting::command_line(arguments, sizeof arguments) < 1) return 1;
  switch (arguments[0]) {
    case 'm':
      return memory();
    case 'c':
      return clock();
    case 'h':
      hang();
    case 'f':
      return fault();
    default:
      return 42;
  }
}
