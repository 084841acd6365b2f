#include <algorithm>

#include "compiler/import/onnx_ops.hpp"

namespace nnomc::onnx {

Values concat(Call& call) {
  const Value& first = call.in(0);
  const int axis = call.axis(call.integer("axis", 1), first.rank());
  const auto at = static_cast<size_t>(axis);
  Values parts;
  Dims to = first.dims;
  to[at] = 0;
  bool constant = true;
  for (size_t i = 0; i < call.inputs.size(); ++i) {
    const Value& part = call.in(i);
    Dims others = part.dims;
    if (part.dims.size() == first.dims.size()) others[at] = first.dims[at];
    if (others != first.dims) call.fail("{} and {} don't fit", show(first.dims), show(part.dims));
    to[at] += part.dims[at];
    constant = constant && part.constant;
    if (part.dims[at] != 0) parts.push_back(part);
  }
  if (constant) {
    std::vector<const Constant*> values;
    for (const Value& part : call.inputs) values.push_back(part.constant.get());
    return {call.made(joined(values, at))};
  }
  const auto lead =
      std::max_element(parts.begin(), parts.end(), [](const Value& a, const Value& b) {
        return (a.constant ? -1 : size_of(a.dims)) < (b.constant ? -1 : size_of(b.dims));
      });
  const std::vector<int> order = call.order_of(*lead, {axis});
  std::vector<int> tensors;
  for (const Value& part : parts) tensors.push_back(call.arrange(part, order));
  nnom::Concat op;
  op.axis = static_cast<int>(std::find(order.begin(), order.end(), axis) - order.begin());
  constexpr size_t kMost = nnom::Concat::max_inputs;
  while (tensors.size() > 1) {
    std::vector<int> sums;
    for (size_t i = 0; i < tensors.size(); i += kMost) {
      const auto from = tensors.begin() + static_cast<std::ptrdiff_t>(i);
      std::vector<int> some(
          from, from + static_cast<std::ptrdiff_t>(std::min(kMost, tensors.size() - i)));
      sums.push_back(some.size() == 1 ? some[0] : call.add(op, std::move(some)));
    }
    tensors = std::move(sums);
  }
  return {call.made(tensors[0], to, order, first.type)};
}

}  // namespace nnomc::onnx
