// Stands in for RT-Thread's shell on a PC: each argument is a line typed at its prompt.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "rtthread.h"

namespace {
const Command* commands = nullptr;
}

Command::Command(const char* command, int (*function)(int, char**))
    : name(command), run(function), next(commands) {
  commands = this;
}

int rt_kprintf(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int written = vprintf(format, arguments);
  va_end(arguments);
  return written;
}

rt_tick_t rt_tick_get() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<rt_tick_t>(now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

int main(int count, char** lines) {
  for (int i = 1; i < count; ++i) {
    char* words[8];
    int n = 0;
    for (char* word = strtok(lines[i], " "); word && n < 8; word = strtok(nullptr, " "))
      words[n++] = word;
    const Command* command = commands;
    while (command && strcmp(command->name, words[0]) != 0) command = command->next;
    if (command == nullptr) return 1;
    command->run(n, words);
  }
}
