#include "compiler/plan/blocks.hpp"

#include <algorithm>

#include "compiler/cmsis_nn.hpp"
#include "compiler/node_numbers.hpp"
#include "compiler/op_table.hpp"
#include "compiler/plan/plan.hpp"
#include "compiler/plan/turns.hpp"

namespace nnomc {

Flow::Flow(const Graph& graph) : producer(graph.tensors.size(), -1), readers(graph.tensors.size()) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    producer[static_cast<size_t>(node.output)] = static_cast<int>(i);
    for (const int t : node.inputs) {
      std::vector<int>& r = readers[static_cast<size_t>(t)];
      if (r.empty() || r.back() != static_cast<int>(i)) r.push_back(static_cast<int>(i));
    }
  }
}

int saved_by(const Overlap& v, const std::vector<Block>& blocks) {
  const int in = blocks[v.before].bytes, out = blocks[v.after].bytes;
  // Together they take as much as from the lower beginning to the higher end.
  const int together = std::max({in, out, std::min(in + out, std::max(v.lead, 0) + in)});
  return in + out - together;
}

namespace {

/// Nodes in turns run at one time: what they need lives from the first to the last of them.
void live_in_turns(Blocks& b, const Graph& graph, const Numbers& numbers, const Turns& turns) {
  if (turns.nodes == 0) return;
  const int last = static_cast<int>(turns.nodes) - 1;
  const auto lengthen = [&](int tensor) {
    const auto t = static_cast<size_t>(tensor);
    Block& block = b.all[b.of_tensor[t]];
    block.first = 0, block.last = std::max(block.last, last);
    if (turns.ring[t])
      block.bytes = tensor_bytes(graph, tensor, numbers) / graph.shape(tensor)[0] * turns.ring[t];
  };
  for (int i = 0; i <= last; ++i) {
    const Node& node = graph.nodes[static_cast<size_t>(i)];
    lengthen(node.output);
    for (const int t : node.inputs) lengthen(t);
  }
  for (const TurnsOverlap& v : turns.overlaps) {
    const size_t in = b.of_tensor[static_cast<size_t>(v.input)],
                 out = b.of_tensor[static_cast<size_t>(v.output)];
    if (b.all[in].last == last && v.lead < b.all[out].bytes)
      for (const size_t block : {in, out}) b.all[block].overlaps.push_back({in, out, v.lead});
  }
}

}  // namespace

