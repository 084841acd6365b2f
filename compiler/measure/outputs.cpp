#include <algorithm>

#include "compiler/cmsis_nn.hpp"
#include "compiler/measure/measure.hpp"

namespace nnomc {

std::size_t output_bytes(const Program& program, std::size_t output) {
  return static_cast<std::size_t>(
      tensor_bytes(program.graph, program.graph.outputs[output], program.numbers));
}

std::size_t output_bytes(const Program& program) {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < program.graph.outputs.size(); ++i) sum += output_bytes(program, i);
  return sum;
}

namespace {

/// Calls use(bytes) with output `output` of every sample.
void each_output(const Program& program, const Measured& measured, std::size_t output, auto use) {
  std::size_t offset = 0;
  for (std::size_t i = 0; i < output; ++i) offset += output_bytes(program, i);
  const std::size_t bytes = output_bytes(program, output), stride = output_bytes(program);
  for (std::size_t at = offset; at < measured.outputs.size(); at += stride)
    use(std::span(measured.outputs).subspan(at, bytes));
}

}  // namespace

std::vector<float> output_values(const Program& program, const Measured& measured,
                                 std::size_t output) {
  std::vector<float> values;
  each_output(program, measured, output, [&](std::span<const std::byte> bytes) {
    const auto* from = reinterpret_cast<const unsigned char*>(bytes.data());
    const std::vector<float> sample =
        load(program, program.graph.outputs[output], {from, bytes.size()});
    values.insert(values.end(), sample.begin(), sample.end());
  });
  return values;
}

std::vector<std::byte> output_stored(const Program& program, const Measured& measured,
                                     std::size_t output) {
  std::vector<std::byte> stored;
  each_output(program, measured, output, [&](std::span<const std::byte> bytes) {
    stored.insert(stored.end(), bytes.begin(), bytes.end());
  });
  return stored;
}

std::vector<int> live_bytes(const Program& program) {
  const Graph& g = program.graph;
  const int nodes = static_cast<int>(g.nodes.size());
  std::vector<std::vector<std::pair<int, int>>> used(g.nodes.size());  // [begin, end) in the arena
  const Plan& plan = program.plan;
  const int in_turns = static_cast<int>(plan.in_turns);  // all at one time
  const auto use = [&](int first, int last, int begin, int bytes) {
    if (first < in_turns) first = 0, last = std::max(last, in_turns - 1);
    for (int i = std::max(first, 0); i <= last && i < nodes; ++i)
      used[static_cast<std::size_t>(i)].emplace_back(begin, begin + bytes);
  };
  for (int t = 0; t < static_cast<int>(g.tensors.size()); ++t) {
    const int first = g.producer(t);
    int last = g.is_output(t) ? nodes : first;
    for (const Variable& v : g.variables)
      if (v.tensor == t) last = nodes;
    for (const int c : g.consumers(t)) last = std::max(last, c);
    const auto i = static_cast<std::size_t>(t);
    const int ring = plan.ring.empty() ? 0 : plan.ring[i],
              bytes = tensor_bytes(g, t, program.numbers);
    use(first, last, plan.tensor[i], ring ? bytes / g.shape(t)[0] * ring : bytes);
  }
  for (int i = 0; i < nodes; ++i) {
    const auto n = static_cast<std::size_t>(i);
    const nnom::Memory memory = memory_of(g.nodes[n], program.node_numbers[n]);
    use(i, i, plan.nodes[n].scratch, memory.scratch);
    use(0, nodes, plan.nodes[n].state, memory.state);
  }
  std::vector<int> live;
  for (auto& pieces : used) {
    std::sort(pieces.begin(), pieces.end());
    int sum = 0, end = 0;
    for (const auto& [from, to] : pieces) {
      sum += std::max(0, to - std::max(from, end));
      end = std::max(end, to);
    }
    live.push_back(sum);
  }
  return live;
}

}  // namespace nnomc
