/// \file
/// Numbers as text, on top of a port's print().
#pragma once

#include <stdint.h>

#include "port.hpp"

namespace nnom::port {

/// Prints in decimal: 1234.
inline void print_decimal(uint64_t number) {
  char text[21];
  char* digit = text + 20;
  *digit = 0;
  do {
    *--digit = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  print(digit);
}

/// Prints in hexadecimal, eight digits: 0x000004d2.
inline void print_hex(uint32_t number) {
  char text[11] = "0x00000000";
  for (int i = 9; i > 1; --i, number >>= 4) text[i] = "0123456789abcdef"[number & 15];
  print(text);
}

}  // namespace nnom::port
