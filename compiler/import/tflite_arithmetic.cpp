// Operators that compute with what other operators give.
#include <algorithm>

#include "compiler/import/tflite_operators.hpp"
#include "nnom/window.hpp"

namespace nnomc::tflite {
namespace {

/// Limits `tensor` where an op can't do it itself.
int limited(Call& call, int tensor, Range range) {
  if (range.all()) return tensor;
  if (range.lo != 0) call.fail("an activation from -1 to 1 is not supported here");
  nnom::Activation op;
  op.function = nnom::Function::relu;
  op.high = range.hi;
  return call.add(op, {tensor});
}

template <class Pool>
void pool(Call& call) {
  const auto& o = call.options<format::PoolOptions>();
  const int x = call.picture(0);
  Pool op;
  op.kernel = {o.height(), o.width()};
  op.stride = {o.stride_h(), o.stride_w()};
  op.dilation = {1, 1};
  call.check_window(op);
  if (o.padding() == format::Padding_same)
    op.pad = nnom::same_border(nnom::image(call.shape(x)), op.kernel, op.stride, op.dilation);
  call.set(limited(call, call.add(op, {x}), range_of(call, o.activation())));
}

}  // namespace

void average_pool_2d(Call& call) { pool<nnom::AveragePool2D>(call); }
void max_pool_2d(Call& call) { pool<nnom::MaxPool2D>(call); }

void add(Call& call) {
  const auto& o = call.options<format::FusedOptions>();
  call.set(call.add(nnom::Add{}, {call.tensor(0), call.tensor(1)}, range_of(call, o.activation())));
}

void mean(Call& call) {
  const int x = call.tensor(0), rank = call.in(0).rank(), hidden = call.in(0).hidden();
  std::vector<int> axes = call.integers(1);
  for (int& a : axes) a += a < 0 ? rank : 0;
  std::sort(axes.begin(), axes.end());
  std::vector<int> spatial;
  for (int a = hidden; a < rank - 1; ++a) spatial.push_back(a);
  if (axes != spatial) call.fail("only the mean over height and width is supported");
  nnom::Mean op;
  for (const int a : axes) op.axes[a - hidden] = true;
  call.set(call.add(op, {x}));
}

void softmax(Call& call) {
  if (call.options<format::SoftmaxOptions>().beta() != 1)
    call.fail("only a beta of 1 is supported");
  call.set(call.add(nnom::Softmax{}, {call.tensor(0)}));
}

template <nnom::Function function>
void unary(Call& call) {
  nnom::Activation op;
  op.function = function;
  call.set(call.add(op, {call.tensor(0)}));
}
template void unary<nnom::Function::elu>(Call&);
template void unary<nnom::Function::exponential>(Call&);
template void unary<nnom::Function::log>(Call&);
template void unary<nnom::Function::relu>(Call&);
template void unary<nnom::Function::sigmoid>(Call&);
template void unary<nnom::Function::tanh>(Call&);

void relu_6(Call& call) {
  nnom::Activation op;
  op.function = nnom::Function::relu;
  op.high = 6;
  call.set(call.add(op, {call.tensor(0)}));
}

void leaky_relu(Call& call) {
  nnom::Activation op;
  op.function = nnom::Function::relu;
  op.slope = call.options<format::LeakyReluOptions>().alpha();
  call.set(call.add(op, {call.tensor(0)}));
}

}  // namespace nnomc::tflite
