#include "stack.hpp"

namespace nnom::port {

const uint32_t* painted_end;

[[gnu::noinline]] uint32_t stack_used() {
  const volatile uint32_t* word = &__bss_end;
  while (word < painted_end && *word == stack_paint) ++word;
  return static_cast<uint32_t>(painted_end - word) * sizeof *word;
}

}  // namespace nnom::port
