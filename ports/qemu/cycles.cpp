/// \file
/// A QEMU plugin that counts instructions, exactly and repeatably, and estimates cycles, between
/// the marks of ../measure.hpp: in all, by layer and by function. A tool to compare programs with:
/// a board adds the wait states of its flash.
///
///     g++ -std=c++20 -O2 -shared -fPIC -o libqemu_cycles.so cycles.cpp
///     qemu-system-arm ... -plugin ./libqemu_cycles.so,core=cortex-m4,out=counts.txt
///
/// Writes lines of text; cycles are 0 without a core, or for one that thumb.hpp does not know:
///
///     nnom total <instructions> <cycles>
///     nnom layer <index> <instructions> <cycles>
///     nnom function <instructions> <cycles> <symbol>
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugin_api.hpp"
#include "thumb.hpp"

extern "C" {
[[gnu::visibility("default")]] int qemu_plugin_version = 1;
[[gnu::visibility("default")]] int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t*,
                                                       int count, char** arguments);
}

namespace {

struct Count {
  std::uint64_t instructions = 0, cycles = 0;

  void add(std::uint64_t more_instructions, std::uint64_t more_cycles) {
    instructions += more_instructions;
    cycles += more_cycles;
  }
  Count operator-(const Count& other) const {
    return {instructions - other.instructions, cycles - other.cycles};
  }
};

enum class Mark { kNone, kBegin, kEnd, kLayer, kFinish };

/// A translated run of instructions that is entered at the top and left at the bottom.
struct Block {
  std::uint64_t start = 0, end = 0;
  unsigned instructions = 0, cycles = 0;
  Mark mark = Mark::kNone;
  Count* function = nullptr;
};

const thumb::Core* core = nullptr;
std::string_view output_file = "nnom_counts.txt";
qemu_plugin_id_t plugin;

// Never destroyed, for QEMU calls back after the destructors of this library have run.
auto& blocks = *new std::deque<Block>;                // QEMU keeps pointers to them
auto& functions = *new std::map<std::string, Count>;  // blocks keep pointers to the counts
auto& layers = *new std::vector<Count>;

Count total;  // of everything executed
Count begun_at, layer_at, region;
std::uint64_t previous_end = 0;
Count* previous_function = nullptr;
bool in_region = false, region_done = false, in_layers = false, written = false;

Mark mark_of(std::string_view symbol) {
  if (symbol == "nnom_measure_begin") return Mark::kBegin;
  if (symbol == "nnom_measure_end") return Mark::kEnd;
  if (symbol == "nnom_measure_layer") return Mark::kLayer;
  if (symbol == "nnom_measure_finish") return Mark::kFinish;
  return Mark::kNone;
}

void write_counts() {
  if (std::exchange(written, true)) return;
  std::FILE* file = std::fopen(output_file.data(), "w");
  if (file == nullptr) {
    std::fprintf(stderr, "qemu_cycles: can't write %s\n", output_file.data());
    return;
  }
  const auto line = [file](const char* what, const Count& count, const char* rest) {
    std::fprintf(file, "nnom %s %" PRIu64 " %" PRIu64 "%s\n", what, count.instructions,
                 count.cycles, rest);
  };
  if (region_done) line("total", region, "");
  for (std::size_t i = 0; i < layers.size(); ++i) {
    line(("layer " + std::to_string(i)).c_str(), layers[i], "");
  }
  std::vector<std::pair<std::string, Count>> sorted(functions.begin(), functions.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.second.instructions + a.second.cycles > b.second.instructions + b.second.cycles;
  });
  for (const auto& [symbol, count] : sorted) {
    if (count.instructions > 0) line("function", count, (" " + symbol).c_str());
  }
  std::fclose(file);
}

void pass(Mark mark) {
  switch (mark) {
    case Mark::kBegin:
      if (region_done) break;
      in_region = true;
      begun_at = total;
      break;
    case Mark::kEnd:
      if (!in_region) break;
      region = total - begun_at;
      in_region = false;
      region_done = true;
      break;
    case Mark::kLayer:
      if (std::exchange(in_layers, true)) layers.push_back(total - layer_at);
      layer_at = total;
      break;
    case Mark::kFinish:
      write_counts();
      qemu_plugin_reset(plugin, [](qemu_plugin_id_t) {});
      break;
    case Mark::kNone:
      break;
  }
}

/// A branch was taken where a block does not start at the end of the one before; the refill belongs
/// to the function that branched. The marks' own instructions are not counted.
void execute(unsigned, void* data) {
  const Block& block = *static_cast<const Block*>(data);
  if (block.mark != Mark::kNone) return pass(block.mark);
  const unsigned refill =
      core != nullptr && block.start != previous_end ? unsigned(core->refill) : 0;
  total.add(block.instructions, block.cycles + refill);
  if (in_region) {
    block.function->add(block.instructions, block.cycles);
    if (previous_function != nullptr) previous_function->add(0, refill);
  }
  previous_end = block.end;
  previous_function = in_region ? block.function : nullptr;
}

void translate(qemu_plugin_id_t, qemu_plugin_tb* tb) {
  Block& block = blocks.emplace_back();
  const std::size_t count = qemu_plugin_tb_n_insns(tb);
  thumb::Cost cost(core);
  for (std::size_t i = 0; i < count; ++i) {
    const qemu_plugin_insn* instruction = qemu_plugin_tb_get_insn(tb, i);
    const std::size_t size = qemu_plugin_insn_size(instruction);
    if (core != nullptr) {
      std::uint16_t half[2] = {};
      std::memcpy(half, qemu_plugin_insn_data(instruction), std::min(size, sizeof half));
      cost.add(size == 2 ? thumb::decode(half[0]) : thumb::decode(half[0], half[1]));
    }
    block.end = qemu_plugin_insn_vaddr(instruction) + size;
  }
  const qemu_plugin_insn* first = qemu_plugin_tb_get_insn(tb, 0);
  const char* symbol = qemu_plugin_insn_symbol(first);
  block.start = qemu_plugin_insn_vaddr(first);
  block.instructions = static_cast<unsigned>(count);
  block.cycles = cost.cycles();
  block.mark = mark_of(symbol != nullptr ? symbol : "");
  block.function = &functions[symbol != nullptr ? symbol : "?"];
  qemu_plugin_register_vcpu_tb_exec_cb(tb, execute, QEMU_PLUGIN_CB_NO_REGS, &block);
}

}  // namespace

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t*, int count, char** arguments) {
  plugin = id;
  for (int i = 0; i < count; ++i) {
    const std::string_view argument = arguments[i];
    if (argument.starts_with("core=")) {
      core = thumb::find(argument.substr(5));
    } else if (argument.starts_with("out=")) {
      output_file = *new std::string(argument.substr(4));
    } else {
      std::fprintf(stderr, "qemu_cycles: unknown option %s\n", arguments[i]);
      return 1;
    }
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
  qemu_plugin_register_atexit_cb(
      id, [](qemu_plugin_id_t, void*) { write_counts(); }, nullptr);
  return 0;
}
