// Recurrent layers, and what wraps them.
#include <algorithm>

#include "compiler/import/keras_layers.hpp"

namespace nnomc::keras {
namespace {

constexpr size_t kMaxCells = 64;  // of one layer
constexpr int kMaxUnits = 1 << 13;

/// A cell of a layer, and where the layer keeps its variables.
struct CellConfig {
  std::string class_name;  ///< "GRUCell"
  const Json* fields;
  std::string part;
};

/// The object in member `key` that describes a layer or a cell, or nullptr.
const Json* described(const Json& fields, std::string_view key) {
  const Json* object = find(fields, key);
  return object && find(*object, "config") && find(*object, "config")->is_object() ? object
                                                                                   : nullptr;
}

bool is_cell(std::string_view name) {
  return name == "SimpleRNNCell" || name == "GRUCell" || name == "LSTMCell";
}

/// The cells of the layer `class_name` with these fields, first to last; none if there is one that
/// isn't known. `inside` is the part of the layer that they are in, with a '/' behind it.
std::vector<CellConfig> cells_of(const std::string& class_name, const Json& fields,
                                 const std::string& inside) {
  if (class_name == "SimpleRNN" || class_name == "GRU" || class_name == "LSTM")
    return {{class_name + "Cell", &fields, inside + "cell"}};
  const Json* cell = class_name == "RNN" ? described(fields, "cell") : nullptr;
  if (!cell) return {};
  const std::string kind = text_or_empty(*cell, "class_name");
  const Json& own = *find(*cell, "config");
  if (is_cell(kind)) return {{kind, &own, inside + "cell"}};
  const Json* list = kind == "StackedRNNCells" ? find(own, "cells") : nullptr;
  if (!list || !list->is_array() || list->size() > kMaxCells) return {};
  std::vector<CellConfig> cells;
  std::vector<std::string> seen;
  for (const Json& one : *list) {
    const Json* config = one.is_object() ? find(one, "config") : nullptr;
    const std::string name = text_or_empty(one, "class_name");
    if (!config || !config->is_object() || !is_cell(name)) return {};
    const std::string group = name == "GRUCell"    ? "gru_cell"
                              : name == "LSTMCell" ? "lstm_cell"
                                                   : "simple_rnn_cell";
    const auto before = std::count(seen.begin(), seen.end(), group);
    seen.push_back(group);
    cells.push_back({name, config,
                     fmt::format("{}cell/cells/{}{}", inside, group,
                                 before ? fmt::format("_{}", before) : "")});
  }
  return cells;
}

std::vector<Variable> variables_of(const std::vector<CellConfig>& cells) {
  std::vector<Variable> made;
  for (const CellConfig& cell : cells) {
    made.push_back({"kernel", true, cell.part});
    made.push_back({"recurrent_kernel", true, cell.part});
    const Json* bias = find(*cell.fields, "use_bias");
    if (!bias || !bias->is_boolean() || bias->get<bool>())
      made.push_back({"bias", true, cell.part});
  }
  return made;
}

/// The layers that a Bidirectional one wraps: forward and backward.
struct Pair {
  std::string class_name[2];
  const Json* fields[2];
};
std::optional<Pair> pair_of(const Config& config) {
  const Json* layer = config.find("layer");
  const Json* backward = config.find("backward_layer");
  if (!backward) backward = layer;
  Pair pair;
  for (const int i : {0, 1}) {
    const Json* one = i ? backward : layer;
    if (!one || !find(*one, "config") || !find(*one, "config")->is_object()) return {};
    pair.class_name[i] = text_or_empty(*one, "class_name");
    pair.fields[i] = find(*one, "config");
    if (cells_of(pair.class_name[i], *pair.fields[i], "").empty()) return {};
  }
  return pair;
}

/// Rows of `from`, which has one for each column.
void append_columns(std::vector<float>& to, std::span<const float> from, int columns) {
  const auto n = static_cast<size_t>(columns);
  for (size_t c = 0; c < n; ++c)
    for (size_t i = c; i < from.size(); i += n) to.push_back(from[i]);
}

/// What a layer gives: rows in the order of its input's, or the last; then states.
struct Made {
  int output = -1;
  std::vector<int> states{};
};

/// Makes one recurrent layer.
class Maker {
 public:
  /// `reversed`: it is the other direction of a layer with the options `config`.
  Maker(LayerCall& call, const Config& config, bool reversed) : call_(call) {
    backwards_ = config.flag("go_backwards", false) != reversed;
    sequences_ = config.flag("return_sequences", false);
    stateful_ = config.flag("stateful", false);
    states_ = config.flag("return_state", false);
    if (config.flag("time_major", false))
      call.config.site().fail("not supported: time_major, put the batch first");
  }
  bool backwards() const { return backwards_; }
  bool sequences() const { return sequences_; }

