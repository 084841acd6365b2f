#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "compiler/import/onnx_elementwise.hpp"

namespace nnomc::onnx {
namespace {

using Fold = double (*)(double, double);

Constant combined_checked(Call& call, const Constant& a, const Constant& b, Type type, Fold f) {
  Dims to;
  if (!broadcast(a.dims, b.dims, to))
    call.fail("{} and {} can't be broadcast", show(a.dims), show(b.dims));
  for (int64_t size = 1; const int64_t n : to)
    if ((size *= n) > kMaxElements) call.fail("its output is too large");
  call.count_folded(size_of(to));
  return combined(a, b, type, f);
}

/// All inputs, two at a time: constants by `fold`, tensors by `make`.
template <class Make>
Value chained(Call& call, Fold fold, Make make) {
  Value all = call.in(0);
  for (size_t i = 1; i < call.inputs.size(); ++i) {
    const Value& next = call.in(i);
    const std::string suffix = i + 1 < call.inputs.size() ? fmt::format("/part{}", i) : "";
    all = all.constant && next.constant
              ? call.made(combined_checked(call, *all.constant, *next.constant, all.type, fold))
              : make(all, next, suffix);
  }
  return all;
}

/// A function of two inputs.
template <class Make>
Values pairwise(Call& call, Fold fold, Make make) {
  call.flag("broadcast", false);  // what is always done since operator set 7
  if (call.inputs.size() != 2) call.fail("it should have two inputs, not {}", call.inputs.size());
  return {chained(call, fold, make)};
}

template <class O>
Value extreme(Call& call, Fold fold) {
  return chained(call, fold, [&](const Value& a, const Value& b, const std::string& suffix) {
    return elementwise(call, O{}, {a, b}, suffix, a.type);
  });
}

Value summed(Call& call, std::string_view last) {
  return chained(
      call, [](double a, double b) { return a + b; },
      [&](const Value& a, const Value& b, const std::string& suffix) {
        return plus(call, a, b, suffix.empty() ? last : suffix);
      });
}

}  // namespace

Values add(Call& call) {
  return pairwise(
      call, [](double a, double b) { return a + b; },
      [&](const Value& a, const Value& b, const std::string&) { return plus(call, a, b); });
}

Values subtract(Call& call) {
  return pairwise(
      call, [](double a, double b) { return a - b; },
      [&](const Value& a, const Value& b, const std::string&) { return minus(call, a, b); });
}

Values multiply(Call& call) {
  return pairwise(
      call, [](double a, double b) { return a * b; },
      [&](const Value& a, const Value& b, const std::string&) { return times(call, a, b); });
}

Values divide(Call& call) {
  const auto make = [&](const Value& a, const Value& b, const std::string&) {
    if (b.constant) {
      Constant factor = *b.constant;
      for (double& v : factor.data) v = 1 / v;
      if (auto out = affine(call, a, &factor, nullptr)) return *out;
    }
    const bool inverse = a.constant && a.constant->data.size() == 1 && a.constant->data[0] == 1;
    if (inverse && a.rank() <= b.rank()) return apply(call, b, nnom::Function::reciprocal);
    return elementwise(call, nnom::Div{}, {a, b});
  };
  return pairwise(
      call, [](double a, double b) { return a / b; }, make);
}

Values modulo(Call& call) {
  if (!call.in(0).constant || !call.in(1).constant)
    call.fail("not supported: of values that the model computes");
  return pairwise(
      call,
      call.flag("fmod", false) ? [](double a, double b) { return std::fmod(a, b); }
                               : [](double a, double b) { return a - std::floor(a / b) * b; },
      [](const Value& a, const Value&, const std::string&) { return a; });
}

Values power(Call& call) {
  const auto make = [&](const Value& a, const Value& b, const std::string&) {
    if (is_integer(a.type)) call.fail("not supported: of integers that the model computes");
    if (!b.constant || b.constant->data.size() != 1 || b.rank() > a.rank())
      return elementwise(call, nnom::Power{}, {a, b});
    const auto exponent = static_cast<float>(b.constant->data[0]);
    nnom::Activation op;
    op.function = exponent == 2      ? nnom::Function::square
                  : exponent == 0.5F ? nnom::Function::sqrt
                                     : nnom::Function::power;
    if (op.function == nnom::Function::power) op.slope = exponent;
    return apply(call, a, op);
  };
  return pairwise(
      call, [](double a, double b) { return std::pow(a, b); }, make);
}

Values sum(Call& call) { return {summed(call, "")}; }

Values mean(Call& call) {
  const Value all = summed(call, "/sum");
  if (call.inputs.size() == 1) return {all};
  return {times(call, all, number(1.0 / static_cast<double>(call.inputs.size())))};
}

Values maximum(Call& call) {
  return {extreme<nnom::Maximum>(call, [](double a, double b) { return a > b ? a : b; })};
}

Values minimum(Call& call) {
  return {extreme<nnom::Minimum>(call, [](double a, double b) { return a < b ? a : b; })};
}

Values logical_and(Call& call) {
  Values out = multiply(call);
  out[0].type = Type::boolean;
  return out;
}

Values logical_or(Call& call) { return maximum(call); }

Values logical_xor(Call& call) { return compare<nnom::Relation::not_equal>(call); }

template <nnom::Relation relation>
Values compare(Call& call) {
  const Value &a = call.in(0), &b = call.in(1);
  if (a.constant && b.constant)
    return {call.made(combined_checked(
        call, *a.constant, *b.constant, Type::boolean,
        [](double x, double y) { return nnom::holds(relation, x, y) ? 1.0 : 0.0; }))};
  nnom::Compare op;
  op.rule.relation = relation;
  return {elementwise(call, op, {a, b}, "", Type::boolean)};
}
template Values compare<nnom::Relation::equal>(Call&);
template Values compare<nnom::Relation::not_equal>(Call&);
template Values compare<nnom::Relation::less>(Call&);
template Values compare<nnom::Relation::less_equal>(Call&);
template Values compare<nnom::Relation::greater>(Call&);
template Values compare<nnom::Relation::greater_equal>(Call&);

Values where(Call& call) {
  const Value &c = call.in(0), &a = call.in(1), &b = call.in(2);
  if (c.constant && a.constant && b.constant) {
    // c * a + (1 - c) * b would make infinities NaN: choose by place instead.
    Dims some, to;
    if (!broadcast(a.dims, b.dims, some) || !broadcast(c.dims, some, to) || !is_small(to))
      call.fail("{}, {} and {} don't fit", show(c.dims), show(a.dims), show(b.dims));
    Constant out = expanded(*a.constant, to);
    const Constant chosen = expanded(*c.constant, to), other = expanded(*b.constant, to);
    for (size_t i = 0; i < out.data.size(); ++i)
      if (chosen.data[i] == 0) out.data[i] = other.data[i];
    return {call.made(std::move(out))};
  }
  if (a.constant && b.constant) {  // c * (a - b) + b
    const Constant difference = combined_checked(call, *a.constant, *b.constant, a.type,
                                                 [](double x, double y) { return x - y; });
    const Value scaled = times(call, c, call.made(difference), "/choice");
    return {plus(call, scaled, b)};
  }
  return {elementwise(call, nnom::Select{}, {c, a, b}, "", a.type)};
}

Values prelu(Call& call) {
  const Value& in = call.in(0);
  Value slope = call.in(1);
  if (call.opset() < 7 && slope.rank() == 1 && in.rank() > 2) {  // one for each channel
    Dims channels(in.dims.size() - 1, 1);
    channels[0] = slope[0];
    slope = reshape_to(call, slope, channels);
  }
  Dims to;
  if (!broadcast(in.dims, slope.dims, to) || to != in.dims)
    call.fail("its slope {} doesn't fit its input {}", show(slope.dims), show(in.dims));
  if (slope.constant && slope.constant->data.size() == 1) {
    nnom::Activation op;
    op.function = nnom::Function::relu;
    op.slope = static_cast<float>(slope.constant->data[0]);
    return {apply(call, in, op)};
  }
  return {elementwise(call, nnom::PRelu{}, {in, slope})};
}

Values is_nan(Call& call) {
  nnom::Compare op;
  op.rule.relation = nnom::Relation::not_equal;
  return {elementwise(call, op, {call.in(0), call.in(0)}, "", Type::boolean)};
}

}  // namespace nnomc::onnx
