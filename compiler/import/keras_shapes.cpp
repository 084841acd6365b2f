#include <algorithm>
#include <tuple>

#include "compiler/import/keras_layers.hpp"

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

/// A border of one axis: one number for both ends, or [before, after].
std::pair<int, int> border(const Config& config, const Json& value) {
  if (!value.is_array()) {
    const int n = config.as_integer(value, "padding", 0, kMaxWindow);
    return {n, n};
  }
  if (value.size() != 2) config.site().fail("'padding' is {}, not two sizes", show(value));
  return {config.as_integer(value[0], "padding", 0, kMaxWindow),
          config.as_integer(value[1], "padding", 0, kMaxWindow)};
}

}  // namespace

int identity(LayerCall& call) { return call.input(); }

int flatten(LayerCall& call) {
  const int tensor = call.input();
  return call.reshape(tensor, {1, {call.shape(tensor).size()}});
}

int permute(LayerCall& call) {
  const int tensor = call.input();
  const int rank = call.shape(tensor).rank;
  const std::vector<int> dims = call.config.integers("dims", 1, rank);
  if (dims.size() != static_cast<size_t>(rank))
    call.config.site().fail("'dims' has {} entries for an input of {} axes", dims.size(), rank);
  nnom::Transpose op;
  for (int i = 0; i < rank; ++i) op.order[i] = dims[static_cast<size_t>(i)] - 1;
  return call.add(op, {tensor});
}

int reshape(LayerCall& call) {
  const int tensor = call.input();
  const std::vector<int> sizes = call.config.integers("target_shape", -1, kMaxElements);
  return call.reshape(tensor,
                      shape_of(call.config, "target_shape", sizes, call.shape(tensor).size()));
}

template <int axes>
int zero_padding(LayerCall& call) {
  const int tensor = call.input_of_rank(axes + 1);
  const Config& config = call.config;
  const Json* value = config.find("padding");
  if (!value) config.site().fail("'padding' is missing from its configuration");
  nnom::Pad op;
  if constexpr (axes == 1) {
    std::tie(op.before[0], op.after[0]) = border(config, *value);
  } else {
    const bool list = value->is_array();
    if (list && value->size() != 2)
      config.site().fail("'padding' is {}, not two sizes", show(*value));
    std::tie(op.before[0], op.after[0]) = border(config, list ? (*value)[0] : *value);
    std::tie(op.before[1], op.after[1]) = border(config, list ? (*value)[1] : *value);
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
  std::fill_n(op.axes, axes, true);
  op.keep = call.config.flag("keepdims", false);
  return call.add(op, {tensor});
}
template int global_average<1>(LayerCall&);
template int global_average<2>(LayerCall&);

template <int axes>
int global_max(LayerCall& call) {
  const int tensor = call.input_of_rank(axes + 1);
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
