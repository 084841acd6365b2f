#include "compiler/import/onnx_scales.hpp"

#include <algorithm>
#include <cmath>

#include "compiler/error.hpp"
#include "compiler/op_table.hpp"
#include "compiler/quantise/fixed_point.hpp"
#include "compiler/quantise/scales.hpp"

namespace nnomc::onnx {
namespace {

using nnom::Activation, nnom::Function;

bool is_linear(const Node& node) {
  const auto* op = std::get_if<Activation>(&node.op);
  return op && op->function == Function::linear;
}

/// Whether it does nothing but limit its input: what it is given may be limited, too.
bool only_limits(const Node& node) {
  if (const auto* op = std::get_if<Activation>(&node.op))
    return op->function == Function::clip ||
           (op->function == Function::relu && op->slope == 0 && op->threshold == 0);
  const bool extreme = std::holds_alternative<nnom::Maximum>(node.op) ||
                       std::holds_alternative<nnom::Minimum>(node.op);
  return extreme && node.inputs.size() == 1;
}

/// Ops whose output is stored in one way only.
bool is_fixed(const Node& node) {
  const auto* softmax = std::get_if<nnom::Softmax>(&node.op);
  return (softmax && !softmax->log) || std::holds_alternative<nnom::Compare>(node.op);
}

bool contains(const Quantisation& a, const Quantisation& b) {
  const double slack = (a.scale + b.scale) / 2;
  return dequantise(-128, a) <= dequantise(-128, b) + slack &&
         dequantise(127, a) >= dequantise(127, b) - slack;
}

class Scales {
 public:
  explicit Scales(Graph& graph) : graph_(graph) {}

  std::string settle() {
    while (forward() || read() || backward() || natural()) {
    }
    for (Node& node : graph_.nodes) {
      if (std::string why = left(node); !why.empty()) return why;
      average_by_products(node);
      settle_biases(node);
      limit_reals(node);
    }
    return "";
  }

 private:
  std::optional<Quantisation>& scale(int tensor) {
    return graph_.tensors[static_cast<size_t>(tensor)].quantisation;
  }
  Node& node_at(int index) { return graph_.nodes[static_cast<size_t>(index)]; }
  /// A QuantizeLinear: it gives its output a scale.
  bool quantises(const Node& node) { return is_linear(node) && scale(node.output); }
  static bool keeps_scale(const Node& node) { return info(node.op).same_scale || is_linear(node); }

  bool give(int tensor, std::optional<Quantisation> q) {
    if (!q || scale(tensor)) return false;
    scale(tensor) = q;
    return true;
  }

  bool forward() {
    bool any = false;
    for (const Node& node : graph_.nodes) {
      if (keeps_scale(node)) any |= give(node.output, scale(node.inputs[0]));
      if (is_fixed(node)) any |= give(node.output, fixed_output(node));
    }
    return any;
  }

  /// A tensor that only QuantizeLinear reads has the widest of their scales.
  bool read() {
    bool any = false;
    for (size_t t = 0; t < graph_.tensors.size(); ++t) {
      const int tensor = static_cast<int>(t);
      const std::vector<int> readers = graph_.consumers(tensor);
      if (scale(tensor) || readers.empty() || graph_.is_output(tensor)) continue;
      std::optional<Quantisation> widest = scale(node_at(readers[0]).output);
      bool all = true;
      for (const int r : readers) {
        all = all && quantises(node_at(r));
        if (all && contains(*scale(node_at(r).output), *widest)) widest = scale(node_at(r).output);
      }
      for (const int r : readers) all = all && contains(*widest, *scale(node_at(r).output));
      if (all) any |= give(tensor, widest);
    }
    return any;
  }

  /// What only ops read that move or limit it has their scale, if it is one.
  bool backward() {
    bool any = false;
    for (const Node& node : graph_.nodes) {
      if (node.inputs.empty()) continue;
      const int in = node.inputs[0];
      if (scale(in) || !scale(node.output) || graph_.is_output(in)) continue;
      const std::vector<int> readers = graph_.consumers(in);
      const bool alike = std::all_of(readers.begin(), readers.end(), [&](int r) {
        const Node& reader = node_at(r);
        return (keeps_scale(reader) || only_limits(reader)) &&
               scale(reader.output) == scale(node.output);
      });
      if (alike) any |= give(in, scale(node.output));
    }
    return any;
  }

  /// One at a time: what follows from it comes first.
  bool natural() {
    for (const Node& node : graph_.nodes)
      if (std::holds_alternative<nnom::Constant>(node.op)) {
        const auto [lo, hi] = std::minmax_element(node.weights.begin(), node.weights.end());
        if (give(node.output, quantisation_of({*lo, *hi}))) return true;
      } else if (std::all_of(node.inputs.begin(), node.inputs.end(),
                             [&](int t) { return scale(t).has_value(); }) &&
                 give(node.output, fixed_output(node)))
        return true;
    return false;
  }

