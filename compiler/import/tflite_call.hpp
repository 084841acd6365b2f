/// \file
/// One operator of a TensorFlow Lite model, for the function that makes nodes of it.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compiler/error.hpp"
#include "compiler/graph.hpp"
#include "compiler/import/tflite_file.hpp"

namespace nnomc::tflite {

/// A tensor of the file: a constant, or a tensor of the graph.
struct Value {
  std::string name;
  format::ElementType type = format::ElementType_float32;
  std::vector<int> dims;              ///< as in the file, the batch included
  std::optional<Quantisation> scale;  ///< of one for all elements
  std::vector<float> channel_scales;  ///< of weights and biases: one for each entry of an axis
  int scale_axis = 0;
  std::vector<double> constant;  ///< stored numbers of a constant
  bool is_constant = false;
  int tensor = -1;  ///< of the graph

  int rank() const { return static_cast<int>(dims.size()); }
  int size() const;
  /// Axes at the front that the graph leaves out: the batch, if it is 1 and not the only axis.
  int hidden() const { return rank() > 1 && dims[0] == 1 ? 1 : 0; }
  /// `dims` without them.
  Shape shape() const;
};

/// A variable of the file, by its name.
struct Kept {
  std::vector<double> initial{};  ///< stored numbers; empty if nothing says
  int variable = -1;              ///< of the graph, once it is read
  int now = -1;                   ///< the tensor that was assigned, once one was
};

/// What all operators of one import share.
struct Session {
  const File& file;
  Graph graph{};
  bool quantised = false;
  bool folding = false;         ///< computes constants from constants
  std::vector<Value> values{};  ///< of each tensor of the file
  std::map<std::string, int> names{};
  std::map<std::string, Kept> kept{};
  std::map<int, std::string> handles{};  ///< name of the variable, by tensor of the file
};

class Call;

/// A row of the table of operators.
struct Row {
  int code;
  const char* name;
  void (*add)(Call&);
};

class Call {
 public:
  Call(Session& session, const format::Operator& op, const char* op_name);

  /// Makes the operator's nodes: once, or for each picture of a batch.
  void run(const Row& row);

  template <class Options>
  const Options& options() const {
    return session_.file.options<Options>(op_);
  }
  template <class... T>
  [[noreturn]] void fail(fmt::format_string<T...> format, T&&... arguments) const {
    throw Error("{}: layer '{}' ({}): {}", session_.file.path(), name_, op_name_,
                fmt::format(format, std::forward<T>(arguments)...));
  }

  int count() const { return static_cast<int>(numbers(op_.inputs()).size()); }
  int outputs() const { return static_cast<int>(numbers(op_.outputs()).size()); }
  /// Whether input i is there.
  bool has(int i) const;
  /// Whether input i is a constant that stays one: not while constants are folded.
  bool is_constant(int i) const { return in(i).is_constant && !session_.folding; }
  const Value& in(int i) const;
  const Value& out(int i = 0) const;
  // Variables: a handle names one, others read and assign it.
  void name_variable();
  void read_variable();
  void assign_variable();

  /// A value between input and output that has a scale and no content; null if it is missing.
  const Value* between(int i) const;
  bool quantised() const { return session_.quantised; }

  /// The graph's tensor for input i, in its own shape (no hidden batch). A constant gets a node, or
  /// is an input of the graph while constants are folded.
  int tensor(int i);
  /// The same with all axes of the file, the batch included.
  int whole(int i);
  /// The same as a picture, {h, w, c}; of several in the batch, the one whose turn it is.
  int picture(int i);
  /// Input i, which must be a constant: real numbers, dequantised.
  std::vector<float> reals(int i) const;
  std::vector<int> integers(int i) const;
  int integer(int i) const;
  /// An axis, counted from the end if negative.
  int axis(int number, int rank) const;

  /// Adds a node whose output is quantised as `scale` (in a quantised graph); returns its tensor.
  int add(Node node, std::optional<Quantisation> scale);
  /// The same for an op without weights that gives output i of the call.
  int add(const Op& op, std::vector<int> inputs, Range range = {}, int i = 0);
  /// The same for an op that moves values of `tensor`, whose scale they keep.
  int add_moved(const Op& op, int tensor);
  int reshape(int tensor, const Shape& to);
  /// The same stored numbers with another scale.
  int restated(int tensor, std::optional<Quantisation> scale);
  /// Tensors of the same rank side by side.
  int joined(std::vector<int> tensors, int axis);
  /// Makes `tensor` output i; its shape is put right.
  void set(int tensor, int i = 0);
  /// Makes output 0 a constant.
  void set_constant(std::vector<double> values);

  /// Fails if sizes of a window make no sense.
  void check_window(const auto& op) const {
    for (const int n :
         {op.kernel.h, op.kernel.w, op.stride.h, op.stride.w, op.dilation.h, op.dilation.w})
      if (n < 1 || n > 1 << 15) fail("a kernel size, stride or dilation of {} makes no sense", n);
  }

  const Shape& shape(int tensor) const { return session_.graph.shape(tensor); }
  const std::optional<Quantisation>& scale(int tensor) const {
    return session_.graph.tensors[static_cast<size_t>(tensor)].quantisation;
  }

  /// The values of the constants that tensor() made inputs of the graph.
  const std::vector<std::vector<float>>& bound() const { return bound_; }

 private:
  Kept& kept();
  /// A node that makes input i, a constant, a tensor.
  int constant(int i);

  Session& session_;
  const format::Operator& op_;
  const char* op_name_;
  std::string name_;
  std::vector<std::vector<float>> bound_;
  int pictures_ = 1;       ///< in the batch
  std::vector<int> made_;  ///< of each of them so far, if there are several
};

/// The range that a fused activation limits an output to.
Range range_of(const Call& call, format::Fused activation);

/// A stored bias. None above 2^62 fits a sum: that is found out with the others that don't.
inline int64_t whole(double bias) {
  return static_cast<int64_t>(std::clamp(bias, -0x1p62, 0x1p62));
}

/// The row of an operator; null if it is not supported.
const Row* find_operator(int code);
/// The name of any operator, for messages.
std::string operator_name(int code);

}  // namespace nnomc::tflite
