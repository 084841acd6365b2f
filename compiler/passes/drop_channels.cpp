#include "compiler/passes/drop_channels.hpp"

#include <algorithm>

#include "compiler/error.hpp"
#include "compiler/op_table.hpp"
#include "compiler/passes/channels.hpp"

namespace nnomc {
namespace {

size_t channels_of(const Graph& graph, int tensor) {
  return static_cast<size_t>(graph.shape(tensor).back());
}

/// The sums of a node whose inputs' and outputs' channels can be dropped one by one.
std::optional<Sums> free_sums(const Graph& graph, const Node& node, const Numbers& numbers) {
  auto sums = sums_of(graph, node, numbers);
  if (sums && sums->reads == channels_of(graph, node.inputs[0]) &&
      !std::holds_alternative<nnom::DepthwiseConv2D>(node.op))
    return sums;
  return {};
}

/// What place i of the input adds to sum c, where it is the same everywhere; none where it is read.
std::optional<double> share(const Sums& sums, const Channels& in, size_t c, size_t i) {
  if (in[i].constant()) return sums.share(c, i, in[i].lo);
  for (size_t tap = 0; tap < sums.taps; ++tap)
    if (sums.weight(c, tap, i) != 0) return {};
  return 0;
}

/// Finds the channels that some output of the network depends on, in ways other than by a constant.
class Needs {
 public:
  Needs(const Graph& graph, const Numbers& numbers, size_t multiple)
      : graph_(graph), bounds_(channel_bounds(graph, numbers)) {
    for (size_t t = 0; t < graph.tensors.size(); ++t)
      needed.emplace_back(channels_of(graph, static_cast<int>(t)));
    for (const Node& node : graph.nodes) sums_.push_back(free_sums(graph, node, numbers));
    for (const int t : graph.inputs) need_all(t);
    for (const int t : graph.outputs) need_all(t);
    for (const Variable& v : graph.variables)
      for (const int t : {v.tensor, v.next})
        if (t >= 0) need_all(t);
    for (size_t i = 0; i < graph.nodes.size(); ++i)
      if (const Node& node = graph.nodes[i];
          !sums_[i] && !tie_channels(graph, node, [](size_t, size_t, size_t) {})) {
        for (const int t : node.inputs) need_all(t);
        need_all(node.output);
      }
    settle();
    // A tensor without any channel there can't be.
    for (int t = 0; t < static_cast<int>(needed.size()); ++t)
      if (std::ranges::count(needed[static_cast<size_t>(t)], true) == 0) need(t, 0), settle();
    fill(multiple);
  }

  /// What the channels of its input that node i goes without add to its sum c.
  double left_out(size_t i, size_t c) const {
    const auto in = static_cast<size_t>(graph_.nodes[i].inputs[0]);
    double sum = 0;
    for (size_t k = 0; k < needed[in].size(); ++k)
      if (!needed[in][k]) sum += share(*sums_[i], bounds_[in], c, k).value();
    return sum;
  }
  bool is_free(size_t i) const { return sums_[i].has_value(); }

  std::vector<std::vector<bool>> needed;  ///< by tensor and channel
  std::vector<std::vector<bool>> kept;    ///< those that stay, some of them idle

 private:
  /// Keeps idle channels too until there is a whole multiple, or all.
  void fill(size_t multiple) {
    kept = needed;
    for (std::vector<bool>& own : kept)
      while (static_cast<size_t>(std::ranges::count(own, true)) % multiple) {
        const auto idle = std::ranges::find(own, false);
        if (idle == own.end()) break;
        *idle = true;
        keep_tied();
      }
  }
  void keep_tied() {
    for (bool changed = true; changed;) {
      changed = false;
      for (size_t i = 0; i < graph_.nodes.size(); ++i)
        if (const Node& node = graph_.nodes[i]; !sums_[i])
          tie_channels(graph_, node, [&](size_t input, size_t channel, size_t output) {
            auto in = kept[static_cast<size_t>(node.inputs[input])][channel];
            auto out = kept[static_cast<size_t>(node.output)][output];
            changed |= in != out;
            in = out = in || out;
          });
    }
  }
  void need(int tensor, size_t channel) {
    std::vector<bool>& own = needed[static_cast<size_t>(tensor)];
    changed_ |= !own[channel];
    own[channel] = true;
  }
  void need_all(int tensor) {
    for (size_t c = 0; c < channels_of(graph_, tensor); ++c) need(tensor, c);
  }
  bool is_needed(int tensor, size_t c) const { return needed[static_cast<size_t>(tensor)][c]; }

