// LSTM, GRU and RNN: a layer of the runtime for each direction.
#include <algorithm>
#include <cctype>

#include "compiler/import/onnx_ops.hpp"

namespace nnomc::onnx {
namespace {

/// Inputs of all three operators; RNN and GRU have those up to the first h.
enum : size_t { kX, kW, kR, kB, kLengths, kHidden, kCell, kPeepholes };

/// Where ONNX has the gates of a cell of the runtime.
template <class Cell>
constexpr size_t gate_place(size_t gate) {
  constexpr size_t lstm[] = {0, 2, 3, 1};  // i, f, g, o among i, o, f, g
  return std::is_same_v<Cell, nnom::LstmCell> ? lstm[gate] : gate;
}

/// A function of the attribute 'activations'; takes its parameters from the lists of all.
nnom::GateFunction function_of(const Call& call, std::string name, std::vector<float>& alpha,
                               std::vector<float>& beta) {
  using nnom::Function;
  const std::string given = name;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto next = [](std::vector<float>& list, float otherwise) {
    if (list.empty()) return otherwise;
    const float v = list.front();
    list.erase(list.begin());
    return v;
  };
  if (name == "tanh") return {Function::tanh};
  if (name == "sigmoid") return {Function::sigmoid};
  if (name == "relu") return {Function::relu};
  if (name == "hardsigmoid") {
    const float slope = next(alpha, 0.2f);
    return {Function::hard_sigmoid, slope, next(beta, 0.5f)};
  }
  if (name == "affine" && next(alpha, 1) == 1 && next(beta, 0) == 0) return {Function::linear};
  call.fail("not supported: its activation '{}'", given);
}

template <class Cell>
class Importer {
  using Layer = nnom::RecurrentLayer<Cell>;

 public:
  explicit Importer(Call& call)
      : call_(call), x_(call.in(kX)), batch_first_(call.flag("layout", false)) {
    if (x_.rank() != 3) call.fail("its input has {} axes, not 3", x_.rank());
    if (call.constant(kR).dims.size() != 3) call.fail("its weights have not three axes");
    steps_ = x_[batch_first_ ? 1 : 0], batch_ = x_[batch_first_ ? 0 : 1], inputs_ = x_[2];
    directions_ = call.constant(kR).dims[0], units_ = call.constant(kR).dims[2];
    if (call.integer("hidden_size", units_) != units_)
      call.fail("its 'hidden_size' doesn't fit its weights");
    const std::string direction = call.text("direction", "forward");
    if (directions_ != (direction == "bidirectional" ? 2 : 1))
      call.fail("its weights have {} directions, it is {}", directions_, direction);
    backwards_ = direction == "reverse";
    if (call.find("clip", Attribute::Kind::real)) call.fail("not supported: its attribute 'clip'");
    if (call.flag("input_forget", false))
      call.fail("not supported: coupled gates ('input_forget')");
    if (call.has(kLengths))
      for (const double n : call.constant(kLengths).data)
        if (n != static_cast<double>(steps_))
          call.fail("not supported: sequences of different lengths ('sequence_lens')");
    check(kW, {directions_, rows(), inputs_});
    check(kR, {directions_, rows(), units_});
    if (call.has(kB)) check(kB, {directions_, 2 * rows()});
    const Dims state =
        batch_first_ ? Dims{batch_, directions_, units_} : Dims{directions_, batch_, units_};
    for (size_t i = kHidden; i < kHidden + Layer::states; ++i)
      if (call.has(i) && call.in(i).dims != state)
        call.fail("its first state is {}, it should be {}", show(call.in(i).dims), show(state));
    if (Layer::states > 1 && call.has(kPeepholes)) check(kPeepholes, {directions_, 3 * units_});
  }

