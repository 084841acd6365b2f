// Operators that take parts of tensors, or put tensors together.
#include <numeric>

#include "compiler/import/tflite_operators.hpp"

namespace nnomc::tflite {
namespace {

/// All of a shape.
nnom::Slice everything(const Shape& shape) {
  nnom::Slice op;
  op.out = shape;
  return op;
}

/// `count` elements of axis `axis` from `begin` on.
nnom::Slice part(const Shape& shape, int axis, int begin, int count) {
  nnom::Slice op = everything(shape);
  op.begin[axis] = begin;
  op.out.d[axis] = count;
  return op;
}

/// What each output's share of axis `axis` of input `input` is.
void split_into(Call& call, int input, int axis, const std::vector<int>& sizes) {
  const int x = call.whole(input), n = call.shape(x)[axis];
  if (static_cast<int>(sizes.size()) != call.outputs() ||
      std::accumulate(sizes.begin(), sizes.end(), int64_t{0}) != n)
    call.fail("it has {} parts for {} outputs, of an axis of {} elements", sizes.size(),
              call.outputs(), n);
  int begin = 0;
  for (int i = 0; i < call.outputs(); ++i) {
    const int count = sizes[static_cast<size_t>(i)];
    call.set(call.add_moved(part(call.shape(x), axis, begin, count), x), i);
    begin += count;
  }
}

}  // namespace

int gathered(Call& call, int x, int axis, const Shape& indices, std::vector<float> index) {
  Node node;
  nnom::Gather op;
  op.axis = axis;
  op.indices = indices;
  node.op = op;
  node.inputs = {x};
  node.weights = std::move(index);
  return call.add(std::move(node), call.scale(x));
}

void concatenation(Call& call) {
  const auto& o = call.options<format::ConcatenationOptions>();
  if (!range_of(call, o.activation()).all()) call.fail("an activation is not supported here");
  std::vector<int> inputs;
  for (int i = 0; i < call.count(); ++i) {
    const int x = call.whole(i);  // in int16 TFLite takes stored numbers, whatever their scales
    const bool as_stored = call.in(i).type == format::ElementType_int16;
    inputs.push_back(as_stored ? call.restated(x, call.out().scale) : x);
  }
  call.set(call.joined(inputs, call.axis(o.axis(), call.out().rank())));
}

void pack(Call& call) {
  const int axis = call.axis(call.options<format::PackOptions>().axis(), call.out().rank());
  std::vector<int> inputs;
  for (int i = 0; i < call.count(); ++i) {
    const int x = call.whole(i);
    Shape s = call.shape(x);
    for (int a = s.rank++; a > axis; --a) s.d[a] = s.d[a - 1];
    s.d[axis] = 1;
    inputs.push_back(call.reshape(x, s));
  }
  call.set(call.joined(inputs, axis));
}

void unpack(Call& call) {
  const int axis = call.axis(call.options<format::UnpackOptions>().axis(), call.in(0).rank());
  split_into(call, 0, axis, std::vector<int>(static_cast<size_t>(call.outputs()), 1));
}

void split(Call& call) {
  const int axis = call.axis(call.integer(0), call.in(1).rank());
  const int n = call.in(1).dims[static_cast<size_t>(axis)], parts = call.outputs();
  split_into(call, 1, axis, std::vector<int>(static_cast<size_t>(parts), n / parts));
}

void split_v(Call& call) {
  const int axis = call.axis(call.integer(2), call.in(0).rank());
  std::vector<int> sizes = call.integers(1);
  int64_t known = 0;
  for (const int n : sizes) known += std::max(n, 0);
  for (int& n : sizes)
    if (n < 0)
      n = static_cast<int>(
          std::max<int64_t>(call.in(0).dims[static_cast<size_t>(axis)] - known, -1));
  split_into(call, 0, axis, sizes);
}

void slice(Call& call) {
  const int x = call.whole(0);
  const std::vector<int> begin = call.integers(1), size = call.integers(2);
  nnom::Slice op = everything(call.shape(x));
  if (static_cast<int>(begin.size()) != op.out.rank || size.size() != begin.size())
    call.fail("it has {} beginnings for {} axes", begin.size(), op.out.rank);
  for (int a = 0; a < op.out.rank; ++a) {
    const auto i = static_cast<size_t>(a);
    op.begin[a] = begin[i];
    op.out.d[a] = size[i] < 0 ? op.out.d[a] - begin[i] : size[i];
  }
  call.set(call.add_moved(op, x));
}

void strided_slice(Call& call) {
  const auto& o = call.options<format::StridedSliceOptions>();
  const int x = call.whole(0), rank = call.in(0).rank();
  const std::vector<int> begin = call.integers(1), end = call.integers(2), step = call.integers(3);
  if (begin.size() > 16 || end.size() != begin.size() || step.size() != begin.size())
    call.fail("its begin, end and strides differ in length");
  const auto bit = [](int mask, size_t i) { return (mask >> i & 1) != 0; };
  int named = 0;  // axes of the input that the entries speak of
  for (size_t i = 0; i < begin.size(); ++i)
    named += !bit(o.ellipsis_mask(), i) && !bit(o.new_axis_mask(), i);
  if (named > rank) call.fail("it names {} axes of {}", named, rank);
  nnom::Slice op = everything(call.shape(x));
  int axis = 0;
  for (size_t i = 0; i < begin.size(); ++i) {
    if (bit(o.ellipsis_mask(), i)) {
      axis += rank - named;
      continue;
    }
    if (bit(o.new_axis_mask(), i)) continue;
    const int n = op.out.d[axis], s = step[i];
    if (s == 0) call.fail("one of its strides is 0");
    const bool one = bit(o.shrink_axis_mask(), i);
    // An end that is an offset, or a place; both within the axis, or one before its start.
    const auto place = [&](int v, bool open, int otherwise) {
      if (open) return otherwise;
      if (v < 0) v += n;
      return std::clamp(v, s > 0 ? 0 : -1, s > 0 ? n : n - 1);
    };
    const int from = place(begin[i], bit(o.begin_mask(), i) && !one, s > 0 ? 0 : n - 1);
    const int past = o.offset() ? from + end[i] : end[i];
    const int to =
        one ? from + (s > 0 ? 1 : -1) : place(past, bit(o.end_mask(), i), s > 0 ? n : -1);
    op.begin[axis] = from;
    op.step[axis] = s;
    op.out.d[axis] = s > 0 ? (to - from + s - 1) / s : (from - to - s - 1) / -s;
    ++axis;
  }
  call.set(call.add_moved(op, x));
}

void reverse_v2(Call& call) {
  const int x = call.whole(0);
  nnom::Slice op = everything(call.shape(x));
  for (const int a : call.integers(1)) {
    const int axis = call.axis(a, op.out.rank);
    op.begin[axis] = op.out.d[axis] - 1;
    op.step[axis] = -1;
  }
  call.set(call.add_moved(op, x));
}

void gather(Call& call) {
  const auto& o = call.options<format::GatherOptions>();
  if (o.batch_dims() != 0) call.fail("batch axes are not supported");
  Shape indices;
  for (const int d : call.in(1).dims) indices.d[indices.rank++] = d;
  const std::vector<int> index = call.integers(1);
  call.set(gathered(call, call.whole(0), call.axis(o.axis(), call.in(0).rank()), indices,
                    {index.begin(), index.end()}));
}

void tile(Call& call) {
  int x = call.whole(0);
  const std::vector<int> times = call.integers(1);
  if (static_cast<int>(times.size()) != call.shape(x).rank)
    call.fail("it has {} numbers for {} axes", times.size(), call.shape(x).rank);
  for (int axis = 0; axis < static_cast<int>(times.size()); ++axis) {
    const int n = call.shape(x)[axis], t = times[static_cast<size_t>(axis)];
    if (t < 1 || int64_t{t} * n > 1 << 26) call.fail("it repeats axis {} {} times", axis, t);
    if (t == 1) continue;
    std::vector<float> index;
    for (int i = 0; i < n * t; ++i) index.push_back(static_cast<float>(i % n));
    x = gathered(call, x, axis, Shape{1, {n * t}}, std::move(index));
  }
  call.set(x);
}

}  // namespace nnomc::tflite
