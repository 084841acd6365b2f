/// \file
/// What a linked program takes, from its section table.
#pragma once

#include <cstdint>
#include <string>

namespace nnomc {

/// Bytes: flash holds text + data, RAM data + bss.
struct Sizes {
  std::uint64_t text = 0, data = 0, bss = 0;
};

/// The sizes of a 32-bit little-endian ELF program, as `size` counts them. Error if it is none.
Sizes elf_sizes(const std::string& path);

}  // namespace nnomc
