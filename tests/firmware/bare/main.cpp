// A project of nothing but a generated model, the runtime and this file: start-up, one inference on
// the bytes in sample.hpp, and an exit code that says whether the outputs are those expected.
#include <stddef.h>
#include <stdint.h>

#include "model.hpp"
#include "sample.hpp"

namespace {

model::Model net;
float real_input[model::Graph::Input<0>::size], real_output[model::Graph::Output<0>::size];

template <size_t I = 0>
void fill_inputs(const int8_t* from) {
  if constexpr (I < model::Graph::input_count) {
    for (int8_t& v : net.input<I>()) v = *from++;
    fill_inputs<I + 1>(from);
  }
}

template <size_t I = 0>
bool outputs_are(const int8_t* expected) {
  if constexpr (I < model::Graph::output_count) {
    for (const int8_t v : net.output<I>())
      if (v != *expected++) return false;
    return outputs_are<I + 1>(expected);
  }
  return true;
}

/// Semihosting's SYS_EXIT_EXTENDED.
[[noreturn]] void exit_with(uint32_t code) {
  const uint32_t arguments[2] = {0x20026, code};
  register uint32_t operation asm("r0") = 0x20;
  register const uint32_t* block asm("r1") = arguments;
  asm volatile("bkpt 0xab" ::"r"(operation), "r"(block) : "memory");
  for (;;) {
  }
}

}  // namespace

extern "C" {

extern uint32_t stack_top, data_begin, data_end, bss_begin, bss_end;
extern const uint32_t data_source;

void start() {
#ifdef __ARM_FP
  *reinterpret_cast<volatile uint32_t*>(0xE000ED88) = 0xFu << 20;  // CP10 and CP11
  asm volatile("dsb\nisb");
#endif
  const uint32_t* source = &data_source;
  for (uint32_t* p = &data_begin; p != &data_end;) *p++ = *source++;
  for (uint32_t* p = &bss_begin; p != &bss_end;) *p++ = 0;
  net.write<0>(real_input);  // the conversions are there too, but for nothing
  fill_inputs(sample_input);
  net.run();
  net.read<0>(real_output);
  exit_with(outputs_are(sample_output) && real_output[0] < 1e9f ? 0 : 1);
}

struct Vectors {
  const void* stack;
  void (*start)();
};
[[gnu::section(".vectors"), gnu::used]] const Vectors vectors = {&stack_top, start};
}
