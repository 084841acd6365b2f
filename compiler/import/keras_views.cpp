#include "compiler/import/keras_views.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "compiler/import/parts.hpp"

namespace nnomc::keras {
namespace {

Dims dims_of(const Shape& shape) { return {shape.d, shape.d + shape.rank}; }

Shape shape_of(const LayerCall& call, const Dims& dims) {
  if (dims.size() > 6) call.config.site().fail("not supported: more than six axes");
  Shape shape;
  for (const int64_t n : dims) shape.d[shape.rank++] = static_cast<int>(n);
  return shape;
}

/// Shapes of the axes `order` of `dims`.
Dims picked(const Dims& dims, const std::vector<int>& order) {
  Dims sizes;
  for (const int axis : order) sizes.push_back(dims[static_cast<size_t>(axis)]);
  return sizes;
}

std::vector<int> own_order(size_t rank) {
  std::vector<int> order(rank);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

/// `tensor` as Keras now sees it: under a name of its own, if others see it otherwise.
int seen(LayerCall& call, int tensor, View view) {
  Session& session = call.session();
  if (view_of(session, tensor) == view) return tensor;
  const Shape to = shape_of(call, view.dims);
  if (view.layout == onnx::plain_layout(view.dims)) {
    nnom::Reshape op;
    op.out = to;
    return call.add(op, {tensor});
  }
  nnom::Reshape op;
  op.out = call.shape(tensor);
  const int alias = call.add(op, {tensor}, "/view");
  session.views[alias] = std::move(view);
  return alias;
}

/// The order in which an operand lies, with axes of size 1 first; nothing if an axis is not a
/// single run.
std::optional<std::vector<int>> order_of(const View& view) {
  const auto large = onnx::memory_order(view.layout);
  if (!large) return {};
  std::vector<int> order;
  for (size_t i = 0; i < view.dims.size(); ++i)
    if (view.layout[i].empty()) order.push_back(static_cast<int>(i));
  order.insert(order.end(), large->begin(), large->end());
  // Channels last, a picture of one pixel or channel lies as any other.
  const std::vector<int> last = channels_last(static_cast<int>(view.dims.size()));
  if (view.layout == onnx::layout_in(last, view.dims)) order = last;
  if (view.layout == onnx::plain_layout(view.dims)) order = own_order(view.dims.size());
  return order;
}

/// The order in which the operands of a row are best brought; nothing for Keras's own.
std::vector<int> order_for(LayerCall& call, const LayerRow& row) {
  std::vector<View> views;
  for (const int t : call.tensors()) views.push_back(view_of(call.session(), t));
  if ((row.traits & kPicture) && is_channels_first(call.config) && views.size() == 1)
    return channels_last(static_cast<int>(views[0].dims.size()));
  if (!(row.traits & kAnyOrder) || views.empty()) return {};
  const auto smaller = [](const View& a, const View& b) {
    return onnx::size_of(a.dims) < onnx::size_of(b.dims);
  };
  const View& lead = *std::max_element(views.begin(), views.end(), smaller);
  for (const View& view : views)
    if (view.dims.size() != lead.dims.size()) return {};
  const auto order = order_of(lead);
  return order && *order != own_order(order->size()) ? *order : std::vector<int>{};
}

onnx::Axis runs_of(const Layout& layout, const std::vector<int>& order) {
  onnx::Axis runs;
  for (const int axis : order) onnx::append(runs, layout[static_cast<size_t>(axis)]);
  return runs;
}

/// Of what a Transpose made: its input, and where the elements lie there. -1 for others.
std::pair<int, Layout> before_transpose(const Session& session, int tensor) {
  const Graph& graph = session.graph;
  const int producer = session.views.contains(tensor) ? -1 : graph.producer(tensor);
  if (producer < 0) return {-1, {}};
  const Node& node = graph.nodes[static_cast<size_t>(producer)];
  const auto* op = std::get_if<nnom::Transpose>(&node.op);
  if (!op || session.views.contains(node.inputs[0])) return {-1, {}};
  const Layout from = onnx::plain_layout(dims_of(graph.shape(node.inputs[0])));
  Layout layout;
  for (size_t i = 0; i < from.size(); ++i)
    layout.push_back(from[static_cast<size_t>(op->order[i])]);
  return {node.inputs[0], layout};
}

}  // namespace

View view_of(const Session& session, int tensor) {
  if (const auto it = session.views.find(tensor); it != session.views.end()) return it->second;
  View view{dims_of(session.graph.shape(tensor)), {}};
  view.layout = onnx::plain_layout(view.dims);
  return view;
}

std::vector<int> channels_last(int rank) {
  std::vector<int> order = own_order(static_cast<size_t>(rank));
  if (rank > 1) std::rotate(order.begin(), order.begin() + 1, order.end());
  return order;
}

std::vector<int> channels_first(int rank) {
  std::vector<int> order = own_order(static_cast<size_t>(rank));
  if (rank > 1) std::rotate(order.begin(), order.end() - 1, order.end());
  return order;
}

bool is_channels_first(const Config& config) {
  return config.text("data_format", "") == "channels_first";
}

int arranged(LayerCall& call, int tensor, const std::vector<int>& order) {
  int& known = call.session().arranged.try_emplace({tensor, order}, -1).first->second;
  if (known >= 0) return known;
  View view = view_of(call.session(), tensor);
  if (const auto [source, layout] = before_transpose(call.session(), tensor);
      source >= 0 && runs_of(layout, order).size() < 2) {
    tensor = source;
    view.layout = layout;
  }
  const Shape to = shape_of(call, picked(view.dims, order));
  const onnx::Axis runs = runs_of(view.layout, order);
  if (runs.size() > 1) {
    const onnx::Axis from = onnx::memory_runs({runs});
    Dims counts;
    nnom::Transpose op;
    for (size_t i = 0; i < from.size(); ++i) counts.push_back(from[i].count);
    const int source = call.reshape(tensor, shape_of(call, counts), "/runs");
    for (size_t i = 0; i < runs.size(); ++i)
      op.order[i] = static_cast<int>(std::find(from.begin(), from.end(), runs[i]) - from.begin());
    tensor = call.add(op, {source}, "/transpose");
  }
  return known = call.reshape(tensor, to, "/arranged");
}

int plain(LayerCall& call, int tensor) {
  if (!call.session().views.contains(tensor)) return tensor;
  return arranged(call, tensor, own_order(view_of(call.session(), tensor).dims.size()));
}

int reshaped(LayerCall& call, int tensor, const Dims& to) {
  const View view = view_of(call.session(), tensor);
  if (call.session().views.contains(tensor) && onnx::size_of(to) == onnx::size_of(view.dims)) {
    constexpr size_t kMostRuns = 6;  // that a Transpose can move
    auto layout = onnx::reshaped(view.layout, to);
    if (layout && onnx::memory_runs(*layout).size() <= kMostRuns)
      return seen(call, tensor, {to, std::move(*layout)});
  }
  return call.reshape(plain(call, tensor), shape_of(call, to));
}

int transposed(LayerCall& call, int tensor, const std::vector<int>& order) {
  if (!std::is_permutation(order.begin(), order.end(), own_order(order.size()).begin()))
    call.config.site().fail("its order names an axis twice");
  if (call.session().views.contains(tensor)) {
    const View view = view_of(call.session(), tensor);
    View to{picked(view.dims, order), {}};
    for (const int axis : order) to.layout.push_back(view.layout[static_cast<size_t>(axis)]);
    return seen(call, tensor, std::move(to));
  }
  nnom::Transpose op;
  std::copy(order.begin(), order.end(), op.order);
  return call.add(op, {tensor});
}

int joined(LayerCall& call, std::vector<int> tensors, int axis) {
  nnom::Concat op;
  op.axis = axis;
  int part = 1;
  tensors = joinable(std::move(tensors), [&](std::vector<int> some) {
    return call.add(op, std::move(some), fmt::format("/part{}", part++));
  });
  return tensors.size() == 1 ? tensors.front() : call.add(op, std::move(tensors));
}

int add_layer(LayerCall& call, const LayerRow& row) {
  Session& session = call.session();
  const std::vector<int> given = call.tensors();
  const std::vector<int> order = order_for(call, row);
  const bool viewed =
      std::any_of(given.begin(), given.end(), [&](int t) { return session.views.contains(t); });
  if ((row.traits & kEach) && given.size() == 1) {
    const int out = row.add(call);
    if (viewed && out != given[0]) session.views[out] = view_of(session, given[0]);
    return out;
  }
  if ((row.traits & kViews) || (order.empty() && !viewed)) return row.add(call);

  std::vector<LayerCall::Operand> operands = call.operands;
  for (LayerCall::Operand& o : operands)
    if (o.tensor >= 0)
      o.tensor = order.empty() ? plain(call, o.tensor) : arranged(call, o.tensor, order);
  LayerCall inner(session, call.name(), call.config, call.layer(), std::move(operands),
                  {order, call.arrangement.leading});
  const int out = row.add(inner);
  const bool fresh = std::find(given.begin(), given.end(), out) == given.end();
  const Dims sizes = dims_of(call.shape(out));
  if (sizes.size() != order.size()) return out;
  View view{Dims(order.size()), {}};
  for (size_t i = 0; i < order.size(); ++i) view.dims[static_cast<size_t>(order[i])] = sizes[i];
  view.layout = onnx::layout_in(order, view.dims);
  if (!fresh || view.layout == onnx::plain_layout(view.dims))
    return seen(call, out, std::move(view));
  session.views[out] = std::move(view);
  return out;
}

namespace {

/// Who reads each layer of a model: a layer's number, and the place among its arguments.
using Readers = std::vector<std::vector<std::pair<int, size_t>>>;

Readers readers_of(const Model& model) {
  Readers readers(model.layers.size());
  for (size_t i = 0; i < model.layers.size(); ++i)
    for (const Call& call : model.layers[i].calls)
      for (size_t k = 0; k < call.size(); ++k)
        if (call[k].tensor)
          readers[static_cast<size_t>(call[k].tensor->layer)].push_back({static_cast<int>(i), k});
  return readers;
}

}  // namespace

bool reads_channels_first(const Model& model, int input) {
  std::map<const Model*, Readers> readers;
  std::set<std::pair<const Model*, int>> seen{{&model, input}};
  std::vector<std::pair<const Model*, int>> open{{&model, input}};
  const auto visit = [&](const Model* in, int layer) {
    if (seen.insert({in, layer}).second) open.push_back({in, layer});
  };
  while (!open.empty()) {
    const auto [in, from] = open.back();
    open.pop_back();
    auto [known, first] = readers.try_emplace(in);
    if (first) known->second = readers_of(*in);
    for (const auto& [i, argument] : known->second[static_cast<size_t>(from)]) {
      const Layer& layer = in->layers[static_cast<size_t>(i)];
      if (layer.each_step) continue;
      if (layer.model) {
        if (argument < layer.model->inputs.size())
          visit(layer.model.get(), layer.model->inputs[argument].layer);
        continue;
      }
      const LayerRow* row = row_of(layer);
      if (!row) continue;
      if ((row->traits & kPicture) && is_channels_first(Config(*layer.config, {}))) return true;
      if (row->traits & (kAnyOrder | kEach)) visit(in, i);
    }
  }
  return false;
}

}  // namespace nnomc::keras
