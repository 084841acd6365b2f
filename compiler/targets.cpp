#include <iterator>

#include "compiler/compile.hpp"
#include "compiler/error.hpp"

namespace nnomc {
namespace {

struct Target {
  const char* name;
  Layout layout;
};

constexpr Target kTargets[] = {
    {"any", Layout::plain},         {"cortex-m0", Layout::plain}, {"cortex-m3", Layout::vector},
    {"cortex-m4", Layout::dsp},     {"cortex-m7", Layout::dsp},   {"cortex-m33", Layout::dsp},
    {"cortex-m55", Layout::helium}, {"riscv32", Layout::vector},  {"host", Layout::vector},
};

}  // namespace

Layout layout_of(const std::string& target) {
  std::string names;
  for (const Target& t : kTargets) {
    if (target == t.name) return t.layout;
    names += (names.empty() ? "" : ", ") + std::string(t.name);
  }
  throw Error("there is no target '{}'; the targets are {}", target, names);
}

}  // namespace nnomc
