#include "compiler/cmsis_nn.hpp"

#include <optional>

#include "compiler/error.hpp"
#include "nnom/cmsis_nn/memory.hpp"
#include "nnom/packing.hpp"

namespace nnomc {
namespace {

using PlainNumbers = nnom::Int8<nnom::Double, nnom::layout::Plain>;

template <class O>
void keep_zero_apart(const O& op, NodeData& data) {
  auto& d = *static_cast<nnom::Linear<PlainNumbers>*>(data.value.get());
  const nnom::Packing<PlainNumbers> p(op);
  auto bias = std::make_shared<std::vector<int32_t>>(d.bias, d.bias + p.channels);
  for (size_t c = 0; c < p.channels; ++c)
    for (size_t k = 0; k < p.per_channel; ++k)
      (*bias)[c] += d.in_zero * d.weights[nnom::Packing<PlainNumbers>::packed(op, c, k)];
  d.bias = bias->data();
  for (Blob& blob : data.blobs)
    if (blob.field == "bias") blob.data = bias->data(), blob.owner = bias;
}

/// What the library is built for that may run a node; none if NNoM does.
std::optional<nnom::cmsis_nn::Core> core_for(const Numbers& numbers, Kernels kernels) {
  if (numbers.width != Width::int8 || numbers.rounding != Rounding::double_rounding) return {};
  switch (kernels) {
    case Kernels::cmsis_nn:
      return nnom::cmsis_nn::Core::plain;
    case Kernels::cmsis_nn_dsp:
      return nnom::cmsis_nn::Core::dsp;
    case Kernels::cmsis_nn_helium:
      return nnom::cmsis_nn::Core::helium;
    case Kernels::own:
      break;
  }
  return {};
}

}  // namespace

Kernels cmsis_nn_kernels(const std::string& target) {
  if (target == "cortex-m0" || target == "cortex-m3") return Kernels::cmsis_nn;
  if (target == "cortex-m4" || target == "cortex-m7" || target == "cortex-m33")
    return Kernels::cmsis_nn_dsp;
  if (target == "cortex-m55") return Kernels::cmsis_nn_helium;
  throw Error("--kernels cmsis-nn: CMSIS-NN is for Cortex-M: say which with --target, not '{}'",
              target);
}

nnom::Memory memory_of(const Node& node, const Numbers& numbers, Kernels kernels) {
  if (const auto core = core_for(numbers, kernels)) {
    const auto memory = std::visit(
        [&](const auto& op) -> std::optional<nnom::Memory> {
          if (!nnom::cmsis_nn::takes(op)) return {};
          return nnom::cmsis_nn::memory(op, *core);
        },
        node.op);
    const bool one_factor = node.stored && node.stored->scale.size() == 1;
    if (memory && one_factor && std::holds_alternative<nnom::Dense>(node.op))
      return {nnom::cmsis_nn::factors(1), memory->lead};
    if (memory) return *memory;
  }
  return info(node.op).memory(node.op, numbers);
}

void keep_zero_apart(const Node& node, const Numbers& numbers, Kernels kernels, NodeData& data) {
  if (!core_for(numbers, kernels)) return;
  if (const auto* op = std::get_if<nnom::Conv2D>(&node.op)) keep_zero_apart(*op, data);
  if (const auto* op = std::get_if<nnom::DepthwiseConv2D>(&node.op)) keep_zero_apart(*op, data);
}

}  // namespace nnomc
