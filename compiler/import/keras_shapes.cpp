#include <algorithm>
#include <tuple>

#include "compiler/import/keras_views.hpp"

namespace nnomc::keras {
namespace {

/// The shape in a list of sizes, one of which may be -1: what is left of `size` elements.
Shape shape_of(const Config& config, std::string_view key, const std::vector<int>& sizes,
               int size) {
  int64_t known = 1;
  int open = 0;
  for (const int n : sizes) {
    if (n == -1)
      ++open;
    else
      known *= n;
    if (n == 0 || n < -1 || known > size)
      config.site().fail("'{}' doesn't fit its input of {} elements", key, size);
  }
  if (open > 1) config.site().fail("'{}' leaves more than one size open", key);
  if (sizes.empty() || sizes.size() > 6)
    config.site().fail("'{}' should have 1 to 6 entries, not {}", key, sizes.size());
  Shape shape;
  for (const int n : sizes) shape.d[shape.rank++] = n == -1 ? static_cast<int>(size / known) : n;
  return shape;
}

template <class T, int axes>
T window(const LayerCall& call, int tensor) {
  const Config& config = call.config;
  T op;
  op.kernel = config.size("pool_size", axes, {axes == 1 ? 1 : 2, 2});
  op.stride = config.size("strides", axes, op.kernel);
  op.dilation = {1, 1};
  const std::string padding = config.text("padding", "valid");
  if (padding == "same")
    op.pad = nnom::same_border(nnom::image(call.shape(tensor)), op.kernel, op.stride, op.dilation);
  else if (padding != "valid")
    config.site().fail("padding '{}' is not supported", padding);
  return op;
}

/// Of one axis: one number for both ends, or [before, after].
std::pair<int, int> ends(const Config& config, std::string_view key, const Json& value) {
  if (!value.is_array()) {
    const int n = config.as_integer(value, key, 0, kMaxWindow);
    return {n, n};
  }
  if (value.size() != 2) config.site().fail("'{}' is {}, not two sizes", key, show(value));
  return {config.as_integer(value[0], key, 0, kMaxWindow),
          config.as_integer(value[1], key, 0, kMaxWindow)};
}

/// The axes that lead, and those of `shape` behind them.
Shape behind_leading(const LayerCall& call, int tensor, const Shape& shape) {
  Shape all = shape;
  if (call.arrangement.leading == 0) return all;
  if (shape.rank == 6) call.config.site().fail("not supported: more than six axes");
  std::copy_backward(shape.d, shape.d + shape.rank, all.d + shape.rank + 1);
  all.d[0] = call.shape(tensor)[0];
  ++all.rank;
  return all;
}

}  // namespace

int identity(LayerCall& call) { return call.input(); }

std::vector<std::pair<int, int>> ends_of(const Config& config, std::string_view key, int axes) {
  const Json* value = config.find(key);
  if (!value) config.site().fail("'{}' is missing from its configuration", key);
  if (axes == 1) return {ends(config, key, *value)};
  const bool list = value->is_array();
  if (list && value->size() != 2)
    config.site().fail("'{}' is {}, not two sizes", key, show(*value));
  return {ends(config, key, list ? (*value)[0] : *value),
          ends(config, key, list ? (*value)[1] : *value)};
}

/// Keras flattens what has its channels first as if it had them last.
int flatten(LayerCall& call) {
  int tensor = call.input();
  const int rank = static_cast<int>(view_of(call.session(), tensor).dims.size());
  const int size = call.shape(tensor).size();
  if (call.arrangement.leading)
    return call.reshape(tensor, {2, {call.shape(tensor)[0], size / call.shape(tensor)[0]}});
  if (call.config.text("data_format", "") != "channels_first" || rank < 2)
    return reshaped(call, tensor, {size});
  return call.reshape(arranged(call, tensor, channels_last(rank)), {1, {size}});
}

int permute(LayerCall& call) {
  const int tensor = call.input();
  const int rank = static_cast<int>(view_of(call.session(), tensor).dims.size());
  const std::vector<int> dims = call.config.integers("dims", 1, rank);
  if (dims.size() != static_cast<size_t>(rank))
    call.config.site().fail("'dims' has {} entries for an input of {} axes", dims.size(), rank);
  std::vector<int> order;
  for (const int n : dims) order.push_back(n - 1);
  return transposed(call, tensor, order);
}

/// Operations have the batch before the sizes, under other names.
int reshape(LayerCall& call) {
  const int tensor = call.input();
  const char* key = call.config.find("newshape") ? "newshape"
                    : call.config.find("shape")  ? "shape"
                                                 : "target_shape";
  std::vector<int> sizes = call.config.integers(key, -1, kMaxElements);
  if (key != std::string_view("target_shape") && !sizes.empty()) sizes.erase(sizes.begin());
  const int steps = call.arrangement.leading ? call.shape(tensor)[0] : 1;
  const Shape to = shape_of(call.config, key, sizes, call.shape(tensor).size() / steps);
  const Shape all = behind_leading(call, tensor, to);
  return reshaped(call, tensor, Dims(all.d, all.d + all.rank));
}

template <int axes>
int zero_padding(LayerCall& call) {
  const int tensor = call.input_of_rank(axes + 1);
  const auto both = ends_of(call.config, "padding", axes);
  nnom::Pad op;
  for (int i = 0; i < axes; ++i) {
    const int at = call.arrangement.leading + i;
    std::tie(op.before[at], op.after[at]) = both[static_cast<size_t>(i)];
  }
  return op.any() ? call.add(op, {tensor}) : tensor;
}
template int zero_padding<1>(LayerCall&);
template int zero_padding<2>(LayerCall&);

template <int axes, class Pool>
int pool(LayerCall& call) {
  const int tensor = call.input_of_rank(axes + 1);
  return call.add(window<Pool, axes>(call, tensor), {tensor});
}
template int pool<1, nnom::MaxPool2D>(LayerCall&);
template int pool<2, nnom::MaxPool2D>(LayerCall&);
template int pool<1, nnom::AveragePool2D>(LayerCall&);
template int pool<2, nnom::AveragePool2D>(LayerCall&);

template <int axes>
int global_average(LayerCall& call) {
  const int tensor = call.input_of_rank(axes + 1);
  nnom::Mean op;
  std::fill_n(op.axes + call.arrangement.leading, axes, true);
  op.keep = call.config.flag("keepdims", false);
  return call.add(op, {tensor});
}
template int global_average<1>(LayerCall&);
template int global_average<2>(LayerCall&);

template <int axes>
int global_max(LayerCall& call) {
  const int tensor = call.input_of_rank(axes + 1);
  if (const int leading = call.arrangement.leading) {
    nnom::ReduceMax each;
    std::fill_n(each.axes + leading, axes, true);
    each.keep = call.config.flag("keepdims", false);
    return call.add(each, {tensor});
  }
  const nnom::Image in = nnom::image(call.shape(tensor));
  nnom::MaxPool2D op;
  op.kernel = op.stride = {in.h, in.w};
  op.dilation = {1, 1};
  const int out = call.add(op, {tensor});
  return call.config.flag("keepdims", false) ? out : call.reshape(out, {1, {in.c}}, "/flatten");
}
template int global_max<1>(LayerCall&);
template int global_max<2>(LayerCall&);

}  // namespace nnomc::keras
