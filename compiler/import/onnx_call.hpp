/// \file
/// What the functions that import ONNX's operators work with: values, and one node of the file.
#pragma once

#include <fmt/format.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "compiler/error.hpp"
#include "compiler/graph.hpp"
#include "compiler/import/onnx_constants.hpp"
#include "compiler/import/onnx_layout.hpp"

namespace nnomc::onnx {

/// A tensor of ONNX: a constant, a tensor of the graph, or none (an input that is left out).
struct Value {
  Type type = Type::none;
  Dims dims;
  std::shared_ptr<const Constant> constant;
  int tensor = -1;
  Layout layout;  ///< of `tensor`

  bool none() const { return !constant && tensor < 0; }
  int rank() const { return static_cast<int>(dims.size()); }
  int64_t operator[](int axis) const { return dims[static_cast<size_t>(axis)]; }
};

using Values = std::vector<Value>;

/// What all nodes of one import share.
struct Session {
  const OnnxFile& file;
  Graph graph{};
  std::unordered_map<std::string, int> names{};  ///< of nodes, and how often each was wanted
  /// Tensors that were transposed, by the runs of the new order.
  std::map<std::pair<int, std::vector<int64_t>>, int> moved{};
  size_t parameters = 0;
  int64_t folded = 0;  ///< elements of constants that were computed
  /// Quantised tensors are the real numbers they mean, and keep their scales. Otherwise they are
  /// the integers that ONNX says.
  bool quantised = false;
  std::string partly{};  ///< why the model can't be quantised as a whole, if it is known
};

/// One node of the file, for the function that makes nodes of the graph of it.
class Call {
 public:
  Call(Session& session, const FileNode& node, Values given)
      : inputs(std::move(given)), node_(node), session_(session) {}

  const Values inputs;

  /// What the function of another operator makes of `given`, as a part of this node.
  Values as(Values (*function)(Call&), Values given);

  int64_t opset() const { return session_.file.opset; }
  const FileNode& node() const { return node_; }
  Session& session() { return session_; }

  template <class... T>
  [[noreturn]] void fail(fmt::format_string<T...> format, T&&... arguments) const {
    throw Error("{}: node '{}' ({}): {}", session_.file.path, node_.name, node_.op_type,
                fmt::format(format, std::forward<T>(arguments)...));
  }

  bool has(size_t input) const { return input < inputs.size() && !inputs[input].none(); }
  /// Input `input`, which must be there.
  const Value& in(size_t input) const;
  /// The same, which must be known before the model runs.
  const Constant& constant(size_t input) const;

  int64_t integer(std::string_view name, int64_t otherwise) const;
  /// An attribute that is 0 or 1.
  bool flag(std::string_view name, bool otherwise) const { return integer(name, otherwise) != 0; }
  float real(std::string_view name, float otherwise) const;
  std::string text(std::string_view name, std::string otherwise) const;
  /// Nothing where the attribute is missing.
  std::optional<std::vector<int64_t>> integers(std::string_view name) const;
  const Attribute* find(std::string_view name, Attribute::Kind kind) const;
  /// Error if there is an attribute that nobody has asked for: an option that isn't known.
  void check_all_read() const;
  /// Whole numbers that older operator sets have as an attribute, newer ones as an input.
  std::optional<std::vector<int64_t>> list(std::string_view name, size_t input) const;
  /// The same for axes of a tensor of rank `rank`, counted from 0.
  std::optional<std::vector<int>> axes(std::string_view name, size_t input, int rank) const;
  /// An axis of a tensor of rank `rank`; negative ones count from the end.
  int axis(int64_t value, int rank) const;

  /// The graph's tensor of `value` with its axes in the order given, and nothing else: axes that
  /// are left out must have size 1, -1 adds an axis of size 1.
  int arrange(const Value& value, const std::vector<int>& order);
  /// The order closest to how `value` lies: its axes of more than one element and those of
  /// `needed`.
  std::vector<int> order_of(const Value& value, const std::vector<int>& needed = {}) const;
  /// `value`; a constant gets a node that makes it a tensor.
  Value as_tensor(const Value& value);
  /// A new tensor of the graph with the axes `order`.
  Value made(int tensor, Dims dims, const std::vector<int>& order, Type type = Type::f32) const;
  /// A new tensor of the graph that lies as `like` does.
  Value made(int tensor, const Value& like, Type type = Type::f32) const;
  Value made(Constant constant);

  const Shape& shape(int tensor) const { return session_.graph.shape(tensor); }
  /// Adds a node called as this one, with `suffix`; returns its output.
  int add(const Op& op, std::vector<int> in, std::string_view suffix = "",
          std::vector<float> weights = {}, std::vector<float> bias = {});
  int reshape(int tensor, const Shape& to, std::string_view suffix = "/shape");
  /// Keeps, in a quantised model, the integers behind the weights of the node that was added last,
  /// which are of these scales (one, or one for each channel), and those behind its biases.
  void keep_integers(const std::vector<float>& scale, const Constant* bias);
  /// Shape of the graph with these sizes. Error if there are too many.
  Shape shape_of(const Dims& dims) const;
  /// Error if `elements` more constants are too many for one model.
  void count_folded(int64_t elements);

 private:
  int constant_tensor(const Value& value, const std::vector<int>& order);

  const FileNode& node_;
  Session& session_;
  bool part_ = false;                        // of a node: its inputs are not those of the file
  mutable std::set<std::string_view> read_;  // names of attributes
};

/// "[1, 3, 8]"
std::string show(const Dims& dims);

}  // namespace nnomc::onnx
