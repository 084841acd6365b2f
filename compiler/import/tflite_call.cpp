#include "compiler/import/tflite_call.hpp"

#include <cctype>
#include <numeric>

#include "compiler/import/parts.hpp"

namespace nnomc::tflite {
namespace {

/// The layer that a tensor's name speaks of: of "model/conv1/BiasAdd;model/bn1/Fused" it is conv1.
std::string layer_name(const std::string& tensor, const char* op_name) {
  const std::string path = tensor.substr(0, tensor.find(';'));
  std::string last;
  for (size_t at = 0; at <= path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string part = path.substr(at, end - at);
    if (!part.empty() && std::islower(static_cast<unsigned char>(part[0]))) last = part;
    at = end + 1;
  }
  if (!last.empty()) return last;
  for (const char* c = op_name; *c; ++c)
    last += static_cast<char>(std::tolower(static_cast<unsigned char>(*c)));
  return last;
}

}  // namespace

int Value::size() const { return std::accumulate(dims.begin(), dims.end(), 1, std::multiplies()); }

Shape Value::shape() const {
  Shape s;
  for (int i = hidden(); i < rank(); ++i) s.d[s.rank++] = dims[static_cast<size_t>(i)];
  return s;
}

Call::Call(Session& session, const format::Operator& op, const char* op_name)
    : session_(session), op_(op), op_name_(op_name) {
  name_ = layer_name(outputs() ? out().name : "", op_name);
  if (const int n = session.names[name_]++) name_ += "_" + std::to_string(n);
}

bool Call::has(int i) const {
  return i < count() && numbers(op_.inputs())[static_cast<size_t>(i)] >= 0;
}

const Value& Call::in(int i) const {
  if (!has(i)) fail("input {} is missing", i);
  return session_.values[static_cast<size_t>(numbers(op_.inputs())[static_cast<size_t>(i)])];
}

const Value& Call::out(int i) const {
  if (i >= outputs()) fail("output {} is missing", i);
  return session_.values[static_cast<size_t>(numbers(op_.outputs())[static_cast<size_t>(i)])];
}

const Value* Call::between(int i) const {
  const auto list = numbers(op_.intermediates());
  const auto at = static_cast<size_t>(i);
  return at < list.size() ? &session_.values[static_cast<size_t>(list[at])] : nullptr;
}

int Call::tensor(int i) {
  const Value& value = in(i);
  if (!value.is_constant) {
    if (value.tensor < 0) fail("its input '{}' is computed by nothing before it", value.name);
    return value.tensor;
  }
  if (!session_.folding) return constant(i);
  const std::vector<float> values = reals(i);
  bound_.push_back(values);
  return session_.graph.add_input(value.name, value.shape());
}

int Call::constant(int i) {
  const Value& value = in(i);
  if (session_.quantised && !value.scale)
    fail("its input '{}' is a constant without a scale", value.name);
  Node node;
  node.op = nnom::Constant{value.shape()};
  node.weights = reals(i);
  return add(std::move(node), value.scale);
}

int Call::whole(int i) {
  Shape full;
  for (const int d : in(i).dims) full.d[full.rank++] = d;
  return reshape(tensor(i), full);
}

int Call::picture(int i) {
  const Value& value = in(i);
  if (value.rank() != 4)
    fail("its input is {} and not a picture (batch, height, width, channels)",
         fmt::join(value.dims, " x "));
  pictures_ = value.dims[0];
  if (pictures_ > kMostPictures) fail("a batch of {} pictures is too large", pictures_);
  if (pictures_ == 1) return tensor(i);
  const int all = tensor(i), at = static_cast<int>(made_.size());
  nnom::Slice one;
  one.out = shape(all);
  one.begin[0] = at, one.out.d[0] = 1;
  return reshape(add_moved(one, all), {3, {value.dims[1], value.dims[2], value.dims[3]}});
}

void Call::run(const Row& row) {
  do {
    row.add(*this);
  } while (static_cast<int>(made_.size()) < pictures_ && pictures_ > 1);
  if (pictures_ == 1) return;
  pictures_ = 1;
  set(joined(made_, 0));
}

int Call::joined(std::vector<int> tensors, int axis) {
  nnom::Concat op;
  op.axis = axis;
  return add(op,
             joinable(std::move(tensors), [&](std::vector<int> some) { return add(op, some); }));
}

std::vector<float> Call::reals(int i) const {
  const Value& value = in(i);
  if (!value.is_constant) fail("its input '{}' must be a constant", value.name);
  std::vector<float> values(value.constant.begin(), value.constant.end());
  if (value.scale)
    for (float& v : values)
      v = static_cast<float>(value.scale->scale * (static_cast<double>(v) - value.scale->zero));
  if (!value.channel_scales.empty()) {
    size_t inner = 1;
    for (int k = value.scale_axis + 1; k < value.rank(); ++k)
      inner *= static_cast<size_t>(value.dims[static_cast<size_t>(k)]);
    for (size_t k = 0; k < values.size(); ++k)
      values[k] *= value.channel_scales[k / inner % value.channel_scales.size()];
  }
  return values;
}

std::vector<int> Call::integers(int i) const {
  const Value& value = in(i);
  if (!value.is_constant) fail("its input '{}' must be a constant", value.name);
  std::vector<int> values;
  constexpr double kEnd = 1 << 28;  // beyond it is as far as beyond any axis
  for (const double v : value.constant) {
    if (std::isnan(v)) fail("its input '{}' holds the number {}", value.name, v);
    values.push_back(static_cast<int>(std::clamp(v, -kEnd, kEnd)));
  }
  return values;
}

int Call::integer(int i) const {
  const std::vector<int> values = integers(i);
  if (values.size() != 1) fail("its input '{}' has {} elements, not 1", in(i).name, values.size());
  return values[0];
}

int Call::axis(int number, int rank) const {
  const int axis = number < 0 ? number + rank : number;
  if (axis < 0 || axis >= rank) fail("it has no axis {}", number);
  return axis;
}

int Call::add(Node node, std::optional<Quantisation> scale) {
  node.name = name_;
  node.source = op_name_;
  const int tensor = session_.graph.add(std::move(node));
  if (session_.quantised) {
    if (!scale) fail("its output has no scale");
    session_.graph.tensors[static_cast<size_t>(tensor)].quantisation = scale;
  }
  return tensor;
}

int Call::add(const Op& op, std::vector<int> inputs, Range range, int i) {
  Node node;
  node.op = op;
  node.inputs = std::move(inputs);
  node.range = range;
  return add(std::move(node), out(i).scale);
}

int Call::add_moved(const Op& op, int tensor) {
  Node node;
  node.op = op;
  node.inputs = {tensor};
  return add(std::move(node), scale(tensor));
}

int Call::reshape(int tensor, const Shape& to) {
  return shape(tensor) == to ? tensor : add_moved(nnom::Reshape{to}, tensor);
}

int Call::restated(int tensor, std::optional<Quantisation> scale) {
  if (!session_.quantised || this->scale(tensor) == scale) return tensor;
  if (scale && scale->bits != this->scale(tensor)->bits)
    fail("some of its tensors are int8, others int16");
  Node node;
  node.op = nnom::Reshape{shape(tensor)};
  node.inputs = {tensor};
  return add(std::move(node), scale);
}

void Call::set_constant(std::vector<double> values) {
  out();  // is there
  Value& value = session_.values[static_cast<size_t>(numbers(op_.outputs())[0])];
  value.is_constant = true;
  value.constant = std::move(values);
}

void Call::set(int tensor, int i) {
  const Shape want = out(i).shape();
  if (pictures_ > 1) return made_.push_back(tensor);
  Value& value =
      session_.values[static_cast<size_t>(numbers(op_.outputs())[static_cast<size_t>(i)])];
  if (shape(tensor).size() != want.size())
    fail("its output is {} and not, as the file says, {}", to_string(shape(tensor)),
         to_string(want));
  value.tensor = reshape(tensor, want);
}

Range range_of(const Call& call, format::Fused activation) {
  constexpr float all = std::numeric_limits<float>::infinity();
  switch (activation) {
    case format::Fused_none:
      return {};
    case format::Fused_relu:
      return {0, all};
    case format::Fused_relu6:
      return {0, 6};
    case format::Fused_relu_n1_to_1:
      return {-1, 1};
    default:
      call.fail("its activation (number {}) is not supported", static_cast<int>(activation));
  }
}

}  // namespace nnomc::tflite