  /// Why the node can't be computed in int8.
  std::string left(const Node& node) {
    const auto say = [&](const char* why) {
      return fmt::format("node '{}' ({}): {}", node.name, node.source, why);
    };
    if (info(node.op).real_only) return say("it has no int8 arithmetic");
    for (const int t : node.inputs)
      if (!scale(t)) return say("one of its inputs is not quantised");
    return scale(node.output) ? "" : say("its output is not quantised");
  }

  /// An average whose scale is not its input's becomes a sum of products, to be rounded only once.
  void average_by_products(Node& node) {
    const auto* pool = std::get_if<nnom::AveragePool2D>(&node.op);
    const std::vector<int> readers = graph_.consumers(node.output);
    if (!pool || pool->pad.any() || readers.empty() || graph_.is_output(node.output)) return;
    const auto wanted = scale(node_at(readers[0]).output);
    for (const int r : readers)
      if (!quantises(node_at(r)) || scale(node_at(r).output) != wanted) return;
    if (wanted == scale(node.inputs[0])) return;
    nnom::DepthwiseConv2D op;
    op.in = pool->in, op.out = pool->out;
    op.kernel = pool->kernel, op.stride = pool->stride, op.dilation = pool->dilation;
    const float share = 1 / static_cast<float>(op.kernel.size());
    node.weights.assign(static_cast<size_t>(op.kernel.size()) * static_cast<size_t>(op.out.c),
                        share);
    node.stored = StoredWeights{{share}, {}};
    node.op = op;
    scale(node.output) = wanted;
  }

  /// Biases in units of the input's scale times the weights': as the file has them, or rounded.
  void settle_biases(Node& node) {
    if (!info(node.op).linear || !node.stored) return;
    StoredWeights& stored = *node.stored;
    if (!are_int8(node, stored.scale)) return node.stored.reset();
    if (node.bias.empty()) return;
    std::vector<int64_t> rounded;
    bool same = !stored.bias.empty();
    for (size_t c = 0; c < node.bias.size(); ++c) {
      const double unit = scale(node.inputs[0])->scale *
                          static_cast<double>(stored.scale[stored.scale.size() == 1 ? 0 : c]);
      const auto bias = static_cast<double>(node.bias[c]);
      if (!(std::abs(bias / unit) < 2147483000)) return node.stored.reset();
      rounded.push_back(std::llround(bias / unit));
      same = same && std::abs(static_cast<double>(stored.bias[c]) * unit - bias) <=
                         1e-5 * std::abs(bias) + unit / 100;
    }
    if (!same) stored.bias = std::move(rounded);
  }

  /// A ReLU that was left to the zero point: bytes don't need it, the float reference does.
  void limit_reals(Node& node) {
    const Quantisation& q = *scale(node.output);
    if (info(node.op).clamps && q.zero == -128) node.range.lo = std::max(node.range.lo, 0.0f);
  }

  Graph& graph_;
};

}  // namespace

bool are_int8(const Node& node, const std::vector<float>& scale) {
  constexpr float kLeast = 1e-30f, kMost = 1e30f;  // beyond them products aren't exact
  const size_t channels = info(node.op).channels(node.op);
  if (scale.size() != 1 && scale.size() != channels) return false;
  for (size_t c = 0; c < channels; ++c) {
    const float unit = scale[scale.size() == 1 ? 0 : c];
    if (!(unit > kLeast && unit < kMost)) return false;
    const ChannelWeights own = channel_weights(node, c);
    for (size_t k = 0; k < own.count; ++k) {
      const float stored = node.weights[own[k]] / unit;
      if (!(std::abs(stored - std::nearbyint(stored)) < 1e-3f && stored > -128.5f &&
            stored < 127.5f))
        return false;
    }
  }
  return true;
}

std::string settle_scales(Graph& graph) {
  std::string missing = Scales(graph).settle();
  if (!missing.empty()) return missing;
  for (const Tensor& t : graph.tensors)
    if (!t.quantisation) return fmt::format("input '{}' is not quantised", t.name);
  graph.reference = Reference::onnx;
  return "";
}

void drop_scales(Graph& graph) {
  for (Node& node : graph.nodes) {
    const auto& q = graph.tensors[static_cast<size_t>(node.output)].quantisation;
    if (q && q->zero == -128 && is_linear(node) && graph.producer(node.inputs[0]) >= 0)
      std::get<Activation>(node.op).function = Function::relu;
    node.stored.reset();
  }
  for (Tensor& t : graph.tensors) t.quantisation.reset();
}

}  // namespace nnomc::onnx
