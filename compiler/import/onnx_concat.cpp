// Tensors put together: Concat, and operators that run once for each picture of a batch.
#include <algorithm>

#include "compiler/import/onnx_elementwise.hpp"
#include "compiler/import/parts.hpp"

namespace nnomc::onnx {

Value joined(Call& call, const Values& parts, int axis) {
  const auto at = static_cast<size_t>(axis);
  Dims to = parts.at(0).dims;
  to[at] = 0;
  for (const Value& part : parts) to[at] += part.dims[at];
  const auto size = [](const Value& v) { return v.constant ? -1 : size_of(v.dims); };
  const auto lead =
      std::max_element(parts.begin(), parts.end(),
                       [&](const Value& a, const Value& b) { return size(a) < size(b); });
  const std::vector<int> order = call.order_of(*lead, {axis});
  std::vector<int> tensors;
  for (const Value& part : parts) tensors.push_back(call.arrange(part, order));
  nnom::Concat op;
  op.axis = static_cast<int>(std::find(order.begin(), order.end(), axis) - order.begin());
  tensors = joinable(std::move(tensors), [&](std::vector<int> some) { return call.add(op, some); });
  const int whole = tensors.size() == 1 ? tensors[0] : call.add(op, tensors);
  return call.made(whole, to, order, parts[0].type);
}

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
  if (!constant) return {joined(call, parts, axis)};
  std::vector<const Constant*> values;
  for (const Value& part : call.inputs) values.push_back(part.constant.get());
  call.count_folded(size_of(to));
  return {call.made(joined(values, at))};
}

Values each_picture(Call& call, Values (*function)(Call&)) {
  const Value& in = call.in(0);
  if (in.rank() != 4 || in[0] == 1 || in.tensor < 0) return function(call);
  if (in[0] > kMostPictures)
    call.fail("not supported: a batch of {}. Export the model with an open batch, or of 1", in[0]);
  std::vector<Values> made;
  for (int64_t i = 0; i < in[0]; ++i) {
    Values given = call.inputs;
    given[0] = gathered(call, in, 0, {i});
    made.push_back(call.as(function, std::move(given)));
  }
  Values out;
  for (size_t k = 0; k < made[0].size(); ++k) {
    Values parts;
    for (const Values& one : made) parts.push_back(one[k]);
    out.push_back(joined(call, parts, 0));
  }
  return out;
}

}  // namespace nnomc::onnx
