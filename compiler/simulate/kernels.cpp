// Compiled once for each instruction set, with NNOM_KERNELS naming the function and, on the command
// line, `nnom` and `nnomc` renamed: so that no inline function of one build is linked into another.
#include "compiler/simulate/kernels.hpp"

#include "compiler/numbers.hpp"
#include "nnom/execute.hpp"

namespace nnomc {
namespace {

using RunOp = void (*)(std::size_t numbers_index, const void* op, const void* data, const int* in,
                       std::size_t inputs, int out, int scratch, unsigned char* arena);

template <class O, class N>
void run(const void* op, const void* data, const int* in, std::size_t inputs, int out, int scratch,
         unsigned char* arena) {
  const O& o = *static_cast<const O*>(op);
  nnom::Buffers<O> b;
  for (std::size_t i = 0; i < inputs; ++i) b.in[i] = {in[i], nnom::in_pitch(o)};
  b.out = {out, nnom::out_pitch(o)};
  b.scratch = scratch;
  nnom::run_layer<nnom::target::Scalar>(o, *static_cast<const typename O::template Data<N>*>(data),
                                        b, arena);
}

template <class O, class... N>
constexpr RunOp by_numbers(nnom::TypeList<N...>) {
  return [](std::size_t numbers_index, const void* op, const void* data, const int* in,
            std::size_t inputs, int out, int scratch, unsigned char* arena) {
    constexpr decltype(&run<O, nnom::Float<double, nnom::layout::Vector>>) cases[] = {
        run<O, NumbersOf<O, N>>...};
    cases[numbers_index](op, data, in, inputs, out, scratch, arena);
  };
}

template <class... O>
struct Cases {
  static constexpr RunOp all[] = {by_numbers<O>(AllNumbers<nnom::TypeList>{})...};
};

}  // namespace
}  // namespace nnomc

extern "C" void NNOM_KERNELS(std::size_t op_index, std::size_t numbers_index, const void* op,
                             const void* data, const int* in, std::size_t inputs, int out,
                             int scratch, unsigned char* arena) {
  nnom::Ops<nnomc::Cases>::all[op_index](numbers_index, op, data, in, inputs, out, scratch, arena);
}
