#include <cmath>

#include "compiler/op_table.hpp"
#include "tests/oracle.hpp"
#include "tests/oracle_parts.hpp"
#include "tests/oracle_recurrent.hpp"
#include "tests/oracle_recurrent_layer.hpp"

namespace nnomc::oracle {
namespace {

double value_of(const nnom::AddRule& rule, const std::vector<double>& x) {
  return rule.minus ? x[0] - x[1] : x[0] + x[1];
}
double value_of(const nnom::MulRule&, const std::vector<double>& x) { return x[0] * x[1]; }
double value_of(const nnom::DivRule&, const std::vector<double>& x) { return x[0] / x[1]; }
double value_of(const nnom::SquaredDifferenceRule&, const std::vector<double>& x) {
  return (x[0] - x[1]) * (x[0] - x[1]);
}
double value_of(const nnom::PowerRule&, const std::vector<double>& x) {
  return std::pow(x[0], x[1]);
}
double value_of(const nnom::ExtremeRule<true>&, const std::vector<double>& x) {
  return std::max(x[0], x[1]);
}
double value_of(const nnom::ExtremeRule<false>&, const std::vector<double>& x) {
  return std::min(x[0], x[1]);
}
double value_of(const nnom::SelectRule&, const std::vector<double>& x) {
  return x[0] != 0 ? x[1] : x[2];
}
double value_of(const nnom::PReluRule&, const std::vector<double>& x) {
  return x[0] >= 0 ? x[0] : x[0] * x[1];
}
double value_of(const nnom::CompareRule& rule, const std::vector<double>& x) {
  return compared(rule.relation, x[0], x[1]);
}

struct Real {
  const Graph& graph;
  const Node& node;
  const Tensors<double>& in;

