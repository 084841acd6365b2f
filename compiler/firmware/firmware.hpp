/// \file
/// Firmware: built with the cross compiler, run in the emulator, as ports/boards.json says for a
/// core.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/error.hpp"
#include "compiler/firmware/elf.hpp"

namespace nnomc {

struct Build {
  std::string core;                       // as in `nnom run --on`
  std::vector<std::string> sources;       // beside those of the board
  std::vector<std::string> include_dirs;  // beside runtime/ and ports/
  std::string optimise = "-O2";
  std::string directory;             // for objects and the program; made if missing
  std::vector<std::string> defines;  // "NAME" or "NAME=value"
};

/// A compiler or linker that refused; the message has its first complaint, `log` all it said.
struct BuildError : Error {
  BuildError(const std::string& message, std::string all)
      : Error("{}", message), log(std::move(all)) {}
  std::string log;
};

/// The line of a compiler's or linker's log that says best what is wrong.
std::string first_complaint(const std::string& log);

/// Compiles, on all cores of this computer, and links.
/// \return the path of the ELF file. Throws BuildError, or Error if the compiler is not installed.
std::string build_firmware(const Build& build);

/// What was executed; cycles are an estimate, 0 where there is no model of the core.
struct Work {
  std::uint64_t instructions = 0, cycles = 0;
};
struct FunctionWork {
  std::string name;  // demangled
  Work work;
};

struct Run {
  int exit_code = 0;   // 99: a fault
  std::string output;  // all it printed
  // From the cycle counter, if the firmware set marks (ports/measure.hpp) and the plugin is there:
  std::optional<std::uint64_t> instructions, cycles;  // between begin and end
  std::vector<Work> layers;
  std::vector<FunctionWork> functions;  // the most expensive first
};

struct RunOptions {
  std::vector<std::string> arguments = {};                  // of the firmware; none holds a space
  std::string directory = {};                               // to run in, where its files are
  std::function<void(std::string_view)> on_line = nullptr;  // each line it prints, at once
  std::chrono::milliseconds timeout{0};                     // 0: none
  bool count = true;  // load the cycle counter, if QEMU takes it
};

/// Runs an ELF file on the emulated core. Error if the emulator is not installed or fails, or the
/// time is over; what the firmware itself returns is in `exit_code`.
Run run_firmware(const std::string& elf, const std::string& core, const RunOptions& options = {});

/// Error that tells what went wrong if the firmware returned anything but 0.
void check(const Run& run);

}  // namespace nnomc
