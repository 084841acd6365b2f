/// \file
/// What a model is and what it costs, printed on the board: its inputs and outputs, its memory, the
/// time of each layer. No heap, no libc; C++11-clean like model.hpp.
///
///     static nnom::LayerTimes<mnist::Graph::layer_count, board_ticks> times;
///     times.start();
///     model.run(times.observer, &times);
///     times.print(board_print, board_ticks_per_second);
///     nnom::print_memory<mnist::Graph>(board_print);
///     nnom::print_format<mnist::Graph>(board_print);
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "nnom/model.hpp"
#include "nnom/text.hpp"

namespace nnom {

/// Prints what the model takes: RAM of its arena, and flash of its weights. The code and the stack
/// come on top.
template <class Graph>
void print_memory(Print write) {
  TextLine arena, weights;
  write(arena.append("arena  ").right(Graph::arena_bytes, 10).append(" B of RAM\n").text());
  write(weights.append("weights").right(Graph::weights_bytes, 10).append(" B of flash\n").text());
}

/// Prints a line on input or output `i`.
inline void print_tensor(Print write, const char* what, unsigned i, const Slot& slot,
                         const Format& format) {
  TextLine shape, zero, line;
  unsigned size = 1;
  for (int axis = 0; axis < format.rank; ++axis) {
    shape.append(axis > 0 ? " x " : "").right(static_cast<unsigned>(format.shape[axis]), 0);
    size *= static_cast<unsigned>(format.shape[axis]);
  }
  const int z = slot.quantisation.zero;
  zero.append(z < 0 ? "-" : "").right(static_cast<unsigned>(z < 0 ? -z : z), 0);
  line.left(what, 7).right(i, 2).append("  ").left(format.rank ? shape.text() : "1", 19);
  line.append(slot.bytes == size ? " int8   " : " int16  ");
  TextLine scale;
  line.left(scale.real(slot.quantisation.scale).text(), 12).right(zero.text(), 5).append("  ");
  write(line.append(format.name).text());  // however long: what is too much is cut off
  write("\n");
}

/// Prints the inputs and outputs: sizes of the axes, how elements are stored, and what one means:
/// scale * (stored - zero).
template <class Graph>
void print_format(Print write) {
  write("           shape               type   scale        zero  name\n");
  for (unsigned i = 0; i < Graph::input_count; ++i)
    print_tensor(write, "input", i, Graph::input(i), Graph::input_format(i));
  for (unsigned i = 0; i < Graph::output_count; ++i)
    print_tensor(write, "output", i, Graph::output(i), Graph::output_format(i));
}

/// Nanoseconds of one run, of `runs` that took `ticks` together; 0 of a clock that stands.
inline uint64_t nanoseconds(uint64_t ticks, uint32_t runs, uint32_t ticks_per_second) {
  if (runs == 0 || ticks_per_second == 0) return 0;
  ticks /= runs;
  return ticks / ticks_per_second * 1000000000 +
         ticks % ticks_per_second * 1000000000 / ticks_per_second;
}

/// An observer that adds up the time of each of a model's `Layers` layers, in ticks of a clock that
/// may wrap around, but not twice within one layer.
template <size_t Layers, uint32_t (*Clock)()>
class LayerTimes {
 public:
  constexpr LayerTimes() : last_(0), runs_(0), layers_() {}

  /// Begins an inference.
  void start() {
    ++runs_;
    last_ = Clock();
  }
  /// For run(): `model.run(times.observer, &times)`.
  static void observer(void* times, const LayerInfo& layer) {
    static_cast<LayerTimes*>(times)->add(layer);
  }
  void clear() {
    runs_ = 0;
    for (size_t i = 0; i < Layers; ++i) layers_[i].ticks = 0;
  }

  uint32_t runs() const { return runs_; }
  /// Ticks that a layer took in all inferences together.
  uint64_t ticks(size_t layer) const { return layer < Layers ? layers_[layer].ticks : 0; }
  uint64_t ticks() const {
    uint64_t sum = 0;
    for (size_t i = 0; i < Layers; ++i) sum += layers_[i].ticks;
    return sum;
  }

  /// Prints a table, a line at a time: of one inference, each layer's operations (LayerInfo::macs),
  /// microseconds, operations a microsecond, and share of the time.
  void print(Print write, uint32_t ticks_per_second) const {
    write("layer                 type               operations         us    ops/us     share\n");
    Layer sum;
    sum.name = "total";
    sum.type = "";
    sum.ticks = ticks();
    for (size_t i = 0; i < Layers; ++i) {
      sum.macs += layers_[i].macs;
      print_line(write, layers_[i], sum.ticks, ticks_per_second);
    }
    print_line(write, sum, sum.ticks, ticks_per_second);
  }

 private:
  struct Layer {
    constexpr Layer() : name(nullptr), type(nullptr), macs(0), ticks(0) {}

    const char* name;
    const char* type;
    uint64_t macs, ticks;
  };

  void add(const LayerInfo& layer) {
    const uint32_t now = Clock();
    if (layer.index < Layers) {
      Layer& l = layers_[layer.index];
      l.name = layer.name;
      l.type = layer.type;
      l.macs = static_cast<uint64_t>(layer.macs);
      l.ticks += static_cast<uint32_t>(now - last_);
    }
    last_ = Clock();  // what was done here is no layer's
  }

  void print_line(Print write, const Layer& l, uint64_t all, uint32_t ticks_per_second) const {
    const uint64_t ns = nanoseconds(l.ticks, runs_, ticks_per_second);
    TextLine line;
    line.left(l.name ? l.name : "-", 21).append(" ").left(l.type ? l.type : "-", 16).append(" ");
    line.right(l.macs, 12).append(" ").right(ns / 1000, 10).append(" ");
    if (ns > 0)
      line.fixed(l.macs * 100000 / ns, 2, 9);
    else
      line.right("-", 9);
    write(line.append(" ").percent(l.ticks, all, 7).append("\n").text());
  }

  uint32_t last_, runs_;
  Layer layers_[Layers];
};

}  // namespace nnom
