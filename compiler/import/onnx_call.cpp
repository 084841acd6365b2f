#include "compiler/import/onnx_call.hpp"

#include <algorithm>
#include <cmath>

#include "compiler/import/onnx_scales.hpp"

namespace nnomc::onnx {

std::string show(const Dims& dims) { return fmt::format("[{}]", fmt::join(dims, ", ")); }

const Value& Call::in(size_t input) const {
  if (!has(input)) fail("its input {} is missing", input);
  return inputs[input];
}

const Constant& Call::constant(size_t input) const {
  const Value& value = in(input);
  if (!value.constant)
    fail("not supported yet: its input {}{} is computed by the model, it should be a constant",
         input, part_ ? "" : " ('" + node_.inputs[input] + "')");
  return *value.constant;
}

Values Call::as(Values (*function)(Call&), Values given) {
  Call part(session_, node_, std::move(given));
  part.part_ = true;
  Values made = function(part);
  read_.merge(part.read_);
  return made;
}

const Attribute* Call::find(std::string_view name, Attribute::Kind kind) const {
  for (const Attribute& a : node_.attributes) {
    if (a.name != name) continue;
    read_.insert(a.name);
    if (a.kind != kind) fail("its attribute '{}' is of another type", name);
    return &a;
  }
  return nullptr;
}

void Call::check_all_read() const {
  for (const Attribute& a : node_.attributes)
    if (!read_.contains(a.name) &&
        a.name != "consumed_inputs")  // a hint of the first operator sets
      fail("not supported: its attribute '{}'", a.name);
}

int64_t Call::integer(std::string_view name, int64_t otherwise) const {
  const Attribute* a = find(name, Attribute::Kind::integer);
  return a ? a->integer : otherwise;
}

float Call::real(std::string_view name, float otherwise) const {
  const Attribute* a = find(name, Attribute::Kind::real);
  if (a && !std::isfinite(a->real)) fail("its attribute '{}' is {}", name, a->real);
  return a ? a->real : otherwise;
}

std::string Call::text(std::string_view name, std::string otherwise) const {
  const Attribute* a = find(name, Attribute::Kind::text);
  return a ? a->text : std::move(otherwise);
}

std::optional<std::vector<int64_t>> Call::integers(std::string_view name) const {
  const Attribute* a = find(name, Attribute::Kind::integers);
  return a ? std::optional(a->integers) : std::nullopt;
}

std::optional<std::vector<int64_t>> Call::list(std::string_view name, size_t input) const {
  if (has(input)) return integers_of(constant(input));
  return integers(name);
}

std::optional<std::vector<int>> Call::axes(std::string_view name, size_t input, int rank) const {
  const auto values = list(name, input);
  if (!values) return {};
  if (values->size() > kMaxRank) fail("its '{}' are too many", name);
  std::vector<int> found;
  for (const int64_t v : *values) {
    found.push_back(axis(v, rank));
    if (std::count(found.begin(), found.end(), found.back()) > 1) fail("it names axis {} twice", v);
  }
  return found;
}

int Call::axis(int64_t value, int rank) const {
  if (value < -rank || value >= rank) fail("axis {} of a tensor of {} axes", value, rank);
  return static_cast<int>(value < 0 ? value + rank : value);
}

Shape Call::shape_of(const Dims& dims) const {
  Shape shape;
  int64_t size = 1;
  for (const int64_t n : dims) {
    if (shape.rank == 6) fail("not supported: a tensor with more than six axes, {}", show(dims));
    if (n < 1 || n > kMaxTensor || (size *= n) > kMaxTensor)
      fail("a tensor is empty or too large: {}", show(dims));
    shape.d[shape.rank++] = static_cast<int>(n);
  }
  return shape;
}

int Call::arrange(const Value& value, const std::vector<int>& order) {
  if (value.tensor < 0) return constant_tensor(value, order);
  Axis runs;
  Dims sizes;
  for (const int axis : order) {
    sizes.push_back(axis < 0 ? 1 : value[axis]);
    if (axis >= 0) append(runs, value.layout[static_cast<size_t>(axis)]);
  }
  const Shape to = shape_of(sizes);
  int tensor = value.tensor;
  if (to.size() != shape(tensor).size()) fail("not supported: a batch, {}", show(value.dims));
  if (runs.size() > 1) {
    std::vector<int64_t> key;
    for (const Run& run : runs) key.insert(key.end(), {run.count, run.step});
    int& moved = session_.moved.try_emplace({tensor, key}, -1).first->second;
    if (moved < 0) {
      const Axis from = memory_runs({runs});
      Dims counts;
      nnom::Transpose op;
      for (size_t i = 0; i < from.size(); ++i) counts.push_back(from[i].count);
      const int source = reshape(tensor, shape_of(counts), "/runs");
      for (size_t i = 0; i < runs.size(); ++i)
        op.order[i] = static_cast<int>(std::find(from.begin(), from.end(), runs[i]) - from.begin());
      moved = add(op, {source}, "/transpose");
    }
    tensor = moved;
  }
  return reshape(tensor, to);
}

int Call::constant_tensor(const Value& value, const std::vector<int>& order) {
  if (!value.constant) fail("one of its inputs is missing");
  std::vector<int> all;
  Dims sizes;
  for (const int axis : order) {
    sizes.push_back(axis < 0 ? 1 : value[axis]);
    if (axis >= 0) all.push_back(axis);
  }
  for (int i = 0; i < value.rank(); ++i)
    if (!std::count(order.begin(), order.end(), i)) all.push_back(i);
  const nnom::Constant op{shape_of(sizes)};
  const std::vector<float> values = reals_of(permuted(*value.constant, all).data);
  if (static_cast<size_t>(op.out.size()) != values.size())
    fail("not supported: a batch, {}", show(value.dims));
  return add(op, {}, "/constant", values);
}

Value Call::as_tensor(const Value& value) {
  if (value.tensor >= 0) return value;
  std::vector<int> order;
  for (int i = 0; i < value.rank(); ++i) order.push_back(i);
  return made(arrange(value, order), value.dims, order, value.type);
}

std::vector<int> Call::order_of(const Value& value, const std::vector<int>& needed) const {
  std::vector<int> order;
  const auto missing = [&](int axis) { return !std::count(order.begin(), order.end(), axis); };
  if (const auto memory = memory_order(value.layout)) {
    // As the graph's tensor has it, with its axes of size 1, if these are its axes.
    const Shape& declared = shape(value.tensor);
    size_t next = 0;
    for (int i = 0; i < declared.rank; ++i) {
      if (declared[i] == 1)
        order.push_back(-1);
      else if (next < memory->size() && value[(*memory)[next]] == declared[i])
        order.push_back((*memory)[next++]);
    }
    if (order.size() != static_cast<size_t>(declared.rank) || next != memory->size())
      order = *memory;
  } else {
    for (int i = 0; i < value.rank(); ++i)
      if (value[i] != 1) order.push_back(i);
  }
  for (const int axis : needed) {
    if (!missing(axis)) continue;
    const auto unused = std::find(order.rbegin(), order.rend(), -1);
    if (axis == 1 && value.rank() > 2) {  // channels
      if (!order.empty() && order.back() == -1) order.pop_back();
      order.push_back(axis);
    } else if (unused != order.rend()) {
      *unused = axis;
    } else {
      order.insert(std::find_if(order.begin(), order.end(), [&](int a) { return a > axis; }), axis);
    }
  }
  return order;
}

Value Call::made(int tensor, Dims dims, const std::vector<int>& order, Type type) const {
  Value value{type, std::move(dims), nullptr, tensor, {}};
  value.layout = layout_in(order, value.dims);
  return value;
}

Value Call::made(int tensor, const Value& like, Type type) const {
  return {type, like.dims, nullptr, tensor, like.layout};
}

Value Call::made(Constant constant) {
  count_folded(static_cast<int64_t>(constant.data.size()));
  Value value{constant.type, constant.dims, nullptr, -1, {}};
  value.constant = std::make_shared<const Constant>(std::move(constant));
  return value;
}

void Call::count_folded(int64_t elements) {
  session_.folded += elements;
  if (session_.folded > kMaxElements) fail("the model computes too many constants");
}

int Call::add(const Op& op, std::vector<int> in, std::string_view suffix,
              std::vector<float> weights, std::vector<float> bias) {
  session_.parameters += weights.size() + bias.size();
  if (session_.parameters > static_cast<size_t>(kMaxElements))
    fail("the model has more than {} weights", kMaxElements);
  Node node;
  node.name = node_.name + std::string(suffix);
  for (int n = ++session_.names[node.name]; n > 1; ++n) {
    const std::string numbered = fmt::format("{}#{}", node.name, n);
    if (session_.names.try_emplace(numbered, 1).second) {
      session_.names[node.name] = n;
      node.name = numbered;
      break;
    }
  }
  node.source = node_.op_type;
  node.op = op;
  node.inputs = std::move(in);
  node.weights = std::move(weights);
  node.bias = std::move(bias);
  const int out = session_.graph.add(std::move(node));
  int64_t size = 1;
  for (int i = 0; i < shape(out).rank; ++i) size *= shape(out)[i];
  if (size > kMaxTensor) fail("its output is too large: {}", to_string(shape(out)));
  return out;
}

void Call::keep_integers(const std::vector<float>& scale, const Constant* bias) {
  if (!session_.quantised || scale.empty()) return;
  Node& node = session_.graph.nodes.back();
  if (!are_int8(node, scale)) return;  // such as uint8 around another zero point than 128
  node.stored = StoredWeights{scale, {}};
  if (!bias || bias->scale.empty() || bias->data.size() != node.bias.size()) return;
  for (size_t c = 0; c < node.bias.size(); ++c) {
    const auto unit = double{bias->scale[bias->scale.size() == 1 ? 0 : c]};
    node.stored->bias.push_back(std::llround(bias->data[c] / unit));
  }
}

int Call::reshape(int tensor, const Shape& to, std::string_view suffix) {
  if (shape(tensor) == to) return tensor;
  nnom::Reshape op;
  op.out = to;
  return add(op, {tensor}, suffix);
}

}  // namespace nnomc::onnx
