// Operators that move values.
#include "compiler/import/tflite_operators.hpp"

namespace nnomc::tflite {

void reshape(Call& call) { call.set(call.tensor(0)); }

void quantize(Call& call) {
  const int x = call.tensor(0);
  if (!call.quantised() || call.scale(x) == call.out().scale) return call.set(x);
  nnom::Activation op;
  op.function = nnom::Function::linear;
  call.set(call.add(op, {x}));
}

void dequantize(Call& call) { call.set(call.tensor(0)); }

void concatenation(Call& call) {
  const auto& o = call.options<format::ConcatenationOptions>();
  if (!range_of(call, o.activation()).all()) call.fail("an activation is not supported here");
  nnom::Concat op;
  op.axis = o.axis() + (o.axis() < 0 ? call.out().rank() : 0);
  std::vector<int> inputs;
  for (int i = 0; i < call.count(); ++i) inputs.push_back(call.whole(i));
  call.set(call.add(op, inputs));
}

void pad(Call& call) {
  const int x = call.tensor(0), rank = call.in(0).rank();
  const std::vector<int> sizes = call.integers(1);
  if (static_cast<int>(sizes.size()) != 2 * rank)
    call.fail("it has {} sizes for {} axes", sizes.size(), rank);
  int border[6][2]{};
  for (int a = 0; a < rank; ++a)
    for (int e = 0; e < 2; ++e) {
      const int n = border[a][e] = sizes[static_cast<size_t>(2 * a + e)];
      const bool spatial = a < rank - 1 && a >= rank - 3 && a >= call.in(0).hidden();
      if (n < 0 || n > 1 << 20 || (n && !spatial))
        call.fail("padding of {} on axis {} is not supported", n, a);
    }
  nnom::Pad op;
  for (int a = call.in(0).hidden(); a < rank; ++a) {
    op.before[a - call.in(0).hidden()] = border[a][0];
    op.after[a - call.in(0).hidden()] = border[a][1];
  }
  call.set(call.add(op, {x}));
}

void transpose(Call& call) {
  const int x = call.whole(0), rank = call.in(0).rank();
  const std::vector<int> order = call.integers(1);
  if (static_cast<int>(order.size()) != rank) call.fail("its order has {} entries", order.size());
  nnom::Transpose op;
  for (int i = 0; i < rank; ++i) op.order[i] = order[static_cast<size_t>(i)];
  call.set(call.add(op, {x}));
}

}  // namespace nnomc::tflite