  Values import() {
    read_functions();
    const int time = batch_first_ ? 1 : 0;
    source_ = call_.arrange(
        x_, batch_ == 1 ? std::vector<int>{time, 2} : std::vector<int>{time, 1 - time, 2});
    Values out(3);
    std::vector<int> rows, last, cells;
    for (int64_t d = 0; d < directions_; ++d) {
      if (wanted(0)) {
        rows.push_back(layer(d, true, Layer::kHidden));
        if (wanted(1)) last.push_back(last_row(rows.back(), d));
      } else if (wanted(1)) {
        last.push_back(layer(d, false, Layer::kHidden));
      }
      if (wanted(2)) cells.push_back(layer(d, false, Layer::kCell));
    }
    if (wanted(0))
      out[0] = batch_first_
                   ? call_.made(joined(rows), {batch_, steps_, directions_, units_}, {1, 0, 2, 3})
                   : call_.made(joined(rows), {steps_, directions_, batch_, units_}, {0, 2, 1, 3});
    if (wanted(1)) out[1] = state(joined(last));
    if (wanted(2)) out[2] = state(joined(cells));
    return out;
  }

 private:
  int64_t rows() const { return Layer::gates * units_; }

  void check(size_t input, const Dims& dims) const {
    if (call_.constant(input).dims != dims)
      call_.fail("its input '{}' is {}, it should be {}", call_.node().inputs[input],
                 show(call_.constant(input).dims), show(dims));
  }

  /// Whether anything reads output `i`.
  bool wanted(size_t i) const {
    if (i >= call_.node().outputs.size() || call_.node().outputs[i].empty()) return false;
    const std::string& name = call_.node().outputs[i];
    const OnnxFile& file = call_.session().file;
    return std::any_of(file.outputs.begin(), file.outputs.end(),
                       [&](const Port& p) { return p.name == name; }) ||
           std::any_of(file.nodes.begin(), file.nodes.end(), [&](const FileNode& n) {
             return std::count(n.inputs.begin(), n.inputs.end(), name) > 0;
           });
  }

  /// Those of each direction, in the order of the runtime's.
  void read_functions() {
    constexpr size_t count = Layer::gates == 4 ? 3 : Layer::gates == 3 ? 2 : 1;
    const auto list = [&](const char* name) {
      const Attribute* a = call_.find(name, Attribute::Kind::reals);
      return a ? a->reals : std::vector<float>{};
    };
    std::vector<float> alpha = list("activation_alpha"), beta = list("activation_beta");
    const Attribute* names = call_.find("activations", Attribute::Kind::texts);
    functions_.assign(static_cast<size_t>(directions_), Layer{});
    if (!names) return;
    if (names->texts.size() != count * functions_.size())
      call_.fail("it has {} 'activations' instead of {}", names->texts.size(),
                 count * functions_.size());
    size_t next = 0;
    for (Layer& layer : functions_)
      for (size_t i = 0; i < count; ++i)
        layer.functions[count == 1 ? 1 : i] = function_of(call_, names->texts[next++], alpha, beta);
  }

  /// What is given for direction `d` of a constant [directions][...].
  std::vector<double> part(size_t input, int64_t d) const {
    const Constant& c = call_.constant(input);
    const auto size = static_cast<std::ptrdiff_t>(c.data.size()) / directions_;
    return {c.data.begin() + d * size, c.data.begin() + (d + 1) * size};
  }
  /// Appends matrices (or biases) `from` of all gates, `each` numbers a gate.
  void append(std::vector<float>& to, const std::vector<double>& from, int64_t each,
              int64_t begin = 0) const {
    for (size_t g = 0; g < Layer::gates; ++g)
      for (int64_t i = 0; i < each; ++i)
        to.push_back(static_cast<float>(from[static_cast<size_t>(
            begin + static_cast<int64_t>(gate_place<Cell>(g)) * each + i)]));
  }