  void need_inputs(size_t i) {
    const Node& node = graph_.nodes[i];
    if (!sums_[i]) {
      tie_channels(graph_, node, [&](size_t input, size_t channel, size_t output) {
        const int in = node.inputs[input];
        if (is_needed(node.output, output)) need(in, channel);
        if (is_needed(in, channel)) need(node.output, output);
      });
      return;
    }
    const int in = node.inputs[0];
    for (size_t k = 0; k < sums_[i]->reads; ++k)
      for (size_t c = 0; c < sums_[i]->outputs && !is_needed(in, k); ++c)
        if (is_needed(node.output, c) && !share(*sums_[i], bounds_[static_cast<size_t>(in)], c, k))
          need(in, k);
  }
  void settle() {
    for (changed_ = true; changed_;) {
      changed_ = false;
      for (size_t i = graph_.nodes.size(); i-- > 0;) need_inputs(i);
    }
  }

  const Graph& graph_;
  std::vector<Channels> bounds_;
  std::vector<std::optional<Sums>> sums_;  // of each node
  bool changed_ = false;
};

/// The elements of a list of `kept` ones, one for each, or of the last of several axes.
template <class T>
void keep(std::vector<T>& list, const std::vector<bool>& kept) {
  std::vector<T> left;
  for (size_t i = 0; i < list.size(); ++i)
    if (kept[i % kept.size()]) left.push_back(list[i]);
  list = std::move(left);
}

/// Adds to the biases of a node what the channels it goes without added to its sums.
void fold(Node& node, const Needs& needs, size_t index, const NodeScales& scales) {
  const size_t channels = info(node.op).channels(node.op);
  for (size_t c = 0; c < channels; ++c) {
    const bool kept = needs.needed[static_cast<size_t>(node.output)][c];
    const double sum = kept ? needs.left_out(index, c) : 0;
    if (sum == 0) continue;
    double unit = 1;
    if (node.stored) {
      const std::vector<float>& scale = node.stored->scale;
      node.stored->bias.resize(channels);
      node.stored->bias[c] += static_cast<int64_t>(sum);
      unit = scales.in[0].scale * static_cast<double>(scale[scale.size() > 1 ? c : 0]);
    }
    node.bias.resize(channels);
    node.bias[c] = static_cast<float>(static_cast<double>(node.bias[c]) + sum * unit);
  }
}

/// Has the idle channels of a node's output be made of nothing, and those of its input be of none.
void clear_idle(Node& node, const std::vector<bool>& in, const std::vector<bool>& out, bool mixes) {
  const size_t row = mixes ? node.weights.size() / out.size() : 1;
  for (size_t i = 0; i < node.weights.size(); ++i)
    if (!out[i / row % out.size()] || !in[i % in.size()]) node.weights[i] = 0;
  const auto used = static_cast<size_t>(std::ranges::find(out, true) - out.begin());
  for (size_t c = 0; c < out.size(); ++c) {
    if (out[c]) continue;
    if (!node.bias.empty()) node.bias[c] = 0;
    if (!node.stored) continue;
    if (!node.stored->bias.empty()) node.stored->bias[c] = 0;
    if (std::vector<float>& scale = node.stored->scale; scale.size() > 1) scale[c] = scale[used];
  }
}

/// Takes channels off a node whose constants are its own weights.
class Shrink {
 public:
  Shrink(Node& node, const std::vector<bool>& in, const std::vector<bool>& out)
      : node_(node), in_(in), out_(out) {}

