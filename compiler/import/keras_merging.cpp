#include <algorithm>

#include "compiler/import/keras_elementwise.hpp"
#include "compiler/import/keras_views.hpp"

namespace nnomc::keras {
namespace {

/// All operands, two at a time, tensors before constants; the last node bears the layer's name and
/// `last`.
int chained(LayerCall& call, const char* part, std::string_view last,
            int (*make)(LayerCall&, const Value&, const Value&, std::string_view)) {
  std::vector<Value> operands = values_of(call);
  std::stable_partition(operands.begin(), operands.end(),
                        [](const Value& v) { return v.tensor >= 0; });
  if (operands.empty() || operands[0].tensor < 0) call.config.site().fail("it has no inputs");
  int all = operands[0].tensor;
  for (size_t i = 1; i < operands.size(); ++i) {
    const bool more = i + 1 < operands.size();
    all = make(call, all, operands[i], more ? fmt::format("/{}{}", part, i) : std::string(last));
  }
  return all;
}

template <class O>
int extreme(LayerCall& call) {
  return chained(call, "part", "",
                 [](LayerCall& c, const Value& a, const Value& b, std::string_view suffix) {
                   return elementwise(c, O{}, {a, b}, suffix);
                 });
}

/// The product of two tensors' matrices; of a transposed one the last two axes change places.
int product(LayerCall& call, int a, int b, bool transpose_a, bool transpose_b) {
  nnom::MatMul op;
  op.transposed[0] = transpose_a;
  op.transposed[1] = transpose_b;
  return call.add(op, {a, b});
}

std::pair<int, int> two_tensors(const LayerCall& call) {
  const std::vector<int> given = call.tensors();
  if (given.size() != 2) call.config.site().fail("it should have two inputs, not {}", given.size());
  return {given[0], given[1]};
}

}  // namespace

int add(LayerCall& call) { return chained(call, "sum", "", plus); }

int multiply(LayerCall& call) { return chained(call, "part", "", times); }

int maximum(LayerCall& call) { return extreme<nnom::Maximum>(call); }

int minimum(LayerCall& call) { return extreme<nnom::Minimum>(call); }

/// Of all operands. The operation of that name is a mean over axes.
int average(LayerCall& call) {
  if (call.layer() && call.layer()->operation) return mean(call);
  const size_t count = values_of(call).size();
  const int sum = chained(call, "sum", "/sum", plus);
  return count == 1 ? sum : times(call, sum, 1.0 / static_cast<double>(count));
}

int subtract(LayerCall& call) {
  const auto [a, b] = pair_of(call);
  return minus(call, a, b);
}

int divide(LayerCall& call) {
  auto [a, b] = pair_of(call);
  if (b.tensor >= 0) {
    if (a.tensor < 0 && a.data.size() == 1) {
      const int inverse =
          apply(call, b.tensor, nnom::Function::reciprocal, a.data[0] == 1 ? "" : "/inverse");
      return a.data[0] == 1 ? inverse : times(call, inverse, a);
    }
    return elementwise(call, nnom::Div{}, {a, b});
  }
  for (float& v : b.data) v = 1 / v;
  return times(call, a, b);
}

int power(LayerCall& call) {
  const auto [a, b] = pair_of(call);
  if (b.tensor >= 0 || b.data.size() != 1)
    call.config.site().fail("not supported: an exponent that is not one constant number");
  nnom::Activation op;
  const float exponent = b.data[0];
  op.function = exponent == 2      ? nnom::Function::square
                : exponent == 0.5F ? nnom::Function::sqrt
                                   : nnom::Function::power;
  if (op.function == nnom::Function::power) op.slope = exponent;
  return apply(call, a.tensor, op);
}

int squared_difference(LayerCall& call) {
  const auto [a, b] = pair_of(call);
  return elementwise(call, nnom::SquaredDifference{}, {a, b});
}

int negative(LayerCall& call) { return times(call, call.input(), -1.0); }

int matmul(LayerCall& call) {
  const auto [a, b] = two_tensors(call);
  return product(call, a, b, call.config.flag("transpose_a", false),
                 call.config.flag("transpose_b", false));
}

/// Contracts an axis of each of two tensors of one or two axes.
int dot(LayerCall& call) {
  const Config& config = call.config;
  auto [a, b] = two_tensors(call);
  const int rank_a = call.shape(a).rank, rank_b = call.shape(b).rank;
  if (std::max(rank_a, rank_b) > 2)
    config.site().fail("not supported: more than two axes besides the batch, {} and {}",
                       to_string(call.shape(a)), to_string(call.shape(b)));
  const std::vector<int> both = config.integers("axes", -2, 2);
  const auto axis = [&](int value, int rank) {
    const int at = value < 0 ? value + rank : value - 1;
    if (value == 0 || at < 0 || at >= rank) config.site().fail("'axes' names axis {}", value);
    return at;
  };
  const int axis_a = axis(both.front(), rank_a), axis_b = axis(both.back(), rank_b);
  if (call.shape(a)[axis_a] != call.shape(b)[axis_b])
    config.site().fail("the axes of {} and {} that it multiplies differ in size",
                       to_string(call.shape(a)), to_string(call.shape(b)));
  if (config.flag("normalize", false))
    config.site().fail("not supported: 'normalize'. Put UnitNormalization before it");
  if (rank_a == 1) a = call.reshape(a, {2, {1, call.shape(a)[0]}}, "/row");
  if (rank_b == 1) b = call.reshape(b, {2, {1, call.shape(b)[0]}}, "/column");
  const int out = product(call, a, b, rank_a == 2 && axis_a == 0, rank_b == 1 || axis_b == 1);
  if (rank_a == 2 && rank_b == 2) return out;
  return call.reshape(out, {1, {call.shape(out).size()}}, "/shape");
}

int concatenate(LayerCall& call) {
  std::vector<int> tensors = call.tensors();
  if (tensors.empty()) call.config.site().fail("it has no inputs");
  const int axis = call.axis("axis", -1, call.shape(tensors.front()).rank);
  return joined(call, std::move(tensors), axis);
}

}  // namespace nnomc::keras
