#include "compiler/graph.hpp"

#include <algorithm>
#include <cmath>

#include "compiler/error.hpp"
#include "compiler/op_table.hpp"

namespace nnomc {
namespace {

/// Largest number of elements a tensor may have: its size in bytes must fit an int.
constexpr int64_t kMaxElements = int64_t{1} << 28;

bool sensible(const Shape& s) {
  int64_t n = 1;
  for (int i = 0; i < s.rank; ++i) {
    if (s[i] < 1 || s[i] > kMaxElements) return false;
    n *= s[i];
    if (n > kMaxElements) return false;
  }
  return s.rank >= 0 && s.rank <= 6;
}

}  // namespace

Shape in_file_order(const Shape& shape, const std::vector<std::vector<int>>& orders, size_t index) {
  Shape file = shape;
  if (index < orders.size())
    for (size_t i = 0; i < orders[index].size(); ++i) file.d[i] = shape[orders[index][i]];
  return file;
}

std::string to_string(const Shape& shape) {
  std::string s;
  for (int i = 0; i < shape.rank; ++i) s += (i ? " x " : "") + std::to_string(shape[i]);
  return s.empty() ? "scalar" : s;
}

int Graph::add_input(std::string tensor_name, const Shape& shape) {
  if (!sensible(shape))
    throw Error("{}: input '{}' has the impossible shape {}", file, tensor_name, to_string(shape));
  tensors.push_back({std::move(tensor_name), shape});
  inputs.push_back(static_cast<int>(tensors.size()) - 1);
  return inputs.back();
}

int Graph::add_variable(std::string tensor_name, const Shape& shape, std::vector<float> initial) {
  const int tensor = add_input(std::move(tensor_name), shape);
  inputs.pop_back();
  variables.push_back({tensor, -1, std::move(initial)});
  return tensor;
}

int Graph::add(Node node) {
  const OpInfo& op = info(node.op);
  const auto fail = [&](const std::string& why) {
    throw Error("{}: layer '{}' ({}): {}", file, node.name, node.source, why);
  };
  std::vector<Shape> shapes;
  for (const int t : node.inputs) shapes.push_back(shape(t));
  const int count = static_cast<int>(shapes.size());
  if (count < op.min_inputs || count > op.max_inputs)
    fail(fmt::format("{} takes {} to {} inputs, not {}", op.name, op.min_inputs, op.max_inputs,
                     count));
  const nnom::Inferred out = op.infer(node.op, shapes.data(), count);
  if (out.error) {
    std::string given;
    for (const Shape& s : shapes) given += (given.empty() ? "" : ", ") + to_string(s);
    fail(fmt::format("{} (input: {})", out.error, given));
  }
  if (!sensible(out.out)) fail("its output is empty or too large: " + to_string(out.out));
  if (node.weights.size() != op.weights(node.op))
    fail(fmt::format("it has {} weights where its shape asks for {}", node.weights.size(),
                     op.weights(node.op)));
  if (!node.bias.empty() && node.bias.size() != op.channels(node.op))
    fail(fmt::format("it has {} biases where its shape asks for {}", node.bias.size(),
                     op.channels(node.op)));
  const auto finite = [](float v) { return std::isfinite(v); };
  if (!std::all_of(node.weights.begin(), node.weights.end(), finite) ||
      !std::all_of(node.bias.begin(), node.bias.end(), finite))
    fail("a weight is not a finite number: train it again, it diverged");
  node.output = static_cast<int>(tensors.size());
  tensors.push_back({node.name, out.out});
  nodes.push_back(std::move(node));
  return nodes.back().output;
}

int Graph::producer(int tensor) const {
  for (size_t i = 0; i < nodes.size(); ++i)
    if (nodes[i].output == tensor) return static_cast<int>(i);
  return -1;
}

std::vector<int> Graph::consumers(int tensor) const {
  std::vector<int> found;
  for (size_t i = 0; i < nodes.size(); ++i)
    if (std::count(nodes[i].inputs.begin(), nodes[i].inputs.end(), tensor))
      found.push_back(static_cast<int>(i));
  return found;
}

bool Graph::is_variable(int tensor) const {
  return std::any_of(variables.begin(), variables.end(),
                     [&](const Variable& v) { return v.tensor == tensor; });
}

bool Graph::is_output(int tensor) const {
  return std::count(outputs.begin(), outputs.end(), tensor) > 0 ||
         std::any_of(variables.begin(), variables.end(),
                     [&](const Variable& v) { return v.next == tensor; });
}

int Graph::last_reader(int tensor) const {
  int last = -1;
  for (const int i : consumers(tensor)) {
    const Node& node = nodes[static_cast<size_t>(i)];
    const bool alias = info(node.op).alias;
    last = std::max({last, i, alias ? last_reader(node.output) : -1});
  }
  return last;
}

bool Graph::quantised() const {
  return !tensors.empty() && tensors[static_cast<size_t>(inputs[0])].quantisation.has_value();
}

int64_t Graph::macs() const {
  int64_t sum = 0;
  for (const Node& n : nodes) sum += info(n.op).macs(n.op);
  return sum;
}

int64_t Graph::parameters() const {
  size_t sum = 0;
  for (const Node& n : nodes) sum += n.weights.size() + n.bias.size();
  return static_cast<int64_t>(sum);
}

}  // namespace nnomc
