/// \file
/// Reads handwritten digits: what the application is, on a bare board or under an operating system.
#pragma once

#include <stdint.h>

namespace reader {

/// Prints a picture of 28 x 28 grey values as text, two rows a line.
void draw(const uint8_t (&pixels)[784]);

/// What the network takes a picture for, and how sure it is in percent.
struct Answer {
  unsigned digit, percent;
};
Answer read(const uint8_t (&pixels)[784]);

/// Prints "a 7: 7, 99 %" for the picture of `digit` in digits.hpp; returns whether it is right.
bool show(unsigned digit);

/// Runs the network `runs` times and prints the time of each layer.
void time(unsigned runs);

}  // namespace reader
