// Functions of one value.
#include "compiler/import/tflite_operators.hpp"

namespace nnomc::tflite {
namespace {

void apply(Call& call, nnom::Function function, float slope = 0, float threshold = 0,
           float high = std::numeric_limits<float>::infinity()) {
  nnom::Activation op;
  op.function = function;
  op.slope = slope, op.threshold = threshold, op.high = high;
  call.set(call.add(op, {call.tensor(0)}));
}

}  // namespace

template <nnom::Function function>
void unary(Call& call) {
  apply(call, function);
}
template void unary<nnom::Function::abs>(Call&);
template void unary<nnom::Function::ceil>(Call&);
template void unary<nnom::Function::cos>(Call&);
template void unary<nnom::Function::exponential>(Call&);
template void unary<nnom::Function::floor>(Call&);
template void unary<nnom::Function::log>(Call&);
template void unary<nnom::Function::logical_not>(Call&);
template void unary<nnom::Function::negative>(Call&);
template void unary<nnom::Function::relu>(Call&);
template void unary<nnom::Function::round>(Call&);
template void unary<nnom::Function::rsqrt>(Call&);
template void unary<nnom::Function::sigmoid>(Call&);
template void unary<nnom::Function::sin>(Call&);
template void unary<nnom::Function::sqrt>(Call&);
template void unary<nnom::Function::square>(Call&);
template void unary<nnom::Function::tanh>(Call&);

void elu(Call& call) { apply(call, nnom::Function::elu, 1); }

void gelu(Call& call) {
  const bool approximate = call.options<format::GeluOptions>().approximate();
  apply(call, approximate ? nnom::Function::gelu_tanh : nnom::Function::gelu);
}

void hard_swish(Call& call) { apply(call, nnom::Function::hard_silu, 1.0f / 6, 0.5f); }

void leaky_relu(Call& call) {
  apply(call, nnom::Function::relu, call.options<format::LeakyReluOptions>().alpha());
}

void relu_6(Call& call) { apply(call, nnom::Function::relu, 0, 0, 6); }
void relu_0_to_1(Call& call) { apply(call, nnom::Function::relu, 0, 0, 1); }
void relu_n1_to_1(Call& call) { apply(call, nnom::Function::clip, 0, -1, 1); }

/// From one type to another: nothing to do, as the graph has one; but fractions would be cut off.
void cast(Call& call) {
  const auto whole = [](format::ElementType t) {
    return t != format::ElementType_float32 && t != format::ElementType_float16;
  };
  if (!call.is_constant(0) && whole(call.out().type) && !whole(call.in(0).type))
    call.fail("real numbers can't be cast to {}", format::EnumNameElementType(call.out().type));
  call.set(call.tensor(0));
}

}  // namespace nnomc::tflite
