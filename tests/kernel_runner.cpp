#include "tests/kernel_runner.hpp"

#include <algorithm>

#include "nnom/execute.hpp"
#include "nnom/target/riscv.hpp"

namespace nnomc {

namespace {

template <class O, class N>
constexpr bool in_tiles() {
  if constexpr (is_linear<O>())
    return std::is_same_v<N, nnom::Int8<typename N::Rescale, nnom::layout::Vector>>;
  return false;
}

}  // namespace

bool runs_in_tiles(const Op& op, const Numbers& numbers) {
  return std::visit(
      [&]<class O>(const O&) {
        return with_numbers_of<O>(numbers, []<class N>() { return in_tiles<O, N>(); });
      },
      op);
}

void run_kernel_rows(const Op& op, const Numbers& numbers, const NodeData& data,
                     const RowsCall& call) {
  std::visit(
      [&]<class O>(const O& o) {
        with_numbers_of<O>(numbers, [&]<class N>() {
          nnom::Io<O, N> io{};
          for (size_t i = 0; i < call.in.size(); ++i)
            io.in[i] = {static_cast<const typename N::In*>(call.in[i].base), nnom::in_pitch(o),
                        call.in[i].wrap, call.in[i].ring};
          io.out = {static_cast<typename N::Out*>(const_cast<void*>(call.out.base)),
                    nnom::out_pitch(o), call.out.wrap, call.out.ring};
          io.scratch = call.scratch;
          io.state = call.state;
          io.y0 = call.y0;
          io.y1 = call.y1;
          const auto& d = *static_cast<const typename O::template Data<N>*>(data.value.get());
          if constexpr (nnom::keeps_state<O>) O::template reset<N>(o, d, call.state);
          if constexpr (in_tiles<O, N>())
            if (call.tiles)
              return O::template run<nnom::target::Fixed<nnom::target::Riscv>, N>(o, d, io);
          O::template run<nnom::target::Scalar, N>(o, d, io);
        });
      },
      op);
}

int output_rows(const Op& op) {
  return std::visit([](const auto& o) { return nnom::rows_of(o); }, op);
}
int input_pitch(const Op& op) {
  return std::visit([](const auto& o) { return nnom::in_pitch(o); }, op);
}
int output_pitch(const Op& op) {
  return std::visit([](const auto& o) { return nnom::out_pitch(o); }, op);
}

std::pair<int, int> input_rows(const Op& op, int y0, int y1) {
  return std::visit(
      [&](const auto& o) -> std::pair<int, int> {
        if constexpr (requires { o.phases(); })
          return {std::clamp((y0 + o.pad.top - o.kernel.h) / o.stride.h, 0, o.in.h),
                  std::clamp((y1 - 1 + o.pad.top) / o.stride.h + 1, 0, o.in.h)};
        else if constexpr (requires { o.ratio; })
          return {0, o.in.h};
        else if constexpr (requires { o.kernel; })
          return {std::clamp(y0 * o.stride.h - o.pad.top, 0, o.in.h),
                  std::clamp((y1 - 1) * o.stride.h - o.pad.top + nnom::span_h(o), 0, o.in.h)};
        else
          return {y0, y1};
      },
      op);
}

}  // namespace nnomc
