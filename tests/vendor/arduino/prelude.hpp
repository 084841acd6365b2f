// What the code in docs/porting.md uses of Arduino.h, which every sketch includes unseen.
#pragma once

#include <stdint.h>

struct Print {
  void print(const char*);
  void begin(unsigned long);
};
extern Print Serial;
extern "C" unsigned long micros();
