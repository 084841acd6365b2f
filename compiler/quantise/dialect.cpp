#include "compiler/quantise/dialect.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

#include "compiler/error.hpp"
#include "compiler/op_table.hpp"

namespace nnomc {
namespace {

struct Check {
  const Graph& graph;
  const Node& node;
  bool single;

  [[noreturn]] void fail(const char* why) const {
    throw Error("{}: layer '{}' ({}): {}", graph.file, node.name, node.source, why);
  }
  Quantisation scale(int tensor) const {
    return graph.tensors[static_cast<size_t>(tensor)].quantisation.value();
  }
  Quantisation out() const { return scale(node.output); }
  bool wide() const { return scale(node.inputs[0]).bits == 16; }
  /// Of the inputs, then of a constant operand.
  std::vector<float> factors() const {
    std::vector<float> list;
    for (const int t : node.inputs) list.push_back(static_cast<float>(scale(t).scale));
    if (node.stored) list.push_back(node.stored->scale[0]);
    return list;
  }

  /// Those of int16 are 0, but for a softmax of int8.
  void zero_points() const {
    if (info(node.op).same_scale) return;
    const auto is_wrong = [](const Quantisation& q) { return q.bits == 16 && q.zero != 0; };
    bool wrong = is_wrong(out()) && !std::holds_alternative<nnom::Softmax>(node.op);
    for (const int t : node.inputs) wrong |= is_wrong(scale(t));
    if (wrong) fail("its input or output is int16 with a zero point, which TFLite does not define");
    if (single && info(node.op).linear && node.stored && node.stored->zero != 0)
      fail(
          "its weights have a zero point: desktop TFLite then rounds it another way: use "
          "--rounding "
          "double");
  }
  /// What desktop TFLite computes of such scales overflows.
  void check_ratios() const {
    for (const float r : ratios())
      if (single && !wide() && !(r < 0x1p8f))
        fail(
            "its output's scale is so small that desktop TFLite does not define what it computes: "
            "use --rounding double, or quantise the model with other samples");
  }
  /// The factors from the operands of ADD and MUL to the output.
  std::vector<float> ratios() const {
    std::vector<float> list = factors();
    if (std::holds_alternative<nnom::Mul>(node.op))
      list = {std::accumulate(list.begin(), list.end(), 1.0f, std::multiplies())};
    for (float& r : list) r /= static_cast<float>(out().scale);
    return list;
  }
  bool below(float limit) const {
    const std::vector<float> list = ratios();
    return std::any_of(list.begin(), list.end(), [&](float r) { return r < limit; });
  }

  void operator()(const nnom::Add&) const { check_ratios(); }
  void operator()(const nnom::Mul&) const { check_ratios(); }
  void operator()(const nnom::Activation& op) const {
    const Quantisation in = scale(node.inputs[0]);
    if (!single && op.function == nnom::Function::relu && op.high == 6 && in != out())
      fail(
          "TFLite Micro ignores the scale of its output, which gives wrong results: use --rounding "
          "single, or let its input and output have one scale");
    if (wide() && in.scale >= 4 &&
        (op.function == nnom::Function::sigmoid || op.function == nnom::Function::tanh))
      fail("its input's scale is so large that TFLite does not define what it computes");
    if (op.function == nnom::Function::negative && (in != out() || in.zero != 0))
      fail(
          "TFLite negates stored numbers, whatever their scales and zero points, which gives wrong "
          "results");
    if (op.function == nnom::Function::hard_silu && in.scale / 128 / out().scale < 0x1p-16)
      fail("its output's scale is so large that TFLite does not define what it computes");
  }
  /// The limits within which TFLite's scaling of 64 bits is defined.
  void check_reduced() const {
    if (!wide()) return;
    for (const float w : node.stored ? node.stored->scale : factors())
      if (scale(node.inputs[0]).scale * static_cast<double>(w) / out().scale >= 128)
        fail("its output's scale is so small that TFLite does not define what it computes");
    for (const int64_t b : node.stored ? node.stored->bias : std::vector<int64_t>())
      if (b > int64_t{1} << 46 || b < -(int64_t{1} << 46))
        fail("its biases are so large that TFLite does not define what it computes");
  }
  void operator()(const nnom::MatMul&) const { check_reduced(); }
  void operator()(const nnom::Conv2D&) const { check_reduced(); }
  void operator()(const nnom::DepthwiseConv2D&) const { check_reduced(); }
  void operator()(const nnom::Dense&) const { check_reduced(); }
  void operator()(const nnom::Lstm&) const {
    if (single && wide()) fail("desktop TFLite has no LSTM of int16: use --rounding double");
  }
  void operator()(const nnom::Compare&) const {
    if (!single && wide())
      fail("TFLite Micro does not compare int16 rightly: use --rounding single");
  }
  void operator()(const nnom::TransposeConv2D& op) const {
    check_reduced();
    if (single && !wide() && (op.stride.h > op.kernel.h || op.stride.w > op.kernel.w))
      fail(
          "its strides are larger than its kernel: desktop TFLite then rounds it another way: use "
          "--rounding double");
  }
  void operator()(const nnom::Pad&) const {
    if (!single && node.source == "SPACE_TO_BATCH_ND" && out().zero != 0)
      fail(
          "TFLite Micro pads it with the number 0 and not with zero, which gives wrong results: "
          "use "
          "--rounding single");
  }
  void operator()(const auto&) const {}
};

}  // namespace

bool rounds_twice(const Graph& graph, const Node& node) {
  const Check check{graph, node, true};
  if (std::holds_alternative<nnom::Add>(node.op)) return check.below(0x1p-10f);
  if (std::holds_alternative<nnom::Mul>(node.op)) return check.below(0x1p-16f);
  return node.stored && node.stored->kernel == StoredWeights::Kernel::twice;
}

void check_dialect(const Graph& graph, Rounding rounding) {
  for (const Node& node : graph.nodes) {
    const Check check{graph, node, rounding == Rounding::single_rounding};
    check.zero_points();
    std::visit(check, node.op);
  }
}

}  // namespace nnomc