  void operator()(nnom::Conv2D& op) const { rows(op.out.c); }
  void operator()(nnom::Dense& op) const { rows(op.out); }
  void operator()(nnom::DepthwiseConv2D&) const {
    keep(node_.weights, out_);
    biases();
  }
  template <class Rule>
  void operator()(nnom::Elementwise<Rule>& op) const {
    if (op.constant < 0 || op.constant_shape.back() == 1) return;
    keep(node_.weights, out_);
    op.constant_shape.d[op.constant_shape.rank - 1] = left();
  }
  void operator()(nnom::Reshape& op) const { op.out.d[op.out.rank - 1] = left(); }
  void operator()(nnom::Slice& op) const { op.out.d[op.out.rank - 1] = left(); }
  void operator()(auto&) const {}

 private:
  int left() const { return static_cast<int>(std::ranges::count(out_, true)); }
  void biases() const {
    if (!node_.bias.empty()) keep(node_.bias, out_);
    if (!node_.stored) return;
    if (!node_.stored->bias.empty()) keep(node_.stored->bias, out_);
    if (node_.stored->scale.size() > 1) keep(node_.stored->scale, out_);
  }
  /// Weights are [channels of the output][taps][channels of the input].
  void rows(int& channels) const {
    const size_t row = node_.weights.size() / out_.size();
    std::vector<float> weights;
    for (size_t i = 0; i < node_.weights.size(); ++i)
      if (out_[i / row] && in_[i % in_.size()]) weights.push_back(node_.weights[i]);
    node_.weights = std::move(weights);
    biases();
    channels = left();
  }

  Node& node_;
  const std::vector<bool>&in_, &out_;
};

}  // namespace

std::vector<std::vector<bool>> drop_channels(Graph& graph, Rounding rounding, int multiple) {
  const Numbers numbers{graph.quantised(), rounding};
  const Needs needs(graph, numbers, static_cast<size_t>(multiple));
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = graph.nodes[i];
    const bool depthwise = std::holds_alternative<nnom::DepthwiseConv2D>(node.op);
    if (needs.is_free(i)) fold(node, needs, i, node_scales(graph, node));
    if (needs.is_free(i) || depthwise)
      clear_idle(node, needs.needed[static_cast<size_t>(node.inputs[0])],
                 needs.needed[static_cast<size_t>(node.output)], !depthwise);
  }
  for (size_t t = 0; t < graph.tensors.size(); ++t) {
    Shape& shape = graph.tensors[t].shape;
    if (shape.rank)
      shape.d[shape.rank - 1] = static_cast<int>(std::ranges::count(needs.kept[t], true));
  }
  for (Node& node : graph.nodes) {
    const auto& out = needs.kept[static_cast<size_t>(node.output)];
    const auto& in = node.inputs.empty() ? out : needs.kept[static_cast<size_t>(node.inputs[0])];
    const auto whole = [&](int t) {
      return std::ranges::count(needs.kept[static_cast<size_t>(t)], false) == 0;
    };
    if (whole(node.output) && std::ranges::all_of(node.inputs, whole)) continue;
    std::visit(Shrink(node, in, out), node.op);
    std::vector<Shape> shapes;
    for (const int t : node.inputs) shapes.push_back(graph.shape(t));
    const nnom::Inferred made =
        info(node.op).infer(node.op, shapes.data(), static_cast<int>(shapes.size()));
    if (made.error || made.out != graph.shape(node.output))
      throw Error("{}: layer '{}' ({}): its channels can't be left out", graph.file, node.name,
                  node.source);
  }
  return needs.kept;
}

void drop_many_channels(Graph& graph, const Numbers& numbers) {
  const int rows = with_numbers(numbers, []<class N>() {
    if constexpr (requires { N::Layout::rows; }) return N::Layout::rows;
    return 1;
  });
  const int multiple = graph.quantised() ? rows : 1;
  Graph lean = graph;
  drop_channels(lean, numbers.rounding, multiple);
  if (lean.macs() < graph.macs() - (multiple > 1 ? 0 : graph.macs() / 20)) graph = std::move(lean);
}

int64_t channels(const Graph& graph) {
  int64_t sum = 0;
  for (const Node& node : graph.nodes)
    if (info(node.op).linear) sum += graph.shape(node.output).back();
  return sum;
}

}  // namespace nnomc
