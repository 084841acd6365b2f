/// \file
/// The table ports/boards.json: how firmware for a core is built and run.
#pragma once

#include <string>
#include <vector>

namespace nnomc {

/// Paths are complete.
struct Board {
  std::string core;
  std::string compiler, compiler_packages;
  std::vector<std::string> flags, link_flags;
  std::string linker_script;
  std::vector<std::string> sources;  // start-up, clock, output
  std::string harness;               // the main of `nnom run --on`
  std::string emulator, emulator_packages;
  std::vector<std::string> emulator_flags;
  std::string machine;
  std::string cycle_model;  // empty: cycles are not estimated
};

/// The entry of a core. Error that lists the names if there is none.
Board find_board(const std::string& core);

/// All cores, in the order of the alphabet.
std::vector<std::string> core_names();

}  // namespace nnomc
