#include "mps2/stack.hpp"

extern "C" uint32_t __bss_end;  // the lowest address of the stack

namespace nnom::port {
namespace {

constexpr uint32_t kPaint = 0xA5C35A3C;
const uint32_t* painted_end;

}  // namespace

/// In assembly, for a compiler may push registers between reading the stack pointer and painting.
[[gnu::noinline]] void paint_stack() {
  uint32_t* word = &__bss_end;
  asm volatile(
      "mov %[end], sp\n"
      "1: cmp %[word], %[end]\n"
      "bcs 2f\n"
      "stmia %[word]!, {%[paint]}\n"
      "b 1b\n"
      "2:\n"
      : [word] "+l"(word), [end] "=&l"(painted_end)
      : [paint] "l"(kPaint)
      : "cc", "memory");
}

[[gnu::noinline]] uint32_t stack_used() {
  const volatile uint32_t* word = &__bss_end;
  while (word < painted_end && *word == kPaint) ++word;
  return static_cast<uint32_t>(painted_end - word) * sizeof *word;
}

}  // namespace nnom::port