Blocks blocks_of(const Graph& graph, const Numbers& numbers, const Turns& turns, bool separate) {
  Blocks b;
  const Flow flow(graph);
  const int end = static_cast<int>(graph.nodes.size());
  b.of_tensor.assign(graph.tensors.size(), SIZE_MAX);
  std::vector<char> kept_past_run(graph.tensors.size());
  for (const int t : graph.outputs) kept_past_run[static_cast<size_t>(t)] = true;
  for (const Variable& v : graph.variables)
    if (v.next >= 0) kept_past_run[static_cast<size_t>(v.next)] = true;
  const auto place_tensor = [&](size_t t) {
    const int producer = flow.producer[t];
    const Node* node = producer < 0 ? nullptr : &graph.nodes[static_cast<size_t>(producer)];
    const int tensor = static_cast<int>(t);
    const auto kept = std::find_if(graph.variables.begin(), graph.variables.end(),
                                   [&](const Variable& v) { return v.next == tensor; });
    if (node && info(node->op).alias) {
      b.of_tensor[t] = b.of_tensor[static_cast<size_t>(node->inputs[0])];
    } else if (kept != graph.variables.end()) {  // placed before it: no node makes a variable
      b.of_tensor[t] = b.of_tensor[static_cast<size_t>(kept->tensor)];
    } else if (turns.nodes && turns.place[t] != tensor) {
      return;
    } else {
      b.of_tensor[t] = b.all.size();
      b.all.push_back(
          {tensor_bytes(graph, tensor, numbers), std::max(producer, 0), std::max(producer, 0)});
    }
    Block& block = b.all[b.of_tensor[t]];
    if (!flow.readers[t].empty()) block.last = std::max(block.last, flow.readers[t].back());
    if (kept_past_run[t]) block.last = end;
    if (graph.is_variable(tensor)) block.first = 0, block.last = end, block.kept = true;
  };
  // What no node makes first, then as the nodes run: an alias comes behind what it renames.
  for (size_t t = 0; t < graph.tensors.size(); ++t)
    if (flow.producer[t] < 0) place_tensor(t);
  for (const Node& node : graph.nodes) place_tensor(static_cast<size_t>(node.output));
  if (turns.nodes)
    for (size_t t = 0; t < graph.tensors.size(); ++t)
      b.of_tensor[t] = b.of_tensor[static_cast<size_t>(turns.place[t])];
  live_in_turns(b, graph, numbers, turns);

  int shared = -1;  // scratch of the nodes in turns
  for (int i = 0; i < end; ++i) {
    const Node& node = graph.nodes[static_cast<size_t>(i)];
    const nnom::Memory memory = memory_of(node, numbers_of(graph, node, numbers));
    const auto own = [&](int bytes, int first, int last) {
      if (bytes == 0) return -1;
      b.all.push_back({bytes, first, last});
      return static_cast<int>(b.all.size()) - 1;
    };
    const bool in_turns = i < static_cast<int>(turns.nodes);
    if (in_turns && memory.scratch) {
      if (shared < 0) shared = own(1, 0, static_cast<int>(turns.nodes) - 1);
      Block& block = b.all[static_cast<size_t>(shared)];
      block.bytes = std::max(block.bytes, memory.scratch);
    }
    b.of_scratch.push_back(!in_turns ? own(memory.scratch, i, i) : memory.scratch ? shared : -1);
    b.of_state.push_back(own(memory.state, 0, end));
    if (in_turns) continue;
    const size_t out = b.of_tensor[static_cast<size_t>(node.output)];
    if (b.all[out].kept) continue;
    for (size_t k = 0; k < node.inputs.size(); ++k) {
      const int lead = memory.lead[static_cast<int>(k)];
      const size_t in = b.of_tensor[static_cast<size_t>(node.inputs[k])];
      // Only an input that nobody reads later, and that is not read twice here, may be overwritten.
      const bool once = std::count_if(node.inputs.begin(), node.inputs.end(), [&](int t) {
                          return b.of_tensor[static_cast<size_t>(t)] == in;
                        }) == 1;
      if (lead < b.all[out].bytes && in != out && b.all[in].last == i && once)
        for (const size_t block : {in, out})
          b.all[block].overlaps.push_back({in, out, lead, memory.exact});
    }
  }
  if (separate)
    for (Block& block : b.all) block.first = 0, block.last = end, block.overlaps.clear();
  return b;
}

Peak peak_of(const std::vector<Block>& blocks, int nodes) {
  std::vector<int64_t> bytes(static_cast<size_t>(nodes) + 2);  // as differences, then sums
  for (const Block& b : blocks) {
    bytes[static_cast<size_t>(b.first)] += b.bytes;
    bytes[static_cast<size_t>(b.last) + 1] -= b.bytes;
  }
  std::vector<int64_t> saved(bytes.size());
  for (size_t k = 0; k < blocks.size(); ++k) {
    int64_t sum = 0;  // of the inputs that block k may lie over; no byte of it counts twice
    int last = blocks[k].first;
    for (const Overlap& v : blocks[k].overlaps)
      if (v.after == k) sum += saved_by(v, blocks), last = std::max(last, blocks[v.before].last);
    for (int i = blocks[k].first; i <= last && sum > 0; ++i)
      saved[static_cast<size_t>(i)] += std::min<int64_t>(sum, blocks[k].bytes);
  }
  Peak peak;
  int64_t live = 0;
  for (int i = 0; i < nodes; ++i) {
    live += bytes[static_cast<size_t>(i)];
    const int64_t now = live - saved[static_cast<size_t>(i)];
    if (now > peak.bytes) peak = {static_cast<int>(now), i};
  }
  return peak;
}

}  // namespace nnomc
