/// \file
/// What a Thumb instruction costs: its kind, and the cycles of each kind on each core, with memory
/// that answers at once. Sources: the instruction tables of the Technical Reference Manuals of
/// Cortex-M0 (DDI 0432, table 3-1), M0+ (DDI 0484, table 3-1), M3 (DDI 0337, table 3-1) and M4 (DDI
/// 0439, tables 3-1 and 7-1). Where a table gives a range the middle is taken. Left out: wait
/// states, stalls on an address computed by the instruction before, and instructions that an IT
/// block skips.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace thumb {

/// Instructions of equal cost. The refill of the pipeline after a taken branch is counted apart.
enum class Kind {
  kOther,
  kLoad,
  kStore,
  kDouble,         // LDRD, STRD, exclusive
  kMultiple,       // LDM, STM, PUSH, POP, VLDM, VSTM: of `count` words
  kMultipleAndPc,  // the same, loading pc
  kMla,
  kMull,
  kMlal,
  kDivide,
  kCall,         // BL
  kTableBranch,  // TBB, TBH
  kSpecial,      // MRS, MSR, barriers
  kFloatMemory,  // VLDR, VSTR
  kFloatMove,    // two registers
  kFloatMac,
  kFloatDivide,
  kKinds,
};

struct Instruction {
  Kind kind = Kind::kOther;
  int count = 0;
};

struct Core {
  std::string_view name;
  int refill;      // added when a branch is taken
  bool pipelined;  // a load or store right after another takes 1
  std::array<int, static_cast<int>(Kind::kKinds)> cycles;  // kMultiple: plus `count`
};

// clang-format off
inline constexpr Core cores[] = {
    //                            other   store    multi   mla   mlal   call   special  vmov   vdiv
    //                                load    double  +pc     mull   div    tbb     vldr    vmac
    {"cortex-m0",     2, false, {{1,  2,  2,  2,  1,  2,  1,  1,  1,  1,  2,  2,  4,  2,  2,  3,  14}}},
    {"cortex-m0plus", 1, false, {{1,  2,  2,  2,  1,  2,  1,  1,  1,  1,  2,  2,  3,  2,  2,  3,  14}}},
    {"cortex-m3",     2, true,  {{1,  2,  1,  3,  1,  1,  2,  4,  5,  7,  1,  2,  1,  2,  2,  3,  14}}},
    {"cortex-m4",     2, true,  {{1,  2,  1,  3,  1,  1,  1,  1,  1,  7,  1,  2,  1,  2,  2,  3,  14}}},
};
// clang-format on

/// The core of that name, or null: its instructions are counted, its cycles are not known.
inline const Core* find(std::string_view name) {
  for (const Core& core : cores) {
    if (core.name == name) return &core;
  }
  return nullptr;
}

/// A 16-bit instruction.
inline Instruction decode(unsigned h) {
  const auto words = [h](unsigned mask) { return std::popcount(h & mask); };
  switch (h >> 12) {
    case 4:
      return {h >> 11 == 9 ? Kind::kLoad : Kind::kOther};  // literal
    case 5:                                                // register offset
      return {(h >> 9 & 7) < 3 ? Kind::kStore : Kind::kLoad};
    case 6:
    case 7:
    case 8:
    case 9:
      return {(h >> 11 & 1) != 0 ? Kind::kLoad : Kind::kStore};
    case 11:
      if ((h & 0xfe00) == 0xb400) return {Kind::kMultiple, words(0x1ff)};
      if ((h & 0xff00) == 0xbc00) return {Kind::kMultiple, words(0xff)};
      if ((h & 0xff00) == 0xbd00) return {Kind::kMultipleAndPc, words(0x1ff)};
      return {};
    case 12:
      return {Kind::kMultiple, words(0xff)};
    default:
      return {};
  }
}

/// A 32-bit floating-point instruction (coprocessors 10 and 11).
inline Instruction decode_float(unsigned h, unsigned h2) {
  if ((h & 0xffe0) == 0xec40) return {Kind::kFloatMove};
  if ((h & 0xfe00) == 0xec00) {
    if ((h & 0x0120) == 0x0100) return {Kind::kFloatMemory};
    return {Kind::kMultiple, static_cast<int>(h2 & 0xff)};
  }
  if ((h & 0xff00) != 0xee00 || (h2 & 0x10) != 0) return {};
  switch (h >> 4 & 0xb) {
    case 0:
    case 1:
    case 9:
    case 10:
      return {Kind::kFloatMac};
    case 8:
      return {Kind::kFloatDivide};
    case 11:
      return {(h & 0xf) == 1 && (h2 & 0xc0) == 0xc0 ? Kind::kFloatDivide : Kind::kOther};  // VSQRT
    default:
      return {};
  }
}

/// A 32-bit instruction of the two halves `h` and `h2`.
inline Instruction decode(unsigned h, unsigned h2) {
  if ((h & 0xfe40) == 0xe800) {
    const bool loads_pc = (h & 0x10) != 0 && (h2 & 0x8000) != 0;
    return {loads_pc ? Kind::kMultipleAndPc : Kind::kMultiple, std::popcount(h2 & 0xffff)};
  }
  if ((h & 0xfe40) == 0xe840) {
    const bool table = (h & 0xfff0) == 0xe8d0 && (h2 & 0xffe0) == 0xf000;
    return {table ? Kind::kTableBranch : Kind::kDouble};
  }
  if ((h & 0xfe00) == 0xf800) return {(h & 0x10) != 0 ? Kind::kLoad : Kind::kStore};
  if ((h & 0xfff0) == 0xfb00)
    return {h2 >> 12 != 15 ? Kind::kMla : Kind::kOther};  // MLA, MLS or MUL
  switch (h & 0xfff0) {
    case 0xfb80:
    case 0xfba0:
      return {Kind::kMull};
    case 0xfb90:
    case 0xfbb0:
      return {Kind::kDivide};
    case 0xfbc0:
    case 0xfbe0:
      return {Kind::kMlal};
    default:
      break;
  }
  if ((h & 0xec00) == 0xec00 && (h2 & 0x0e00) == 0x0a00) return decode_float(h, h2);
  if ((h & 0xf800) == 0xf000 && (h2 & 0xd000) == 0xd000) return {Kind::kCall};
  if ((h & 0xff80) == 0xf380 && (h2 & 0xd000) == 0x8000) return {Kind::kSpecial};
  return {};
}

/// Adds up a straight run of instructions.
class Cost {
 public:
  explicit Cost(const Core* core) : core_(core) {}

  void add(Instruction instruction) {
    if (core_ == nullptr) return;
    const Kind kind = instruction.kind;
    const bool single = kind == Kind::kLoad || kind == Kind::kStore;
    const bool hidden = single && after_single_ && core_->pipelined;
    cycles_ += hidden ? 1 : core_->cycles[static_cast<std::size_t>(kind)] + instruction.count;
    after_single_ = single;
  }
  unsigned cycles() const { return static_cast<unsigned>(cycles_); }

 private:
  const Core* core_;
  int cycles_ = 0;
  bool after_single_ = false;
};

}  // namespace thumb
