/// \file
/// ONNX's model files, before anything is made of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nnomc::onnx {

/// Most elements of one tensor, and of all constants of a model: far more than a microcontroller
/// holds, far less than a PC.
constexpr int64_t kMaxElements = int64_t{1} << 26;

/// Most elements of a tensor that the model computes, and most axes of any.
constexpr int64_t kMaxTensor = int64_t{1} << 24;
constexpr size_t kMaxRank = 16;

/// Sizes of a tensor in ONNX's order, with its batch axis.
using Dims = std::vector<int64_t>;

/// The types of elements, by ONNX's numbers; those that aren't here can't be read.
enum class Type : int {
  none = 0,
  f32 = 1,
  u8 = 2,
  i8 = 3,
  u16 = 4,
  i16 = 5,
  i32 = 6,
  i64 = 7,
  string = 8,
  boolean = 9,
  f16 = 10,
  f64 = 11,
  u32 = 12,
  u64 = 13,
  bf16 = 16,
};

constexpr bool is_real(Type type) {
  return type == Type::f32 || type == Type::f16 || type == Type::f64 || type == Type::bf16;
}
constexpr bool is_integer(Type type) {
  return type != Type::none && type != Type::string && type != Type::boolean && !is_real(type);
}

/// An array of numbers known before the model runs. Integers beyond 2^53 are rounded.
struct Constant {
  Type type = Type::f32;
  Dims dims;
  std::vector<double> data;  ///< last axis fastest
  /// Where `data` was dequantised: it is whole numbers times these, one for each entry of axis
  /// `axis` or one for all.
  std::vector<float> scale{};
  size_t axis = 0;
};

/// An attribute of a node: the one of its members that the file gives.
struct Attribute {
  std::string name;
  enum class Kind { none, real, integer, text, tensor, reals, integers, texts } kind = Kind::none;
  float real = 0;
  int64_t integer = 0;
  std::string text;
  Constant tensor;
  std::vector<float> reals;
  std::vector<int64_t> integers;
  std::vector<std::string> texts;
};

struct FileNode {
  std::string name;     ///< may be empty in the file; then the first output's
  std::string op_type;  ///< with its domain before it, where it isn't ONNX's own: "com.x.Gelu"
  std::vector<std::string> inputs, outputs;  ///< "": left out
  std::vector<Attribute> attributes;
};

/// An input or output of the model.
struct Port {
  std::string name;
  Type type = Type::none;  ///< none: not a tensor
  bool has_shape = false;
  Dims dims;  ///< -1: open
};

struct NamedConstant {
  std::string name;
  Constant value;
};

/// What a model file holds.
struct OnnxFile {
  std::string path;
  std::string name;
  int64_t opset = 0;
  std::vector<FileNode> nodes;
  std::vector<NamedConstant> constants;
  std::vector<Port> inputs, outputs;  ///< inputs that are constants too are left out
};

/// Whether a file may be an ONNX model, by its first bytes (they have no signature) and its name.
bool may_be_onnx(const std::string& path, std::string_view start);

/// Reads a model. Error if the file is damaged, or holds its weights elsewhere.
OnnxFile read_onnx_file(const std::string& path);

/// The same from memory; `path` is for messages.
OnnxFile parse_onnx(const std::string& path, std::span<const std::byte> bytes);

/// A tensor in a file of its own, as ONNX's tests have them.
Constant parse_onnx_tensor(const std::string& path, std::span<const std::byte> bytes);

}  // namespace nnomc::onnx