  Made make(const std::vector<CellConfig>& cells, int tensor, std::vector<int> given,
            const std::string& name) {
    if (call_.shape(tensor).rank != 2)
      call_.config.site().fail("its input should be steps x features, but is {}",
                               to_string(call_.shape(tensor)));
    Made made{tensor, {}};
    for (size_t i = 0; i < cells.size(); ++i) {
      const bool rows = sequences_ || i + 1 < cells.size();
      const std::string suffix =
          name + (cells.size() > 1 ? fmt::format("/{}", i + 1) : std::string());
      if (cells[i].class_name == "SimpleRNNCell")
        made.output = one<nnom::RnnCell>(cells[i], made, rows, given, suffix);
      else if (cells[i].class_name == "GRUCell")
        made.output = one<nnom::GruCell>(cells[i], made, rows, given, suffix);
      else
        made.output = one<nnom::LstmCell>(cells[i], made, rows, given, suffix);
    }
    if (!given.empty()) call_.config.site().fail("it is given more states than it has");
    return made;
  }
  /// `rows` in the opposite order.
  int reversed(int rows, std::string_view suffix) {
    nnom::Slice op;
    op.out = call_.shape(rows);
    op.begin[0] = op.out[0] - 1, op.step[0] = op.out[0] > 1 ? -1 : 1;
    return call_.add(op, {rows}, suffix);
  }

 private:
  template <class Cell>
  int one(const CellConfig& cell, Made& made, bool rows, std::vector<int>& given,
          const std::string& suffix) {
    using Layer = nnom::RecurrentLayer<Cell>;
    const Config config(*cell.fields, call_.config.site());
    const bool keras2 = call_.keras2();
    Layer op;
    op.units = config.integer("units", 1, kMaxUnits);
    op.backwards = backwards_, op.sequences = rows, op.stateful = stateful_;
    op.functions[nnom::kCandidateFunction] = gate_function(config, keras2, "activation", "tanh");
    op.functions[nnom::kOutputFunction] = op.functions[nnom::kCandidateFunction];
    if (Layer::gates > 1)
      op.functions[nnom::kGateFunction] =
          gate_function(config, keras2, "recurrent_activation", "sigmoid");
    bool after = false;
    if constexpr (requires { op.cell.reset_after; })
      after = op.cell.reset_after = config.flag("reset_after", false);
    const int inputs = call_.shape(made.output).back(), wide = Layer::gates * op.units;
    std::vector<float> weights, bias;
    append_columns(weights, call_.weight("kernel", {inputs, wide}, cell.part), wide);
    append_columns(weights, call_.weight("recurrent_kernel", {op.units, wide}, cell.part), wide);
    if (config.flag("use_bias", true)) {
      const auto b = call_.weight(
          "bias", after ? std::vector<int>{2, wide} : std::vector<int>{wide}, cell.part);
      bias.assign(b.begin(), b.end());
      bias.resize(2 * static_cast<size_t>(wide));
    }
    std::vector<int> in{made.output};
    if (!given.empty() && given.size() < Layer::states)
      call_.config.site().fail("it is given fewer states than it has");
    for (int k = 0; k < Layer::states && !given.empty(); ++k) {
      op.begin[k] = nnom::Begin::input;
      in.push_back(given.front());
      given.erase(given.begin());
    }
    const int output = call_.add(op, in, suffix, weights, bias);
    if (!states_) return output;
    made.states.push_back(rows ? last(output, suffix) : output);
    if constexpr (Layer::states > 1) {
      op.sequences = false, op.shown = Layer::kCell;
      made.states.push_back(
          call_.add(op, std::move(in), suffix + "/cell", std::move(weights), std::move(bias)));
    }
    return output;
  }
  /// The row that was made last.
  int last(int rows, const std::string& suffix) {
    nnom::Slice op;
    op.out = call_.shape(rows);
    op.begin[0] = backwards_ ? 0 : op.out[0] - 1;
    op.out.d[0] = 1;
    const Shape to{1, {op.out.back()}};
    return call_.reshape(call_.add(op, {rows}, suffix + "/last"), to, suffix + "/state");
  }

