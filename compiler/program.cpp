#include "compiler/program.hpp"

#include <cstring>

#include "compiler/quantise/fixed_point.hpp"

namespace nnomc {

int64_t Program::weights_bytes() const {
  size_t sum = 0;
  for (const NodeData& d : data)
    for (const Blob& b : d.blobs) sum += b.bytes;
  return static_cast<int64_t>(sum);
}

void store(const Program& program, int tensor, std::span<const float> values,
           std::span<unsigned char> to) {
  if (!program.numbers.quantised) {
    std::memcpy(to.data(), values.data(), to.size());
    return;
  }
  const Quantisation& q = program.scales[static_cast<size_t>(tensor)];
  for (size_t i = 0; i < to.size(); ++i)
    to[i] = static_cast<unsigned char>(quantise_input(values[i], q));
}

std::vector<float> load(const Program& program, int tensor, std::span<const unsigned char> bytes) {
  std::vector<float> values(bytes.size() / static_cast<size_t>(program.numbers.element_bytes()));
  if (!program.numbers.quantised) {
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
  const Quantisation& q = program.scales[static_cast<size_t>(tensor)];
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(dequantise(static_cast<int8_t>(bytes[i]), q));
  return values;
}

Program lower(Graph graph, std::vector<Quantisation> scales, const Lowering& lowering) {
  Program p;
  p.graph = std::move(graph);
  p.scales = std::move(scales);
  p.scales.resize(p.graph.tensors.size());
  p.numbers = lowering.numbers;
  for (const Node& node : p.graph.nodes) {
    NodeScales s;
    for (const int t : node.inputs) s.in.push_back(p.scales[static_cast<size_t>(t)]);
    s.out = p.scales[static_cast<size_t>(node.output)];
    s.per_channel = lowering.per_channel;
    p.data.push_back(info(node.op).data(node, p.numbers, s));
  }
  p.plan = plan_memory(p.graph, p.numbers, lowering.separate);
  return p;
}

Program lower_float(Graph graph) { return lower(std::move(graph), {}, {}); }

}  // namespace nnomc
