#include <algorithm>

#include "compiler/import/onnx_elementwise.hpp"

namespace nnomc::onnx {
namespace {

using nnom::Function;

/// Calls make(input, axes), which keeps the axes with size 1, and drops them if they aren't wanted.
Values reduce(Call& call, auto make) {
  const Value& in = call.in(0);
  std::vector<int> axes = call.axes("axes", 1, in.rank()).value_or(std::vector<int>{});
  const bool keep = call.flag("keepdims", true);
  if (call.flag("noop_with_empty_axes", false) && axes.empty()) return {in};
  if (axes.empty())
    for (int i = 0; i < in.rank(); ++i) axes.push_back(i);
  const Value out = make(in, axes);
  if (keep) return {out};
  Dims to;
  for (int i = 0; i < out.rank(); ++i)
    if (!std::count(axes.begin(), axes.end(), i)) to.push_back(out[i]);
  return {reshape_to(call, out, to)};
}

}  // namespace

template <class O>
Values reduce_with(Call& call) {
  return reduce(call, [&](const Value& in, const std::vector<int>& axes) {
    return reduced<O>(call, in, axes);
  });
}
template Values reduce_with<nnom::Mean>(Call&);
template Values reduce_with<nnom::Sum>(Call&);
template Values reduce_with<nnom::Product>(Call&);
template Values reduce_with<nnom::ReduceMax>(Call&);
template Values reduce_with<nnom::ReduceMin>(Call&);

template <Function before, Function after>
Values reduce_sum_of(Call& call) {
  return reduce(call, [&](const Value& in, const std::vector<int>& axes) {
    Value v = before == Function::linear ? in : apply(call, in, before, "/elements");
    v = reduced<nnom::Sum>(call, v, axes, after == Function::linear ? "" : "/sum");
    return after == Function::linear ? v : apply(call, v, after);
  });
}
template Values reduce_sum_of<Function::abs, Function::linear>(Call&);
template Values reduce_sum_of<Function::square, Function::linear>(Call&);
template Values reduce_sum_of<Function::square, Function::sqrt>(Call&);
template Values reduce_sum_of<Function::linear, Function::log>(Call&);

/// Without overflow: the largest is taken out.
Values reduce_log_sum_exp(Call& call) {
  return reduce(call, [&](const Value& in, const std::vector<int>& axes) {
    const Value top = reduced<nnom::ReduceMax>(call, in, axes, "/max");
    Value v = apply(call, minus(call, in, top, "/less"), Function::exponential, "/exp");
    v = apply(call, reduced<nnom::Sum>(call, v, axes, "/sum"), Function::log, "/log");
    return plus(call, v, top);
  });
}

template <bool smallest>
Values arg_max(Call& call) {
  const Value& in = call.in(0);
  const int axis = call.axis(call.integer("axis", 0), in.rank());
  const bool keep = call.flag("keepdims", true);
  nnom::ArgMax op;
  op.smallest = smallest;
  op.last = call.flag("select_last_index", false);
  const std::vector<int> order = call.order_of(in, {axis});
  op.axis = static_cast<int>(std::find(order.begin(), order.end(), axis) - order.begin());
  Dims to = in.dims;
  to[static_cast<size_t>(axis)] = 1;
  const Value out = call.made(call.add(op, {call.arrange(in, order)}), to, order, Type::i64);
  if (keep) return {out};
  to.erase(to.begin() + axis);
  return {reshape_to(call, out, to)};
}
template Values arg_max<false>(Call&);
template Values arg_max<true>(Call&);

/// A product with a triangular matrix of ones.
Values cumulative_sum(Call& call) {
  const Value& in = call.in(0);
  const Constant& given = call.constant(1);
  if (given.data.size() != 1) call.fail("its axis is not one number");
  const int axis = call.axis(integer_at(given, 0), in.rank());
  const int64_t n = in[axis];
  if (n > 1024) call.fail("not supported: sums of {} values", n);
  const bool exclusive = call.flag("exclusive", false), reverse = call.flag("reverse", false);
  std::vector<double> ones;
  for (int64_t o = 0; o < n; ++o)
    for (int64_t i = 0; i < n; ++i)
      ones.push_back((reverse ? i >= o : i <= o) && !(exclusive && i == o));
  const auto size = static_cast<size_t>(n);
  return {contract(call, in, axis, {size, size, std::move(ones)}, nullptr)};
}

}  // namespace nnomc::onnx
