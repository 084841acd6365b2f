// Operators that compute with what other operators give.
#include <algorithm>

#include "compiler/import/tflite_operators.hpp"
#include "compiler/quantise/scales.hpp"
#include "nnom/window.hpp"

namespace nnomc::tflite {
namespace {

/// Limits `tensor` where an op can't do it itself.
int limited(Call& call, int tensor, Range range) {
  if (range.all()) return tensor;
  nnom::Activation op;
  op.function = nnom::Function::clip;
  op.threshold = range.lo, op.high = range.hi;
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
  if constexpr (requires { op.rule.of_uint8; })
    op.rule.of_uint8 = call.out().type == format::ElementType_uint8;
  call.set(limited(call, call.add(op, {x}), range_of(call, o.activation())));
}

/// An op whose operands are the inputs; one of them may be a constant. `as_output`: its numbers are
/// taken as the output's.
template <class Op>
void elementwise(Call& call, Op op, Range range = {}, bool as_output = false) {
  Node node;
  node.range = range;
  for (int i = 0; i < Op::max_inputs; ++i) {
    const bool restated = as_output && call.in(i).type == call.out().type;
    if (!call.is_constant(i) || op.constant >= 0) {
      const int x = call.tensor(i);
      node.inputs.push_back(restated ? call.restated(x, call.out().scale) : x);
      continue;
    }
    op.constant = i;
    op.constant_shape = call.in(i).shape();
    node.weights = call.reals(i);
    if (const auto scale = call.in(i).scale; scale && call.quantised())
      node.stored = StoredWeights{{static_cast<float>(scale->scale)}, {}, scale->zero};
  }
  node.op = op;
  call.set(call.add(std::move(node), call.out().scale));
}

}  // namespace

void average_pool_2d(Call& call) { pool<nnom::AveragePool2D>(call); }
void max_pool_2d(Call& call) { pool<nnom::MaxPool2D>(call); }

template <class Op>
void binary(Call& call) {
  elementwise(call, Op{});
}
template void binary<nnom::Power>(Call&);
template void binary<nnom::PRelu>(Call&);
template void binary<nnom::SquaredDifference>(Call&);

/// Ops whose output is one of their operands: TFLite takes the stored number, whatever the scales.
template <class Op>
void choice(Call& call) {
  elementwise(call, Op{}, {}, true);
}
template void choice<nnom::Maximum>(Call&);
template void choice<nnom::Minimum>(Call&);
template void choice<nnom::Select>(Call&);

/// ADD, MUL and DIV have an activation.
template <class Op>
void arithmetic(Call& call) {
  elementwise(call, Op{}, range_of(call, call.options<format::FusedOptions>().activation()));
}
template void arithmetic<nnom::Add>(Call&);
template void arithmetic<nnom::Div>(Call&);
template void arithmetic<nnom::Mul>(Call&);

void sub(Call& call) {
  nnom::Add op;
  op.rule.minus = true;
  elementwise(call, op, range_of(call, call.options<format::FusedOptions>().activation()));
}

template <nnom::Relation relation>
void compare(Call& call) {
  nnom::Compare op;
  op.rule.relation = relation;
  elementwise(call, op);
}
template void compare<nnom::Relation::equal>(Call&);
template void compare<nnom::Relation::not_equal>(Call&);
template void compare<nnom::Relation::less>(Call&);
template void compare<nnom::Relation::less_equal>(Call&);
template void compare<nnom::Relation::greater>(Call&);
template void compare<nnom::Relation::greater_equal>(Call&);

template <class Op>
void reduce(Call& call) {
  const int x = call.whole(0), rank = call.in(0).rank();
  Op op;
  for (const int axis : call.integers(1)) op.axes[call.axis(axis, rank)] = true;
  op.keep = true;
  call.set(call.add(op, {x}));
}
template void reduce<nnom::Mean>(Call&);
template void reduce<nnom::Product>(Call&);
template void reduce<nnom::ReduceMax>(Call&);
template void reduce<nnom::ReduceMin>(Call&);
template void reduce<nnom::Sum>(Call&);

void softmax(Call& call) {
  nnom::Softmax op;
  op.beta = call.options<format::SoftmaxOptions>().beta();
  call.set(call.add(op, {call.tensor(0)}));
}

void log_softmax(Call& call) {
  nnom::Softmax op;
  op.log = true;
  call.set(call.add(op, {call.tensor(0)}));
}

template <bool smallest>
void arg_max(Call& call) {
  const int x = call.whole(0);
  nnom::ArgMax op;
  op.axis = call.axis(call.integer(1), call.in(0).rank());
  op.smallest = smallest;
  Node node;
  node.op = op;
  node.inputs = {x};
  Quantisation places = quantisation_of_places(call.shape(x)[op.axis]);
  if (call.in(0).type == format::ElementType_int16) places = {1, 0, 16};
  call.set(call.add(std::move(node), places));
}
template void arg_max<false>(Call&);
template void arg_max<true>(Call&);

namespace {

void resize(Call& call, bool align_corners, bool half_pixel, nnom::Interpolation interpolation) {
  const int x = call.picture(0);
  const std::vector<int> size = call.integers(1);
  if (size.size() != 2) call.fail("it has {} sizes, not 2", size.size());
  for (const int n : size)
    if (n < 1 || n > 1 << 15) call.fail("a size of {} makes no sense", n);
  nnom::Resize op;
  op.out.h = size[0], op.out.w = size[1];
  op.interpolation = interpolation;
  op.coordinate = align_corners ? nnom::Coordinate::align_corners
                  : half_pixel  ? nnom::Coordinate::half_pixel
                                : nnom::Coordinate::asymmetric;
  call.set(call.add(op, {x}));
}

}  // namespace

void resize_bilinear(Call& call) {
  const auto& o = call.options<format::ResizeBilinearOptions>();
  resize(call, o.align_corners(), o.half_pixel_centers(), nnom::Interpolation::linear);
}

void resize_nearest_neighbor(Call& call) {
  const auto& o = call.options<format::ResizeNearestOptions>();
  const bool nearest = o.align_corners() || o.half_pixel_centers();
  resize(call, o.align_corners(), o.half_pixel_centers(),
         nearest ? nnom::Interpolation::round_prefer_ceil : nnom::Interpolation::floor);
}

}  // namespace nnomc::tflite
