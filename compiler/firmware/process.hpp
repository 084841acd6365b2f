/// \file
/// Other programs: run one, hear it line by line, stop it in time.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace nnomc {

struct Command {
  std::vector<std::string> arguments;                       // the program first
  std::string directory = {};                               // to run in; the current one if empty
  std::function<void(std::string_view)> on_line = nullptr;  // each line of its output as it comes
  std::chrono::milliseconds timeout{0};                     // 0: none
};

struct Outcome {
  int exit_code = 0;  // 128 + N if signal N ended it
  bool timed_out = false;
  std::string output, errors;
};

/// Runs a program to its end, without a shell and with an empty standard input. It is killed when
/// its time is over or `on_line` throws. Error if it can't be started.
Outcome run_command(const Command& command);

}  // namespace nnomc
