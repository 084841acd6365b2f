#include "compiler/firmware/elf.hpp"

#include <elf.h>

#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "compiler/error.hpp"
#include "compiler/io/file.hpp"

namespace nnomc {
namespace {

/// The structure at `offset`, wherever it is aligned. Error if the file ends before it does.
template <class T>
T read_at(std::span<const std::byte> file, std::size_t offset, const std::string& path) {
  if (offset > file.size() || file.size() - offset < sizeof(T)) {
    throw Error("{}: the ELF file is cut short", path);
  }
  T value;
  std::memcpy(&value, file.data() + offset, sizeof value);
  return value;
}

}  // namespace

Sizes elf_sizes(const std::string& path) {
  const std::vector<std::byte> file = read_file(path);
  const auto header = read_at<Elf32_Ehdr>(file, 0, path);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS32 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_shentsize < sizeof(Elf32_Shdr)) {
    throw Error("{}: not a 32-bit little-endian ELF file", path);
  }
  Sizes sizes;
  for (std::size_t i = 0; i < header.e_shnum; ++i) {
    const auto section = read_at<Elf32_Shdr>(file, header.e_shoff + i * header.e_shentsize, path);
    if ((section.sh_flags & SHF_ALLOC) == 0) continue;
    if (section.sh_type == SHT_NOBITS) {
      sizes.bss += section.sh_size;
    } else if ((section.sh_flags & SHF_WRITE) != 0) {
      sizes.data += section.sh_size;
    } else {
      sizes.text += section.sh_size;
    }
  }
  return sizes;
}

}  // namespace nnomc
