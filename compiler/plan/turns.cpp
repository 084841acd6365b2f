#include "compiler/plan/turns.hpp"

#include <algorithm>
#include <climits>

#include "compiler/cmsis_nn.hpp"
#include "compiler/node_numbers.hpp"
#include "compiler/op_table.hpp"
#include "compiler/plan/plan.hpp"

namespace nnomc {
namespace {

/// Whether row y of the output is made from row y of every input.
bool row_by_row(const Op& op) {
  const int rows = info(op).turns(op);
  for (int y = 0; y < rows; ++y)
    if (info(op).reads(op, y) != std::pair(y, y + 1)) return false;
  return true;
}

class Rehearsal {
 public:
  Rehearsal(const Graph& graph, const Numbers& numbers, Turns& turns)
      : graph_(graph), numbers_(numbers), turns_(turns), flow_(graph), done_(graph.tensors.size()) {
    turns.ring.assign(graph.tensors.size(), 0);
    for (size_t t = 0; t < graph.tensors.size(); ++t) turns.place.push_back(static_cast<int>(t));
    whole_.assign(graph.tensors.size(), true);
    const auto stays = [&](int t) {
      return graph.is_output(t) || flow_.readers[at(t)].empty() ||
             flow_.readers[at(t)].back() >= static_cast<int>(turns.nodes);
    };
    for (size_t i = 0; i < turns.nodes; ++i)
      whole_[at(graph.nodes[i].output)] = stays(graph.nodes[i].output);
    if (turns.input_by_rows) whole_[at(graph.inputs[0])] = stays(graph.inputs[0]);
    for (size_t i = turns.nodes; i-- > 0;) make_in_place(graph.nodes[i]);
  }

  /// Goes through the passes as the board will.
  void run() {
    for (const int t : graph_.inputs) done_[at(t)] = rows(t);
    const int fed = graph_.inputs[0];
    if (turns_.input_by_rows) done_[at(fed)] = 0;
    for (bool more = true; more;) {
      more = false;
      if (done_[at(fed)] < rows(fed)) write(fed), more = true;
      for (size_t i = 0; i < turns_.nodes; ++i) {
        const Node& node = graph_.nodes[i];
        const int y = done_[at(node.output)];
        if (y == rows(node.output)) continue;
        const int need = info(node.op).reads(node.op, y).second;
        const auto there = [&](int t) { return done_[at(t)] >= need; };
        if (std::ranges::all_of(node.inputs, there)) write(node.output), more = true;
      }
    }
    for (size_t t = 0; t < whole_.size(); ++t) {
      int& ring = turns_.ring[t];
      const int place = turns_.place[t];
      ring =
          whole_[at(place)] || turns_.ring[at(place)] >= rows(place) ? 0 : turns_.ring[at(place)];
    }
  }

 private:
  static size_t at(int tensor) { return static_cast<size_t>(tensor); }
  int rows(int t) const { return graph_.shape(t)[0]; }
  int row_bytes(int t) const { return tensor_bytes(graph_, t, numbers_) / rows(t); }

  /// Has an input of `node` made where its output will be, if nobody else reads it.
  void make_in_place(const Node& node) {
    if (!row_by_row(node.op)) return;
    const nnom::Memory memory = memory_of(node, numbers_of(graph_, node, numbers_));
    for (size_t k = 0; k < node.inputs.size(); ++k) {
      const int t = node.inputs[k], lead = memory.lead[static_cast<int>(k)];
      const bool once = std::ranges::count(node.inputs, t) == 1 && flow_.readers[at(t)].size() == 1;
      if (!once || whole_[at(t)] || flow_.producer[at(t)] < 0 ||
          (memory.exact ? lead != 0 : lead > 0) || row_bytes(t) != row_bytes(node.output))
        continue;
      turns_.place[at(t)] = turns_.place[at(node.output)];
      return;
    }
  }

  /// The first row of `t` that one of the nodes still reads; INT_MAX: none.
  int oldest(int t) const {
    int row = INT_MAX;
    for (const int i : flow_.readers[at(t)]) {
      if (i >= static_cast<int>(turns_.nodes)) break;
      const Node& reader = graph_.nodes[static_cast<size_t>(i)];
      const int y = done_[at(reader.output)];
      if (y < rows(reader.output)) row = std::min(row, info(reader.op).reads(reader.op, y).first);
    }
    return row;
  }

  /// The next row of `t` is written, while what it is made from is still read.
  void write(int t) {
    keep_room(t);
    ++done_[at(t)];
  }
  void keep_room(int t) {
    const int row = done_[at(t)], place = turns_.place[at(t)];
    int first = row;
    for (size_t other = 0; other < whole_.size(); ++other)
      if (turns_.place[other] == place) first = std::min(first, oldest(static_cast<int>(other)));
    int& ring = turns_.ring[at(place)];
    ring = std::max(ring, row + 1 - first);
    if (!whole_[at(place)] || flow_.producer[at(place)] < 0) return;
    for (const int in : graph_.inputs) {
      if (!whole_[at(in)] || flow_.readers[at(in)].empty()) continue;
      const int gone = std::min(oldest(in), rows(in)) * row_bytes(in);
      const int lead = (row + 1) * row_bytes(t) - gone;
      const auto known = std::ranges::find_if(turns_.overlaps, [&](const TurnsOverlap& o) {
        return o.input == in && o.output == place;
      });
      if (known == turns_.overlaps.end())
        turns_.overlaps.push_back({in, place, lead});
      else
        known->lead = std::max(known->lead, lead);
    }
  }

  const Graph& graph_;
  const Numbers& numbers_;
  Turns& turns_;
  const Flow flow_;
  std::vector<int> done_;    // rows of each tensor
  std::vector<char> whole_;  // all rows stay
};

}  // namespace

size_t most_turns(const Graph& graph) {
  const Flow flow(graph);
  const auto fits = [&](int tensor, int rows) {
    const Shape& s = graph.shape(tensor);
    return s.rank > 1 && s[0] == rows && !graph.is_variable(tensor);
  };
  size_t nodes = 0;
  for (; nodes < graph.nodes.size(); ++nodes) {
    const Node& node = graph.nodes[nodes];
    const int rows = info(node.op).turns(node.op);
    if (rows < 2 || node.inputs.empty() || node.inputs.size() > 4 || !fits(node.output, rows) ||
        std::ranges::any_of(graph.variables,
                            [&](const Variable& v) { return v.next == node.output; }))
      break;
    // All rows of the inputs, as the op sees them.
    const int first = graph.shape(node.inputs[0])[0];
    if (info(node.op).reads(node.op, rows - 1).second > first ||
        !std::ranges::all_of(node.inputs, [&](int t) { return fits(t, first); }))
      break;
  }
  return nodes;
}

Turns take_turns(const Graph& graph, const Numbers& numbers, size_t nodes, bool input_by_rows) {
  Turns turns{.nodes = nodes, .input_by_rows = input_by_rows};
  if (nodes > 0) Rehearsal(graph, numbers, turns).run();
  return turns;
}

}  // namespace nnomc