  LayerCall& call_;
  bool backwards_ = false, sequences_ = false, stateful_ = false, states_ = false;
};

/// The states that a layer is called with, behind its input.
std::vector<int> states_given(const LayerCall& call) {
  for (const LayerCall::Operand& o : call.operands)
    if (o.keyword == "mask" && o.tensor >= 0)
      call.config.site().fail("not supported: a mask. Give it whole sequences");
  const std::vector<int> all = call.tensors();
  if (all.empty()) call.config.site().fail("it has no input");
  return {all.begin() + 1, all.end()};
}

int merged(LayerCall& call, const std::string& mode, const std::vector<int>& both) {
  if (mode == "concat") return call.add(nnom::Concat{}, both);
  if (mode == "mul") return call.add(nnom::Mul{}, both);
  if (mode != "sum" && mode != "ave")
    call.config.site().fail("its merge_mode is '{}', which is not supported", mode);
  const int sum = call.add(nnom::Add{}, both, mode == "sum" ? "" : "/sum");
  if (mode == "sum") return sum;
  const auto channels = static_cast<size_t>(call.shape(sum).back());
  return call.scale(sum, std::vector<float>(channels, 0.5F), {});
}

}  // namespace

std::optional<std::string> why_recurrent_unsupported(const Config& config) {
  if (cells_of(config.site().class_name, config.fields(), "").empty())
    return ", with cells of its own";
  return {};
}

std::optional<std::string> why_bidirectional_unsupported(const Config& config) {
  if (!pair_of(config)) return ", around another layer than SimpleRNN, GRU, LSTM or RNN";
  return {};
}

std::vector<Variable> recurrent_variables(const Config& config) {
  return variables_of(cells_of(config.site().class_name, config.fields(), ""));
}

std::vector<Variable> bidirectional_variables(const Config& config) {
  std::vector<Variable> made;
  const auto pair = pair_of(config);
  for (const int i : {0, 1})
    if (pair)
      for (Variable& v : variables_of(cells_of(pair->class_name[i], *pair->fields[i],
                                               i ? "backward_layer/" : "forward_layer/")))
        made.push_back(std::move(v));
  return made;
}

std::vector<int> recurrent(LayerCall& call) {
  const std::vector<int> given = states_given(call);
  Maker maker(call, call.config, false);
  // Keras has the rows in the order in which they were made.
  const bool turned = maker.backwards() && maker.sequences();
  const Made made = maker.make(cells_of(call.config.site().class_name, call.config.fields(), ""),
                               call.tensors()[0], given, turned ? "/steps" : "");
  std::vector<int> out{turned ? maker.reversed(made.output, "") : made.output};
  out.insert(out.end(), made.states.begin(), made.states.end());
  return out;
}

std::vector<int> bidirectional(LayerCall& call) {
  const std::vector<int> given = states_given(call);
  const auto pair = pair_of(call.config);
  if (given.size() % 2) call.config.site().fail("it is given an odd number of states");
  const auto half = static_cast<std::ptrdiff_t>(given.size() / 2);
  std::vector<int> both, states;
  for (const int i : {0, 1}) {
    const Config config(*pair->fields[i], call.config.site());
    // Without a backward layer of its own in the file, it is the forward one turned round.
    const bool turned = i && !call.config.find("backward_layer");
    const std::string suffix = i ? "/backward" : "/forward";
    Maker maker(call, config, turned);
    const auto from = given.begin() + (i ? half : 0);
    const Made made = maker.make(
        cells_of(pair->class_name[i], *pair->fields[i], i ? "backward_layer/" : "forward_layer/"),
        call.tensors()[0], {from, from + half}, suffix);
    // The rows of the second are turned round once more.
    const bool reversed = maker.sequences() && maker.backwards() != (i == 1);
    both.push_back(reversed ? maker.reversed(made.output, suffix + "/reversed") : made.output);
    states.insert(states.end(), made.states.begin(), made.states.end());
  }
  // A merge_mode of None leaves both outputs as they are.
  std::vector<int> out = both;
  if (call.config.find("merge_mode") || !call.config.fields().contains("merge_mode"))
    out = {merged(call, call.config.text("merge_mode", "concat"), both)};
  out.insert(out.end(), states.begin(), states.end());
  return out;
}

}  // namespace nnomc::keras
