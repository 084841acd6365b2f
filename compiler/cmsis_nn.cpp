#include "compiler/cmsis_nn.hpp"

#include <algorithm>

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

nnom::cmsis_nn::Core core_of(Kernels kernels) {
  using nnom::cmsis_nn::Core;
  return kernels == Kernels::cmsis_nn       ? Core::plain
         : kernels == Kernels::cmsis_nn_dsp ? Core::dsp
                                            : Core::helium;
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

Kernels kernels_for(const Node& node, const Numbers& numbers, Kernels wanted) {
  const bool able = numbers.width == Width::int8 && numbers.rounding == Rounding::double_rounding &&
                    std::visit([](const auto& op) { return nnom::cmsis_nn::takes(op); }, node.op);
  return able ? wanted : Kernels::own;
}

bool runs_cmsis_nn(const Graph& graph) {
  return std::ranges::any_of(graph.nodes, [](const Node& n) { return n.kernels != Kernels::own; });
}

nnom::Memory memory_of(const Node& node, const Numbers& numbers) {
  if (node.kernels == Kernels::own) return info(node.op).memory(node.op, numbers);
  const nnom::cmsis_nn::Core core = core_of(node.kernels);
  nnom::Memory memory =
      std::visit([&](const auto& op) { return nnom::cmsis_nn::memory(op, core); }, node.op);
  const bool one_factor = node.stored && node.stored->scale.size() == 1;
  if (one_factor && std::holds_alternative<nnom::Dense>(node.op))
    memory.scratch = nnom::cmsis_nn::factors(1);
  return memory;
}

void keep_zero_apart(const Node& node, NodeData& data) {
  if (node.kernels == Kernels::own) return;
  if (const auto* op = std::get_if<nnom::Conv2D>(&node.op)) keep_zero_apart(*op, data);
  if (const auto* op = std::get_if<nnom::DepthwiseConv2D>(&node.op)) keep_zero_apart(*op, data);
}

}  // namespace nnomc
