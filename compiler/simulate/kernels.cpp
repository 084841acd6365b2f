// Compiled once for each instruction set, with NNOM_KERNELS naming the function and, on the command
// line, `nnom` and `nnomc` renamed: so that no inline function of one build is linked into another.
#include "compiler/simulate/kernels.hpp"

#include "compiler/numbers.hpp"
#include "nnom/turns.hpp"

namespace nnomc {
namespace {

using Target = nnom::Native;

using RunOp = void (*)(std::size_t numbers_index, const KernelCall& call, unsigned char* arena);

using RunCase = void (*)(const KernelCall& call, unsigned char* arena);

template <class O, class N>
void run(const KernelCall& call, unsigned char* arena) {
  const O& op = *static_cast<const O*>(call.op);
  const auto& data = *static_cast<const typename O::template Data<N>*>(call.data);
  nnom::Buffers<O> b;
  for (std::size_t i = 0; i < call.inputs; ++i)
    b.in[i] = {call.in[i], nnom::in_pitch(op), call.in_ring ? call.in_ring[i] : 0};
  b.out = {call.out, nnom::out_pitch(op), call.out_ring};
  b.scratch = call.scratch;
  if constexpr (nnom::keeps_state<O>) b.state = call.state;
  if (call.reset)
    nnom::reset_layer(op, data, b, arena);
  else if (call.row < 0)
    nnom::run_rows<Target>(op, data, b, arena);
  else
    nnom::run_rows<Target>(op, data, b, arena, call.row, call.row + 1);
}

// The packings of boards are for tests: one build of the kernels has them all, the others one each;
// VNNI's has layers with weights in it and nothing else.
template <class O, class N>
constexpr bool left_out() {
#ifdef NNOM_KERNELS_LAYOUT
  using Only = nnom::layout::NNOM_KERNELS_LAYOUT;
  if constexpr (std::is_same_v<Only, nnom::layout::Quads>)
    return !std::is_same_v<PackingOf<N>, Only> || !is_linear<O>();
  else
    return !std::is_void_v<PackingOf<N>> && !std::is_same_v<PackingOf<N>, Only>;
#else
  return false;
#endif
}

template <class O, class N>
constexpr RunCase case_of() {
  if constexpr (left_out<O, N>())
    return nullptr;
  else
    return run<O, NumbersOf<O, N>>;
}

template <class O, class... N>
constexpr RunOp by_numbers(nnom::TypeList<N...>) {
  return [](std::size_t numbers_index, const KernelCall& call, unsigned char* arena) {
    constexpr RunCase cases[] = {case_of<O, N>()...};
    cases[numbers_index](call, arena);
  };
}

template <class... O>
struct Cases {
  static constexpr RunOp all[] = {by_numbers<O>(AllNumbers<nnom::TypeList>{})...};
};

}  // namespace
}  // namespace nnomc

extern "C" void NNOM_KERNELS(std::size_t op_index, std::size_t numbers_index,
                             const KernelCall& call, unsigned char* arena) {
  nnom::Ops<nnomc::Cases>::all[op_index](numbers_index, call, arena);
}
