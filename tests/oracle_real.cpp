#include <cmath>

#include "tests/oracle.hpp"
#include "tests/oracle_parts.hpp"

namespace nnomc::oracle {
namespace {

struct Real {
  const Graph& graph;
  const Node& node;
  const Tensors<double>& in;

  double limit(double v) const {
    return std::clamp(v, static_cast<double>(node.range.lo), static_cast<double>(node.range.hi));
  }
  std::vector<double> operator()(const nnom::MaxPool2D& op) const {
    return pooled<double>(op, in[0], largest<double>);
  }
  std::vector<double> operator()(const nnom::AveragePool2D& op) const {
    return pooled<double>(op, in[0], [](const std::vector<double>& v) {
      return sum_of(v) / static_cast<double>(v.size());
    });
  }
  std::vector<double> operator()(const nnom::Mean& op) const {
    std::vector<double> out(at(op.in.c));
    for (size_t i = 0; i < in[0].size(); ++i) out[i % out.size()] += in[0][i] / op.in.h / op.in.w;
    for (double& v : out) v = limit(v);
    return out;
  }
  std::vector<double> operator()(const nnom::Add&) const {
    std::vector<double> out;
    for (size_t i = 0; i < in[0].size(); ++i) out.push_back(limit(in[0][i] + in[1][i]));
    return out;
  }
  std::vector<double> operator()(const nnom::Activation& op) const {
    std::vector<double> out;
    for (const double x : in[0]) out.push_back(activation(op, x));
    return out;
  }
  std::vector<double> operator()(const nnom::Softmax&) const {
    return softmax(in[0], at(graph.shape(node.inputs[0]).back()));
  }
  std::vector<double> operator()(const auto& op) const {
    if (node.weights.empty()) return Moves<double>{graph, node, in, 0}(op);
    const std::vector<double> weights(node.weights.begin(), node.weights.end());
    std::vector<double> out = Products<double>{in[0], weights}(op);
    const auto channels = at(graph.shape(node.output).back());
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = limit(out[i] + (node.bias.empty() ? 0 : double{node.bias[i % channels]}));
    return out;
  }
};

}  // namespace

double activation(const nnom::Activation& op, double x) {
  using nnom::Function;
  const double slope = double{op.slope}, threshold = double{op.threshold}, high = double{op.high};
  const auto sigmoid = [](double v) { return 1 / (1 + std::exp(-v)); };
  const auto softplus = [](double v) { return std::log(1 + std::exp(v)); };
  const auto hard_sigmoid = [&](double v) {
    return std::min(1.0, std::max(0.0, slope * v + threshold));
  };
  const double pi = std::acos(-1.0);
  switch (op.function) {
    case Function::linear:
      return x;
    case Function::relu:
      if (x >= high) return high;
      return x >= threshold ? x : slope * (x - threshold);
    case Function::elu:
      return x > 0 ? x : slope * (std::exp(x) - 1);
    case Function::selu: {
      const double alpha = 1.6732632423543772848, scale = 1.0507009873554804934;
      return x > 0 ? scale * x : scale * alpha * (std::exp(x) - 1);
    }
    case Function::sigmoid:
      return sigmoid(x);
    case Function::hard_sigmoid:
      return hard_sigmoid(x);
    case Function::tanh:
      return std::tanh(x);
    case Function::softplus:
      return softplus(x);
    case Function::softsign:
      return x / (std::abs(x) + 1);
    case Function::exponential:
      return std::exp(x);
    case Function::silu:
      return x * sigmoid(x);
    case Function::hard_silu:
      return x * hard_sigmoid(x);
    case Function::gelu:
      return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
    case Function::gelu_tanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / pi) * (x + 0.044715 * std::pow(x, 3))));
    case Function::mish:
      return x * std::tanh(softplus(x));
    case Function::log:
      return std::log(x);
  }
  return 0;
}

std::vector<double> real_output(const Graph& graph, const Node& node,
                                const Tensors<double>& inputs) {
  return std::visit(Real{graph, node, inputs}, node.op);
}

}  // namespace nnomc::oracle
