#include <algorithm>
#include <numeric>

#include "compiler/import/onnx_elementwise.hpp"

namespace nnomc::onnx {
namespace {

/// Elements from one to the next along each axis.
std::vector<int64_t> steps_of(const Dims& dims) {
  std::vector<int64_t> steps(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;) steps[i - 1] = steps[i] * dims[i];
  return steps;
}

/// Elements of `value`, by their places in ONNX's order, as a tensor of another shape.
Value picked(Call& call, const Value& value, const std::vector<int64_t>& places, const Dims& to) {
  const Value flat = reshape_to(call, value, {size_of(value.dims)});
  return reshape_to(call, gathered(call, flat, 0, places), to);
}

/// An index of an axis of `size`; negative ones count from its end.
int64_t index_in(const Call& call, int64_t index, int64_t size) {
  if (index < -size || index >= size) call.fail("index {} of an axis of {}", index, size);
  return index < 0 ? index + size : index;
}

/// The places that the index vectors in the last axis of `indices` name in a tensor of `dims`;
/// each is that of `inner` elements.
std::vector<int64_t> places_named(const Call& call, const Constant& indices, const Dims& dims,
                                  size_t batch) {
  const auto depth = static_cast<size_t>(indices.dims.back());
  const std::vector<int64_t> steps = steps_of(dims);
  int64_t inner = 1, per_batch = 1;
  for (size_t i = batch + depth; i < dims.size(); ++i) inner *= dims[i];
  for (size_t i = batch; i + 1 < indices.dims.size(); ++i) per_batch *= indices.dims[i];
  std::vector<int64_t> places;
  for (size_t v = 0; (v + 1) * depth <= indices.data.size(); ++v) {
    int64_t place = batch ? static_cast<int64_t>(v) / per_batch * steps[batch - 1] : 0;
    for (size_t k = 0; k < depth; ++k)
      place +=
          index_in(call, integer_at(indices, v * depth + k), dims[batch + k]) * steps[batch + k];
    for (int64_t i = 0; i < inner; ++i) places.push_back(place + i);
    if (static_cast<int64_t>(places.size()) > kMaxElements) call.fail("its output is too large");
  }
  return places;
}

/// The places that `indices` name along an axis of a tensor of `dims`.
std::vector<int64_t> places_along(const Call& call, const Constant& indices, const Dims& dims,
                                  int axis) {
  if (indices.dims.size() != dims.size())
    call.fail("indices {} for {}", show(indices.dims), show(dims));
  const std::vector<int64_t> steps = steps_of(dims), own = steps_of(indices.dims);
  std::vector<int64_t> places;
  for (size_t i = 0; i < indices.data.size(); ++i) {
    int64_t place = 0;
    for (size_t k = 0; k < dims.size(); ++k) {
      const int64_t at = static_cast<int>(k) == axis
                             ? integer_at(indices, i)
                             : static_cast<int64_t>(i) / own[k] % indices.dims[k];
      place += index_in(call, at, dims[k]) * steps[k];
    }
    places.push_back(place);
  }
  return places;
}

/// `value` with the elements at `places` taken from `updates` instead: both side by side, picked.
Value scattered(Call& call, const Value& value, const Value& updates,
                const std::vector<int64_t>& places) {
  const int64_t size = size_of(value.dims), more = size_of(updates.dims);
  if (more != static_cast<int64_t>(places.size()))
    call.fail("{} updates for {} places", more, places.size());
  if (call.text("reduction", "none") != "none") call.fail("not supported: a reduction");
  std::vector<int64_t> from(static_cast<size_t>(size));
  std::iota(from.begin(), from.end(), 0);
  for (size_t i = 0; i < places.size(); ++i)
    from[static_cast<size_t>(places[i])] = size + static_cast<int64_t>(i);
  const Value parts[] = {reshape_to(call, value, {size}), reshape_to(call, updates, {more})};
  if (value.constant && updates.constant)
    return picked(call, call.made(joined({parts[0].constant.get(), parts[1].constant.get()}, 0)),
                  from, value.dims);
  nnom::Concat op;
  op.axis = 0;
  const int both =
      call.add(op, {call.arrange(parts[0], {0}), call.arrange(parts[1], {0})}, "/both");
  return picked(call, call.made(both, {size + more}, {0}, value.type), from, value.dims);
}

}  // namespace

Values gather_elements(Call& call) {
  const Value& in = call.in(0);
  const int axis = call.axis(call.integer("axis", 0), in.rank());
  const Constant& indices = call.constant(1);
  return {picked(call, in, places_along(call, indices, in.dims, axis), indices.dims)};
}

Values gather_nd(Call& call) {
  const Value& in = call.in(0);
  const Constant& indices = call.constant(1);
  const int64_t batch = call.integer("batch_dims", 0);
  if (indices.dims.empty() || batch < 0 || batch >= std::ssize(indices.dims) ||
      batch + indices.dims.back() > in.rank())
    call.fail("indices {} for {}", show(indices.dims), show(in.dims));
  Dims to(indices.dims.begin(), indices.dims.end() - 1);
  to.insert(to.end(), in.dims.begin() + batch + indices.dims.back(), in.dims.end());
  return {picked(call, in, places_named(call, indices, in.dims, static_cast<size_t>(batch)), to)};
}

Values scatter_elements(Call& call) {
  const Value& in = call.in(0);
  const int axis = call.axis(call.integer("axis", 0), in.rank());
  return {scattered(call, in, call.in(2), places_along(call, call.constant(1), in.dims, axis))};
}

Values scatter_nd(Call& call) {
  const Value& in = call.in(0);
  const Constant& indices = call.constant(1);
  if (indices.dims.empty() || indices.dims.back() > in.rank())
    call.fail("indices {} for {}", show(indices.dims), show(in.dims));
  return {scattered(call, in, call.in(2), places_named(call, indices, in.dims, 0))};
}

Values compress(Call& call) {
  Value in = call.in(0);
  const bool flat = !call.find("axis", Attribute::Kind::integer);
  if (flat) in = reshape_to(call, in, {size_of(in.dims)});
  const int axis = flat ? 0 : call.axis(call.integer("axis", 0), in.rank());
  const Constant& wanted = call.constant(1);
  std::vector<int64_t> indices;
  for (size_t i = 0; i < wanted.data.size(); ++i)
    if (wanted.data[i] != 0) indices.push_back(static_cast<int64_t>(i));
  if (!indices.empty() && indices.back() >= in[axis]) call.fail("its condition is too long");
  return {gathered(call, in, axis, indices)};
}

Values reverse_sequence(Call& call) {
  const Value& in = call.in(0);
  const int along = call.axis(call.integer("time_axis", 0), in.rank());
  const int batch = call.axis(call.integer("batch_axis", 1), in.rank());
  const Constant& lengths = call.constant(1);
  if (std::ssize(lengths.data) != in[batch]) call.fail("its lengths don't fit {}", show(in.dims));
  const std::vector<int64_t> steps = steps_of(in.dims);
  const auto t = static_cast<size_t>(along), b = static_cast<size_t>(batch);
  std::vector<int64_t> places;
  for (int64_t i = 0; i < size_of(in.dims); ++i) {
    const int64_t at = i / steps[t] % in[along];
    const int64_t n = integer_at(lengths, static_cast<size_t>(i / steps[b] % in[batch]));
    if (n < 0 || n > in[along]) call.fail("a length of {}", n);
    places.push_back(at < n ? i + (n - 1 - 2 * at) * steps[t] : i);
  }
  return {picked(call, in, places, in.dims)};
}

}  // namespace nnomc::onnx
