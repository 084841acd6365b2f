#include <iterator>

#include "compiler/compile.hpp"
#include "compiler/error.hpp"

namespace nnomc {
namespace {

struct Target {
  const char* name;
  Layout fast, small;
};

constexpr Target kTargets[] = {
    {"any", Layout::plain, Layout::plain},          {"cortex-m0", Layout::plain, Layout::plain},
    {"cortex-m3", Layout::vector, Layout::vector},  {"cortex-m4", Layout::dsp, Layout::compact},
    {"cortex-m7", Layout::dsp, Layout::compact},    {"cortex-m33", Layout::dsp, Layout::compact},
    {"cortex-m55", Layout::helium, Layout::helium}, {"riscv32", Layout::vector, Layout::vector},
    {"host", Layout::vector, Layout::vector},
};

}  // namespace

Layout layout_of(const std::string& target, Optimise optimise) {
  std::string names;
  for (const Target& t : kTargets) {
    if (target == t.name) return optimise == Optimise::size ? t.small : t.fast;
    names += (names.empty() ? "" : ", ") + std::string(t.name);
  }
  throw Error("there is no target '{}'; the targets are {}", target, names);
}

}  // namespace nnomc
