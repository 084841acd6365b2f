#include "compiler/measure/memory.hpp"

#include <algorithm>

#include "compiler/cmsis_nn.hpp"
#include "compiler/measure/measure.hpp"

namespace nnomc {
namespace {

/// Adds `piece`, or lengthens the one whose memory it goes on using.
void add(std::vector<Piece>& pieces, const Piece& piece) {
  if (piece.bytes == 0) return;
  for (Piece& p : pieces) {
    const bool same = p.kind == piece.kind && p.begin == piece.begin;
    if (!same || piece.first > p.last || p.first > piece.last) continue;
    const bool within = piece.first >= p.first && piece.last <= p.last && piece.bytes <= p.bytes;
    const bool shared = piece.first == p.first && piece.last == p.last;
    if (within || shared) {
      p.bytes = std::max(p.bytes, piece.bytes);
      return;
    }
  }
  pieces.push_back(piece);
}

}  // namespace

std::vector<Piece> pieces_of(const Program& program) {
  const Graph& g = program.graph;
  const Plan& plan = program.plan;
  const int nodes = static_cast<int>(g.nodes.size());
  const int in_turns = static_cast<int>(plan.in_turns);
  // The tensor whose memory each tensor is.
  std::vector<int> memory(g.tensors.size());
  for (int t = 0; t < static_cast<int>(g.tensors.size()); ++t)
    memory[static_cast<std::size_t>(t)] = t;
  for (const Node& node : g.nodes)
    if (info(node.op).alias)
      memory[static_cast<std::size_t>(node.output)] =
          memory[static_cast<std::size_t>(node.inputs[0])];
  std::vector<Piece> tensors;
  for (int t = 0; t < static_cast<int>(g.tensors.size()); ++t) {
    const auto i = static_cast<std::size_t>(t);
    const int first = std::max(g.producer(t), 0), ring = plan.ring.empty() ? 0 : plan.ring[i],
              bytes = tensor_bytes(g, t, program.numbers);
    int last = g.is_output(t) ? nodes : first;
    for (const Variable& v : g.variables)
      if (v.tensor == t) last = nodes;
    for (const int c : g.consumers(t)) last = std::max(last, c);
    tensors.push_back({Piece::Kind::tensor, t, plan.tensor[i],
                       ring ? bytes / g.shape(t)[0] * ring : bytes, first, last});
  }
  for (std::size_t t = 0; t < tensors.size(); ++t)
    if (const auto m = static_cast<std::size_t>(memory[t]); m != t)
      tensors[m].last = std::max(tensors[m].last, tensors[t].last);
  std::vector<Piece> pieces;
  const auto add_in_turns = [&](Piece piece) {
    if (piece.first < in_turns) piece.first = 0, piece.last = std::max(piece.last, in_turns - 1);
    add(pieces, piece);
  };
  for (std::size_t t = 0; t < tensors.size(); ++t)
    if (memory[t] == static_cast<int>(t)) add_in_turns(tensors[t]);
  for (int i = 0; i < nodes; ++i) {
    const auto n = static_cast<std::size_t>(i);
    const nnom::Memory memory_here = memory_of(g.nodes[n], program.node_numbers[n]);
    add_in_turns({Piece::Kind::scratch, i, plan.nodes[n].scratch, memory_here.scratch, i, i});
    add_in_turns({Piece::Kind::state, i, plan.nodes[n].state, memory_here.state, 0, nodes});
  }
  return pieces;
}

std::vector<int> live_bytes(const Program& program) {
  const std::vector<Piece> pieces = pieces_of(program);
  std::vector<int> live;
  for (int i = 0; i < static_cast<int>(program.graph.nodes.size()); ++i) {
    std::vector<std::pair<int, int>> used;  // [begin, end) in the arena
    for (const Piece& p : pieces)
      if (p.first <= i && i <= p.last) used.emplace_back(p.begin, p.begin + p.bytes);
    std::sort(used.begin(), used.end());
    int sum = 0, end = 0;
    for (const auto& [from, to] : used) {
      sum += std::max(0, to - std::max(from, end));
      end = std::max(end, to);
    }
    live.push_back(sum);
  }
  return live;
}

}  // namespace nnomc
