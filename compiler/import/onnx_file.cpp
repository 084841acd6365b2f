#include "compiler/import/onnx_file.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <set>

#include "compiler/error.hpp"
#include "compiler/import/onnx.pb.h"
#include "compiler/io/array.hpp"
#include "compiler/io/file.hpp"

namespace nnomc::onnx {
namespace {

constexpr uint64_t kMaxFile = uint64_t{1} << 30;  // bytes
constexpr int kMaxNodes = 20000, kMaxPorts = 1000;
constexpr int64_t kNewest = 22;  // operator set

double bf16(uint16_t bits) { return double{std::bit_cast<float>(uint32_t{bits} << 16)}; }

/// `raw` as elements of type T, stored low byte first, each through `convert`.
template <class T>
std::vector<double> raw_values(std::string_view raw, auto convert) {
  std::vector<double> values(raw.size() / sizeof(T));
  for (size_t i = 0; i < values.size(); ++i) {
    T element;
    std::memcpy(&element, raw.data() + i * sizeof(T), sizeof(T));
    values[i] = static_cast<double>(convert(element));
  }
  return values;
}

template <class T>
std::vector<double> raw_values(std::string_view raw) {
  return raw_values<T>(raw, [](T v) { return v; });
}

std::vector<double> raw_values(Type type, std::string_view raw) {
  switch (type) {
    case Type::f32:
      return raw_values<float>(raw);
    case Type::f64:
      return raw_values<double>(raw);
    case Type::f16:
      return raw_values<uint16_t>(raw, half_to_float);
    case Type::bf16:
      return raw_values<uint16_t>(raw, bf16);
    case Type::u8:
    case Type::boolean:
      return raw_values<uint8_t>(raw);
    case Type::i8:
      return raw_values<int8_t>(raw);
    case Type::u16:
      return raw_values<uint16_t>(raw);
    case Type::i16:
      return raw_values<int16_t>(raw);
    case Type::u32:
      return raw_values<uint32_t>(raw);
    case Type::i32:
      return raw_values<int32_t>(raw);
    case Type::u64:
      return raw_values<uint64_t>(raw);
    case Type::i64:
      return raw_values<int64_t>(raw);
    default:
      return {};
  }
}

/// The elements of a tensor whose bytes aren't given: each type has its list.
std::vector<double> listed_values(Type type, const proto::Tensor& t) {
  const auto all = [](const auto& list) { return std::vector<double>(list.begin(), list.end()); };
  switch (type) {
    case Type::f32:
      return all(t.float_data());
    case Type::f64:
      return all(t.double_data());
    case Type::i64:
      return all(t.int64_data());
    case Type::u32:
    case Type::u64:
      return all(t.uint64_data());
    case Type::f16:
    case Type::bf16: {
      std::vector<double> values;
      for (const int32_t v : t.int32_data())
        values.push_back(type == Type::bf16 ? bf16(static_cast<uint16_t>(v))
                                            : double{half_to_float(static_cast<uint16_t>(v))});
      return values;
    }
    default:
      return all(t.int32_data());
  }
}

Constant constant_of(const std::string& where, const proto::Tensor& t) {
  if (t.data_location() == 1)
    throw Error("{}: tensor '{}' lies in another file. Save the model with its weights inside",
                where, t.name());
  Constant c;
  c.type = static_cast<Type>(t.data_type());
  c.dims.assign(t.dims().begin(), t.dims().end());
  int64_t size = 1;
  bool sensible = c.dims.size() <= kMaxRank;
  for (const int64_t n : c.dims) {
    sensible = sensible && n >= 0 && n <= kMaxElements;
    if (sensible) size *= n;
    sensible = sensible && size <= kMaxElements;
  }
  if (!sensible) throw Error("{}: tensor '{}' has an impossible shape", where, t.name());
  c.data = t.has_raw_data() ? raw_values(c.type, t.raw_data()) : listed_values(c.type, t);
  if (c.type == Type::string || static_cast<int64_t>(c.data.size()) != size)
    throw Error("{}: tensor '{}' of {} elements has {}, or none of a type that can be read", where,
                t.name(), size, c.data.size());
  return c;
}

Attribute attribute_of(const std::string& path, const proto::Attribute& a) {
  using Kind = Attribute::Kind;
  Attribute to;
  to.name = a.name();
  to.real = a.f();
  to.integer = a.i();
  to.text = a.s();
  to.reals.assign(a.floats().begin(), a.floats().end());
  to.integers.assign(a.ints().begin(), a.ints().end());
  to.texts.assign(a.strings().begin(), a.strings().end());
  constexpr Kind kinds[] = {Kind::none, Kind::real,  Kind::integer,  Kind::text, Kind::tensor,
                            Kind::none, Kind::reals, Kind::integers, Kind::texts};
  if (a.type() > 0 && a.type() < static_cast<int>(std::size(kinds)))
    to.kind = kinds[a.type()];
  else if (!a.has_type())
    to.kind = a.has_f()          ? Kind::real
              : a.has_i()        ? Kind::integer
              : a.has_s()        ? Kind::text
              : a.has_t()        ? Kind::tensor
              : a.floats_size()  ? Kind::reals
              : a.ints_size()    ? Kind::integers
              : a.strings_size() ? Kind::texts
                                 : Kind::none;
  if (to.kind == Kind::tensor) to.tensor = constant_of(path, a.t());
  return to;
}

FileNode node_of(const std::string& path, const proto::Node& n) {
  FileNode to;
  const bool own = n.domain().empty() || n.domain() == "ai.onnx";
  to.op_type = own ? n.op_type() : n.domain() + "." + n.op_type();
  to.inputs.assign(n.input().begin(), n.input().end());
  to.outputs.assign(n.output().begin(), n.output().end());
  to.name = !n.name().empty() || to.outputs.empty() ? n.name() : to.outputs[0];
  for (const proto::Attribute& a : n.attribute()) to.attributes.push_back(attribute_of(path, a));
  return to;
}

Port port_of(const proto::ValueInfo& v) {
  Port port;
  port.name = v.name();
  if (!v.type().has_tensor_type()) return port;
  const auto& tensor = v.type().tensor_type();
  port.type = static_cast<Type>(tensor.elem_type());
  port.has_shape = tensor.has_shape();
  for (const auto& d : tensor.shape().dim())
    port.dims.push_back(d.has_dim_value() ? d.dim_value() : -1);
  return port;
}

/// Parses one message that must fill `bytes`.
template <class T>
T parse(const std::string& path, std::span<const std::byte> bytes) {
  T message;
  if (bytes.size() > kMaxFile ||
      !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    throw Error("{}: is not an ONNX file, or is damaged", path);
  return message;
}

}  // namespace

bool may_be_onnx(const std::string& path, std::string_view start) {
  return path.ends_with(".onnx") || start.starts_with('\x08');  // its first field, ir_version
}

OnnxFile parse_onnx(const std::string& path, std::span<const std::byte> bytes) {
  const auto model = parse<proto::Model>(path, bytes);
  const proto::Graph& graph = model.graph();
  if (!model.has_graph() || graph.node_size() == 0)
    throw Error("{}: is not an ONNX model: it has no nodes", path);
  if (graph.node_size() > kMaxNodes) throw Error("{}: has more than {} nodes", path, kMaxNodes);
  if (graph.output_size() > kMaxPorts || graph.input_size() - graph.initializer_size() > kMaxPorts)
    throw Error("{}: has more than {} inputs or outputs", path, kMaxPorts);
  OnnxFile file;
  file.path = path;
  file.name = graph.name();
  for (const auto& set : model.opset_import())
    if (set.domain().empty() || set.domain() == "ai.onnx") file.opset = set.version();
  if (file.opset < 0 || file.opset > kNewest)
    throw Error("{}: uses operator set {}, but none after {} is supported. Export it for that",
                path, file.opset, kNewest);
  int64_t elements = 0;
  std::set<std::string> constants;
  for (const proto::Tensor& t : graph.initializer()) {
    file.constants.push_back({t.name(), constant_of(path, t)});
    constants.insert(t.name());
    elements += static_cast<int64_t>(file.constants.back().value.data.size());
    if (elements > kMaxElements) throw Error("{}: has more than {} weights", path, kMaxElements);
  }
  for (const proto::Node& n : graph.node()) file.nodes.push_back(node_of(path, n));
  for (const proto::ValueInfo& v : graph.input())
    if (!constants.contains(v.name())) file.inputs.push_back(port_of(v));
  for (const proto::ValueInfo& v : graph.output()) file.outputs.push_back(port_of(v));
  return file;
}

OnnxFile read_onnx_file(const std::string& path) {
  return parse_onnx(path, read_file(path, kMaxFile));
}

Constant parse_onnx_tensor(const std::string& path, std::span<const std::byte> bytes) {
  return constant_of(path, parse<proto::Tensor>(path, bytes));
}

}  // namespace nnomc::onnx
