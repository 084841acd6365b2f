/// \file
/// A model's layers as tables: what generated code goes through to run them and to tell of them.
#pragma once

#include "nnom/execute.hpp"
#include "nnom/model.hpp"

namespace nnom {

/// A layer to run.
struct Step {
  void (*run)(const void* op, const void* data, const void* at, unsigned char* arena);
  const void *op, *data, *at;
};

/// What there is to tell of a layer. It has no output where rows of it are all that is ever there.
struct StepInfo {
  const char *name, *type;
  unsigned offset, bytes;  ///< of its output
  int64_t macs;
};

/// The step that calls run(op, data, at, arena); `run` is a lambda without captures.
template <class Run, class Op, class Data, class At>
constexpr Step step(Run, const Op& op, const Data& data, const At& at) {
  return {[](const void* o, const void* d, const void* a, unsigned char* arena) {
            Run{}(*static_cast<const Op*>(o), *static_cast<const Data*>(d),
                  *static_cast<const At*>(a), arena);
          },
          &op, &data, &at};
}

template <class At>
constexpr StepInfo step_info(const char* name, unsigned bytes, const auto& op, const At& at) {
  return {name, value(op).name, static_cast<unsigned>(at.out.offset), bytes, value(op).macs()};
}

inline void run_steps(const Step* steps, unsigned count, unsigned char* arena) {
  for (const Step* s = steps; s != steps + count; ++s) s->run(s->op, s->data, s->at, arena);
}

/// Runs `steps`, the last of `count` layers, up to layer `last`; those before have run in turns.
/// Tells of each layer in order, and gives the one reached.
inline LayerInfo observe_steps(const StepInfo* infos, unsigned count, const Step* steps,
                               unsigned in_turns, unsigned char* arena, Observer observer,
                               void* context, unsigned last) {
  LayerInfo reached = LayerInfo();
  for (unsigned i = 0; i < count && i <= last; ++i) {
    const StepInfo& info = infos[i];
    if (i >= in_turns) run_steps(steps + i - in_turns, 1, arena);
    reached = {info.name, info.type, i, info.macs, info.bytes ? arena + info.offset : nullptr,
               info.bytes};
    if (observer) observer(context, reached);
  }
  return reached;
}

/// The index of the last layer of that name, `count` if there is none.
inline unsigned find_layer(const StepInfo* infos, unsigned count, const char* name) {
  unsigned found = count;
  for (unsigned i = 0; i < count; ++i)
    if (same_text(name, infos[i].name)) found = i;
  return found;
}

}  // namespace nnom
