#include "compiler/program.hpp"

#include <algorithm>
#include <cstring>

#include "compiler/cmsis_nn.hpp"
#include "compiler/error.hpp"
#include "compiler/node_numbers.hpp"
#include "compiler/plan/order.hpp"
#include "compiler/quantise/fixed_point.hpp"

namespace nnomc {

int64_t Program::weights_bytes() const {
  size_t sum = 0;
  for (const NodeData& d : data)
    for (const Blob& b : d.blobs) sum += b.bytes;
  return static_cast<int64_t>(sum);
}

bool Program::keeps_output(size_t node) const {
  const int tensor = graph.nodes[node].output;
  return node >= plan.in_turns || graph.is_output(tensor) ||
         graph.last_reader(tensor) >= static_cast<int>(plan.in_turns);
}

nnom::Quantisation board_quantisation(const Program& program, int tensor) {
  const Quantisation& q = program.scales[static_cast<size_t>(tensor)];
  using nnom::Halves;
  Halves halves = Halves::away_from_zero;
  if (program.graph.reference == Reference::onnx)
    halves = Halves::to_even;
  else if (program.numbers.single() && q.bits == 8)
    halves = Halves::to_even_of_product;
  return {static_cast<float>(q.scale), q.zero, halves};
}

namespace {

int stored_in(int bits, const nnom::Quantisation& q, float value) {
  return bits == 16 ? q.stored<int16_t>(value) : q.stored<int8_t>(value);
}

}  // namespace

int stored_value(const Program& program, int tensor, float value) {
  return stored_in(program.scales[static_cast<size_t>(tensor)].bits,
                   board_quantisation(program, tensor), value);
}

void store(const Program& program, int tensor, std::span<const float> values,
           std::span<unsigned char> to) {
  if (!program.numbers.quantised) {
    std::memcpy(to.data(), values.data(), to.size());
    return;
  }
  const int bits = program.scales[static_cast<size_t>(tensor)].bits;
  const nnom::Quantisation board = board_quantisation(program, tensor);
  const size_t element = static_cast<size_t>(bits) / 8;
  for (size_t i = 0; i < to.size() / element; ++i) {
    const auto stored = static_cast<int16_t>(stored_in(bits, board, values[i]));
    std::memcpy(to.data() + i * element, &stored, element);  // little-endian, as all boards
  }
}

std::vector<unsigned char> initial_bytes(const Program& program, const Variable& variable) {
  std::vector<unsigned char> bytes(
      static_cast<size_t>(tensor_bytes(program.graph, variable.tensor, program.numbers)));
  store(program, variable.tensor, variable.initial, bytes);
  return bytes;
}

std::vector<float> load(const Program& program, int tensor, std::span<const unsigned char> bytes) {
  const Shape& shape = program.graph.shape(tensor);
  std::vector<float> values(static_cast<size_t>(shape.size()));
  if (!program.numbers.quantised) {
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
  const Quantisation& q = program.scales[static_cast<size_t>(tensor)];
  for (size_t i = 0; i < values.size(); ++i) {
    int16_t stored = static_cast<int8_t>(bytes[i]);
    if (q.bits == 16) std::memcpy(&stored, bytes.data() + 2 * i, 2);
    values[i] = static_cast<float>(dequantise(stored, q));
  }
  return values;
}

namespace {

const Node* producer_of(const Graph& graph, int tensor) {
  const int p = graph.producer(tensor);
  return p < 0 ? nullptr : &graph.nodes[static_cast<size_t>(p)];
}

/// The tensor whose memory `tensor` only renames.
int root_of(const Graph& graph, int tensor) {
  const Node* node = producer_of(graph, tensor);
  return node && info(node->op).alias ? root_of(graph, node->inputs[0]) : tensor;
}

/// Whether the node that makes a variable's next content can write it where the variable lies.
bool in_place(const Graph& graph, const Variable& variable) {
  const auto shares = [&](const Variable& v) { return v.next == variable.next; };
  return graph.last_reader(variable.tensor) < graph.producer(variable.next) &&
         std::count_if(graph.variables.begin(), graph.variables.end(), shares) == 1;
}

/// A copy of what becomes the content of `variable`, at the end of the run.
void copy_next(Program& p, Variable& variable) {
  Node copy;
  copy.name = p.graph.tensors[static_cast<size_t>(variable.tensor)].name + "/next";
  copy.source = "variable";
  nnom::Slice all;
  all.out = p.graph.shape(variable.next);
  copy.op = all, copy.inputs = {variable.next};
  p.scales.push_back(p.scales[static_cast<size_t>(variable.next)]);
  const auto scale = p.graph.tensors[static_cast<size_t>(variable.next)].quantisation;
  variable.next = p.graph.add(std::move(copy));
  p.graph.tensors.back().quantisation = scale;
}

/// Has each variable's next content made when nothing reads the last any more. Those that move
/// from one variable to another are read before any is written.
void settle_variables(Program& p) {
  Graph& g = p.graph;
  for (Variable& v : g.variables) {
    if (v.next < 0) continue;
    v.next = root_of(g, v.next);
    if (g.is_variable(v.next)) copy_next(p, v);
  }
  for (Variable& v : g.variables)
    if (v.next >= 0 && !in_place(g, v)) copy_next(p, v);
}

/// Has the nodes run in an order that takes less memory, if there is one.
void reorder(Program& p) {
  const std::vector<size_t> order = better_order(p.graph, p.numbers);
  if (order.empty()) return;
  Graph other = in_order(p.graph, order);
  if (plan_memory(other, p.numbers).arena_bytes < plan_memory(p.graph, p.numbers).arena_bytes)
    p.graph = std::move(other);
}

void check_flash(const Program& p, int limit) {
  if (limit == 0 || p.weights_bytes() <= limit) return;
  const auto bytes = [](const NodeData& d) {
    size_t sum = 0;
    for (const Blob& b : d.blobs) sum += b.bytes;
    return sum;
  };
  const auto largest = std::ranges::max_element(p.data, {}, bytes);
  const Node& node = p.graph.nodes[static_cast<size_t>(largest - p.data.begin())];
  throw Error(
      "{}: its constants take {} bytes, and --flash-limit is {}: the largest are the {} of layer "
      "'{}' ({})",
      p.graph.file, p.weights_bytes(), limit, bytes(*largest), node.name, node.source);
}

}  // namespace

Program lower(Graph graph, std::vector<Quantisation> scales, const Lowering& lowering) {
  Program p;
  p.graph = std::move(graph);
  if (p.graph.quantised() && lowering.numbers.quantised &&
      lowering.numbers.scheme() == Scheme::power_of_two)
    throw Error(
        "{}: its file quantises it, with scales that are no powers of two: leave out --scheme "
        "power-of-two, or convert the model of real numbers",
        p.graph.file);
  p.scales = std::move(scales);
  for (size_t t = p.scales.size(); t < p.graph.tensors.size(); ++t)
    p.scales.push_back(p.graph.tensors[t].quantisation.value_or(Quantisation{}));
  settle_variables(p);
  p.numbers = lowering.numbers;
  p.per_channel = lowering.per_channel;
  for (Node& node : p.graph.nodes)
    node.kernels = kernels_for(node, numbers_of(p.graph, node, p.numbers), lowering.kernels);
  if (lowering.reorder) reorder(p);
  for (const Node& node : p.graph.nodes) {
    if (info(node.op).scales_itself && !p.graph.consumers(node.output).empty())
      throw Error(
          "{}: layer '{}' ({}) chooses its scale when it runs, so no layer can read what it gives: "
          "make it an output of the model, or use one whose scale is calibrated",
          p.graph.file, node.name, node.source);
    NodeScales s;
    for (const int t : node.inputs) s.in.push_back(p.scales[static_cast<size_t>(t)]);
    s.out = p.scales[static_cast<size_t>(node.output)];
    s.per_channel = lowering.per_channel;
    s.reference = p.graph.reference;
    s.scheme = p.numbers.scheme();
    p.node_numbers.push_back(numbers_of(p.graph, node, p.numbers));
    p.data.push_back(info(node.op).data(node, p.node_numbers.back(), s));
    keep_zero_apart(node, p.data.back());
  }
  check_flash(p, lowering.limits.flash);
  const bool limited = lowering.limits.ram || lowering.limits.input_by_rows;
  p.plan = limited ? plan_within(p.graph, p.numbers, lowering.limits)
                   : plan_memory(p.graph, p.numbers, lowering.separate);
  return p;
}

Program lower_float(Graph graph) { return lower(std::move(graph), {}, {}); }

}  // namespace nnomc