  /// Takes what state `k` of direction `d` begins as.
  void begin(size_t k, int64_t d, Layer& op, std::vector<int>& in,
             std::vector<float>& weights) const {
    if (!call_.has(kHidden + k)) return;
    const Value& value = call_.in(kHidden + k);
    const int direction = batch_first_ ? 1 : 0;
    if (!value.constant) {
      const Value one = directions_ == 1 ? value : gathered(call_, value, direction, {d});
      op.begin[k] = nnom::Begin::input;
      in.push_back(call_.arrange(
          one, batch_ == 1 ? std::vector<int>{2} : std::vector<int>{1 - direction, 2}));
      return;
    }
    std::vector<float> values;
    for (int64_t b = 0; b < batch_; ++b)
      for (int64_t u = 0; u < units_; ++u) {
        const int64_t row = batch_first_ ? b * directions_ + d : d * batch_ + b;
        values.push_back(
            static_cast<float>(value.constant->data[static_cast<size_t>(row * units_ + u)]));
      }
    if (std::all_of(values.begin(), values.end(), [](float v) { return v == 0; })) return;
    op.begin[k] = nnom::Begin::constant;
    weights.insert(weights.end(), values.begin(), values.end());
  }

  int layer(int64_t d, bool sequences, int shown) const {
    Layer op = functions_[static_cast<size_t>(d)];
    op.units = static_cast<int>(units_);
    op.backwards = d == 1 || backwards_;
    op.sequences = sequences, op.shown = shown;
    if constexpr (requires { op.cell.reset_after; })
      op.cell.reset_after = call_.flag("linear_before_reset", false);
    std::vector<float> weights, bias;
    append(weights, part(kW, d), units_ * inputs_);
    append(weights, part(kR, d), units_ * units_);
    if (call_.has(kB)) {
      append(bias, part(kB, d), units_);
      append(bias, part(kB, d), units_, rows());
    }
    std::vector<int> in{source_};
    for (size_t k = 0; k < Layer::states; ++k) begin(k, d, op, in, weights);
    if constexpr (requires { op.cell.peepholes; }) {
      op.cell.peepholes = call_.has(kPeepholes);
      if (op.cell.peepholes) {
        const std::vector<double> p = part(kPeepholes, d);
        for (const int64_t gate : {0, 2, 1})  // i, f, o among i, o, f
          for (int64_t u = 0; u < units_; ++u)
            weights.push_back(static_cast<float>(p[static_cast<size_t>(gate * units_ + u)]));
      }
    }
    return call_.add(op, std::move(in), d == 1 ? "/reverse" : "", std::move(weights),
                     std::move(bias));
  }

  /// The row of `tensor` that was made last.
  int last_row(int tensor, int64_t d) const {
    nnom::Slice op;
    op.out = call_.shape(tensor);
    op.begin[0] = d == 1 || backwards_ ? 0 : op.out.d[0] - 1;
    op.out.d[0] = 1;
    const Shape to = batch_ == 1 ? Shape{1, {static_cast<int>(units_)}}
                                 : Shape{2, {static_cast<int>(batch_), static_cast<int>(units_)}};
    return call_.reshape(call_.add(op, {tensor}, "/last"), to);
  }
  int joined(std::vector<int> directions) const {
    return directions.size() == 1 ? directions[0] : call_.add(nnom::Concat{}, directions, "/both");
  }
  Value state(int tensor) const {
    return batch_first_ ? call_.made(tensor, {batch_, directions_, units_}, {0, 1, 2})
                        : call_.made(tensor, {directions_, batch_, units_}, {1, 0, 2});
  }

  Call& call_;
  const Value& x_;
  bool batch_first_, backwards_ = false;
  int64_t steps_ = 0, batch_ = 0, inputs_ = 0, directions_ = 0, units_ = 0;
  int source_ = -1;               // the input, as the layers want it
  std::vector<Layer> functions_;  // of each direction
};

}  // namespace

template <class Cell>
Values recurrent(Call& call) {
  return Importer<Cell>(call).import();
}
template Values recurrent<nnom::RnnCell>(Call&);
template Values recurrent<nnom::GruCell>(Call&);
template Values recurrent<nnom::LstmCell>(Call&);

}  // namespace nnomc::onnx