  double limit(double v) const {
    return std::clamp(v, static_cast<double>(node.range.lo), static_cast<double>(node.range.hi));
  }
  std::vector<double> operator()(const nnom::Lstm& op) const { return lstm(op, node, in[0]); }
  template <class Cell>
  std::vector<double> operator()(const nnom::RecurrentLayer<Cell>& op) const {
    return recurrent_layer(op, node, in);
  }
  std::vector<double> operator()(const nnom::Svdf& op) const {
    std::vector<double> out = svdf(op, node, in[0]);
    for (double& v : out) v = limit(v);
    return out;
  }
  std::vector<double> operator()(const nnom::MaxPool2D& op) const {
    return pooled<double>(op, in[0], largest<double>);
  }
  std::vector<double> operator()(const nnom::SumPool2D& op) const {
    return pooled<double>(op, in[0],
                          [&](const std::vector<double>& v) { return limit(sum_of(v)); });
  }
  std::vector<double> operator()(const nnom::DynamicSumPool2D& op) const {
    std::vector<double> out = (*this)(op.pool);
    out.push_back(0);
    return out;
  }
  std::vector<double> operator()(const nnom::AveragePool2D& op) const {
    return pooled<double>(op, in[0], [](const std::vector<double>& v) {
      return sum_of(v) / static_cast<double>(v.size());
    });
  }
  template <class Rule>
  std::vector<double> operator()(const nnom::Reduce<Rule>& op) const {
    std::vector<double> out;
    for (const auto& values : groups(graph, node, op, in[0])) out.push_back(reduced(op, values));
    return out;
  }
  double reduced(const nnom::Sum&, const std::vector<double>& v) const { return limit(sum_of(v)); }
  double reduced(const nnom::Mean&, const std::vector<double>& v) const {
    return limit(sum_of(v) / static_cast<double>(v.size()));
  }
  double reduced(const nnom::ReduceMax&, const std::vector<double>& v) const { return largest(v); }
  double reduced(const nnom::ReduceMin&, const std::vector<double>& v) const {
    return *std::min_element(v.begin(), v.end());
  }
  double reduced(const nnom::Product&, const std::vector<double>& v) const {
    double product = 1;
    for (const double x : v) product *= x;
    return product;
  }
  template <class Rule>
  std::vector<double> operator()(const nnom::Elementwise<Rule>& op) const {
    const std::vector<double> constant(node.weights.begin(), node.weights.end());
    std::vector<double> out;
    for (const auto& x : operands(graph, node, op, in, constant))
      out.push_back(limit(value_of(op.rule, x)));
    return out;
  }
  std::vector<double> operator()(const nnom::MatMul& op) const {
    std::vector<double> out = matrix_product(graph, node, op, in[0], in[1]);
    for (double& v : out) v = limit(v);
    return out;
  }
  std::vector<double> operator()(const nnom::Activation& op) const {
    std::vector<double> out;
    for (const double x : in[0]) out.push_back(activation(op, x));
    return out;
  }
  std::vector<double> operator()(const nnom::Softmax& op) const {
    return softmax(op, in[0], at(graph.shape(node.inputs[0]).back()));
  }
  std::vector<double> operator()(const nnom::Resize& op) const {
    std::vector<double> out;
    for_outputs(op, [&](int oy, int ox, int c) {
      const Between y = between(op, oy, op.in.h, op.out.h, op.ratio[0]);
      const Between x = between(op, ox, op.in.w, op.out.w, op.ratio[1]);
      const auto at_row = [&](int row) {
        return in[0][place(op.in, row, x.from, c)] * (1 - x.fraction) +
               in[0][place(op.in, row, x.to, c)] * x.fraction;
      };
      out.push_back(at_row(y.from) * (1 - y.fraction) + at_row(y.to) * y.fraction);
    });
    return out;
  }
  std::vector<double> operator()(const nnom::Pad& op) const {
    return Moves<double>{graph, node, in, static_cast<double>(op.value)}(op);
  }
  std::vector<double> operator()(const nnom::ArgMax& op) const {
    const std::vector<int> found = places(graph, node, op, in[0]);
    return {found.begin(), found.end()};
  }
  std::vector<double> operator()(const nnom::Embedding& op) const {
    std::vector<double> out;
    for (const double v : in[0]) {
      const auto row = at(std::clamp(static_cast<int>(v), 0, op.rows - 1));
      for (size_t i = 0; i < at(op.width); ++i)
        out.push_back(double{node.weights[row * at(op.width) + i]});
    }
    return out;
  }
  std::vector<double> operator()(const nnom::Constant&) const {
    return {node.weights.begin(), node.weights.end()};
  }
  std::vector<double> operator()(const auto& op) const {
    if (!info(node.op).linear) return Moves<double>{graph, node, in, 0}(op);
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
      return x > threshold ? x : slope * (x - threshold);
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
    case Function::clip:
      return std::min(std::max(x, threshold), high);
    case Function::thresholded_relu:
      return x > threshold ? x : 0;
    case Function::celu:
      return std::max(0.0, x) + std::min(0.0, slope * (std::exp(x / slope) - 1));
    case Function::abs:
      return x < 0 ? -x : x;
    case Function::negative:
      return 0 - x;
    case Function::reciprocal:
      return 1 / x;
    case Function::square:
      return std::pow(x, 2);
    case Function::sqrt:
      return std::sqrt(x);
    case Function::rsqrt:
      return 1 / std::sqrt(x);
    case Function::power:
      return std::pow(x, slope);
    case Function::sign:
      return x > 0 ? 1 : x < 0 ? -1 : 0;
    case Function::round: {
      const double down = std::floor(x), rest = x - down;
      const bool odd = std::fmod(down, 2) != 0;
      return down + (rest > 0.5 || (rest == 0.5 && odd) ? 1 : 0);
    }
    case Function::floor:
      return std::floor(x);
    case Function::ceil:
      return -std::floor(-x);
    case Function::logical_not:
      return x == 0 ? 1 : 0;
    case Function::erf:
      return 1 - std::erfc(x);
    case Function::sin:
      return std::sin(x);
    case Function::cos:
      return std::cos(x);
    case Function::tan:
      return std::sin(x) / std::cos(x);
    case Function::asin:
      return std::asin(x);
    case Function::acos:
      return std::acos(x);
    case Function::atan:
      return std::atan2(x, 1);
    case Function::sinh:
      return (std::exp(x) - std::exp(-x)) / 2;
    case Function::cosh:
      return (std::exp(x) + std::exp(-x)) / 2;
    case Function::asinh:
      return std::asinh(x);
    case Function::acosh:
      return std::acosh(x);
    case Function::atanh:
      return std::atanh(x);
    case Function::log_sigmoid:
      return -softplus(-x);
    case Function::hard_shrink:
      return x > threshold || -x > threshold ? x : 0;
    case Function::soft_shrink:
      return std::max(x - threshold, 0.0) + std::min(x + threshold, 0.0);
    case Function::tanh_shrink:
      return x - std::tanh(x);
    case Function::squareplus:
      return x / 2 + std::sqrt(x * x / 4 + slope / 4);
    case Function::sparse_plus:
      return x < -1 ? 0 : x > 1 ? x : std::pow(x / 2 + 0.5, 2);
  }
  return 0;
}

std::vector<double> real_output(const Graph& graph, const Node& node,
                                const Tensors<double>& inputs) {
  return std::visit(Real{graph, node, inputs}, node.op);
}

}  // namespace nnomc::oracle
