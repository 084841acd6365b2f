/// \file
/// The file the emulator's cycle counter (ports/qemu/cycles.cpp) writes.
#pragma once

#include <string>

#include "compiler/firmware/firmware.hpp"

namespace nnomc {

/// Adds the counts in `file` to `run`; nothing if there is no such file.
void read_counts(const std::string& file, bool has_cycles, Run& run);

}  // namespace nnomc
