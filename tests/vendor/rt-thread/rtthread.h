// What examples/mnist/rt-thread and docs/rt-thread.md use of RT-Thread.
#pragma once

#include <stdint.h>

typedef uint32_t rt_tick_t;
#define RT_TICK_PER_SECOND 1000

extern "C" int rt_kprintf(const char* format, ...);
extern "C" rt_tick_t rt_tick_get(void);

/// A command of the shell; shell.cpp has the list.
struct Command {
  Command(const char* name, int (*run)(int, char**));

  const char* name;
  int (*run)(int, char**);
  const Command* next;
};
#define MSH_CMD_EXPORT(command, description) \
  static const Command command##_command(#command, command)
