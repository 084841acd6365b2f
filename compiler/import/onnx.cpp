#include "compiler/import/onnx.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "compiler/import/onnx_ops.hpp"
#include "compiler/import/onnx_scales.hpp"
#include "compiler/op_table.hpp"
#include "compiler/passes/passes.hpp"
#include "compiler/simulate/simulate.hpp"

namespace nnomc {
namespace onnx {
namespace {

constexpr size_t kMaxNamed = 20;           // nodes named in the message of those not supported
constexpr int64_t kMaxFolded = 100000000;  // multiplications of one node that is folded

bool has_trait(const FileNode& node, Trait trait) {
  const OpRow* row = find_op(node.op_type);
  return row && (row->traits & trait);
}

/// Makes a graph of a file by following its nodes.
class Builder {
 public:
  Builder(const OnnxFile& file, const Bindings& bindings, bool quantised)
      : session_{file}, bindings_(bindings) {
    session_.quantised = quantised;
    session_.graph.file = file.path;
    session_.graph.name =
        file.name.empty() ? std::filesystem::path(file.path).stem().string() : file.name;
  }

  OnnxImport build() {
    find_needed();
    refuse_unsupported();
    for (const NamedConstant& c : file().constants) set(c.name, constant(c.value));
    for (const Port& input : file().inputs) add_input(input);
    for (const FileNode& node : file().nodes)
      if (needed_.contains(&node)) add(node);
    if (file().outputs.empty()) throw Error("{}: has no outputs", file().path);
    for (const Port& output : file().outputs) add_output(output);
    return {std::move(session_.graph), std::move(inputs_), std::move(outputs_),
            std::move(session_.partly)};
  }

 private:
  const OnnxFile& file() const { return session_.file; }

  void set(const std::string& name, Value value) {
    if (!name.empty()) values_[name] = std::move(value);
  }

  static Value constant(const Constant& c) {
    return {c.type, c.dims, std::make_shared<const Constant>(c), -1, {}};
  }

  /// Nodes that some output depends on.
  void find_needed() {
    std::set<std::string> wanted;
    for (const Port& output : file().outputs) wanted.insert(output.name);
    for (auto node = file().nodes.rbegin(); node != file().nodes.rend(); ++node) {
      if (std::none_of(node->outputs.begin(), node->outputs.end(),
                       [&](const std::string& name) { return wanted.contains(name); }))
        continue;
      needed_.insert(&*node);
      wanted.insert(node->inputs.begin(), node->inputs.end());
    }
  }

  void refuse_unsupported() const {
    size_t count = 0;
    std::string list;
    for (const FileNode& node : file().nodes) {
      if (!needed_.contains(&node) || find_op(node.op_type)) continue;
      if (++count <= kMaxNamed)
        list += fmt::format("{}'{}' ({})", count > 1 ? ", " : "", node.name, node.op_type);
    }
    if (count == 0) return;
    if (count > kMaxNamed) list += fmt::format(" and {} more", count - kMaxNamed);
    throw Error(
        "{}: {} not supported: {}. Replace {} by supported operators, or cut the model before {}",
        file().path, count == 1 ? "a node is" : fmt::format("{} nodes are", count), list,
        count == 1 ? "it" : "them", count == 1 ? "it" : "them");
  }

  /// Whether an input is a picture, channels first: it gets, perhaps by way of operators on each
  /// element, to one that looks at pictures.
  bool is_picture(const Port& input) const {
    if (input.dims.size() < 3) return false;
    std::set<std::string> names{input.name};
    for (const FileNode& node : file().nodes) {
      const auto reads = [&](const std::string& name) { return names.contains(name); };
      if (!node.inputs.empty() && reads(node.inputs[0]) && has_trait(node, kPicture)) return true;
      if (has_trait(node, kElementwise) &&
          std::any_of(node.inputs.begin(), node.inputs.end(), reads))
        names.insert(node.outputs.begin(), node.outputs.end());
    }
    return false;
  }

  void add_input(const Port& input) {
    if (const auto bound = bindings_.find(input.name); bound != bindings_.end())
      return set(input.name, constant(bound->second));
    const auto fail = [&](const std::string& why) {
      throw Error("{}: input '{}': {}", file().path, input.name, why);
    };
    if (!is_real(input.type) && !is_integer(input.type) && input.type != Type::boolean)
      fail("it is not a tensor of numbers");
    if (input.dims.size() > kMaxRank) fail("it has too many axes");
    if (!input.has_shape) fail("its shape is not in the file. Export it with a fixed shape");
    Value value{input.type, input.dims, nullptr, -1, {}};
    for (size_t i = 0; i < value.dims.size(); ++i) {
      int64_t& n = value.dims[i];
      if (n == -1 && i == 0) n = 1;
      if (n == -1) fail(fmt::format("its axis {} is open. Export it with a fixed shape", i));
      if (n < 1 || n > kMaxElements) fail("its shape is impossible: " + show(value.dims));
    }
    if (!is_small(value.dims)) fail("it is too large: " + show(value.dims));
    std::vector<int> order;
    for (int i = 0; i < value.rank(); ++i) order.push_back(i);
    if (is_picture(input)) std::rotate(order.begin() + 1, order.begin() + 2, order.end());
    if (value.rank() > 1 && value[0] == 1) order.erase(order.begin());
    if (order.size() > 6) fail("it has more than six axes");
    Shape shape;
    for (const int axis : order) shape.d[shape.rank++] = static_cast<int>(value[axis]);
    value.tensor = session_.graph.add_input(input.name, shape);
    value.layout = layout_in(order, value.dims);
    session_.graph.input_order.push_back(file_order(order));
    inputs_.push_back(value);
    set(input.name, std::move(value));
  }

  /// For axes `order` of the file that are those of a tensor: where each axis of the file, in its
  /// own order, is among them. Empty if it is the same order.
  static std::vector<int> file_order(const std::vector<int>& order) {
    std::vector<int> places;
    for (size_t i = 0; i < order.size(); ++i) places.push_back(static_cast<int>(i));
    if (std::is_sorted(order.begin(), order.end())) return {};
    std::sort(places.begin(), places.end(), [&](int a, int b) {
      return order[static_cast<size_t>(a)] < order[static_cast<size_t>(b)];
    });
    return places;
  }

  void add(const FileNode& node) {
    Values inputs;
    bool known = true;
    for (const std::string& name : node.inputs) {
      const auto value = values_.find(name);
      if (!name.empty() && value == values_.end())
        throw Error("{}: node '{}' ({}): it reads '{}', which nothing before it makes", file().path,
                    node.name, node.op_type, name);
      inputs.push_back(name.empty() ? Value{} : value->second);
      known = known && inputs.back().tensor < 0;
    }
    const OpRow& row = *find_op(node.op_type);
    Values made;
    if (known && !(row.traits & kFolds) && !inputs.empty()) {
      made = fold(row, node, std::move(inputs));
    } else {
      Call call(session_, node, std::move(inputs));
      for (const Value& v : call.inputs)
        if (v.tensor >= 0 && is_integer(v.type) &&
            !(row.traits & (session_.quantised ? kStored : kIntegers)))
          call.fail("not supported: arithmetic on integers that the model computes");
      made = row.add(call);
      call.check_all_read();
    }
    for (size_t i = 0; i < node.outputs.size() && i < made.size(); ++i)
      set(node.outputs[i], std::move(made[i]));
  }

  /// What a node makes of constants, by the kernels: its first input is given as a tensor.
  Values fold(const OpRow& row, const FileNode& node, Values inputs) {
    Session own{file()};
    own.graph.file = file().path;
    Call outer(session_, node, inputs);
    if (!outer.has(0)) outer.fail("its first input is missing");
    const std::shared_ptr<const Constant> first = inputs[0].constant;
    inputs[0].constant = nullptr;
    inputs[0].tensor = own.graph.add_input(node.inputs[0], outer.shape_of(first->dims));
    inputs[0].layout = plain_layout(first->dims);
    if (is_integer(first->type)) inputs[0].type = Type::f32;
    Call call(own, node, std::move(inputs));
    Values made = row.add(call);
    call.check_all_read();
    for (const Value& v : made)
      if (v.tensor >= 0) own.graph.outputs.push_back(v.tensor);
    if (own.graph.macs() > kMaxFolded) outer.fail("it is too much to be computed beforehand");
    const auto results = run_float(own.graph, {reals_of(first->data)});
    size_t next = 0;
    for (Value& v : made) {
      if (v.tensor < 0) continue;
      const std::vector<float>& result = results[next++];
      Constant c{is_integer(first->type) ? first->type : v.type, v.dims, {}};
      c.data.resize(result.size());
      const std::vector<size_t> places = places_in(v.dims, v.layout, v.dims);
      for (size_t i = 0; i < result.size(); ++i) c.data[places[i]] = double{result[i]};
      v = outer.made(std::move(c));
    }
    return made;
  }

  /// An output stays as it lies if that is ONNX's order or channels last.
  void add_output(const Port& output) {
    const auto found = values_.find(output.name);
    if (found == values_.end())
      throw Error("{}: its output '{}' is not supported, or nothing makes it", file().path,
                  output.name);
    Value value = found->second;
    if (value.constant) return outputs_.push_back(value);
    const FileNode node{output.name, "output", {}, {}, {}};
    Call call(session_, node, {value});
    std::vector<int> order;
    for (int i = 0; i < value.rank(); ++i)
      if (i > 0 || value[i] != 1 || value.rank() == 1) order.push_back(i);
    const bool plain = value.layout == plain_layout(value.dims);
    if (!plain && value.rank() > 2) {
      std::vector<int> last = order;
      std::rotate(last.end() - value.rank() + 1, last.end() - value.rank() + 2, last.end());
      if (value.layout == layout_in(last, value.dims)) order = last;
    }
    if (order.size() > 6) std::erase_if(order, [&](int i) { return value[i] == 1; });
    int tensor = call.arrange(value, order);
    std::vector<int>& outputs = session_.graph.outputs;
    if (session_.graph.producer(tensor) < 0 || session_.graph.is_output(tensor))
      tensor = call.add(nnom::Activation{}, {tensor});
    session_.graph.tensors[static_cast<size_t>(tensor)].name = output.name;
    outputs.push_back(tensor);
    session_.graph.output_order.push_back(file_order(order));
    outputs_.push_back(call.made(tensor, value.dims, order, value.type));
  }

  Session session_;
  const Bindings& bindings_;
  std::set<const FileNode*> needed_;
  std::unordered_map<std::string, Value> values_;
  Values inputs_, outputs_;
};

void check_outputs(const OnnxFile& file, const OnnxImport& made) {
  for (size_t i = 0; i < made.outputs.size(); ++i)
    if (made.outputs[i].constant)
      throw Error("{}: its output '{}' is always the same", file.path, file.outputs[i].name);
}

bool is_quantised(const OnnxFile& file) {
  return std::any_of(file.nodes.begin(), file.nodes.end(), [](const FileNode& node) {
    return node.op_type.find("QLinear") != std::string::npos || node.op_type.ends_with("QGemm") ||
           node.op_type.ends_with("antizeLinear");
  });
}

/// A graph that is quantised as the file says, or where that isn't possible one of real numbers.
Graph quantised_graph(const OnnxFile& file) {
  OnnxImport made = Builder(file, {}, true).build();
  check_outputs(file, made);
  optimise_reals(made.graph);
  const std::string missing = settle_scales(made.graph);
  if (missing.empty()) return std::move(made.graph);
  drop_scales(made.graph);
  made.graph.partly = made.partly.empty() ? missing : made.partly;
  return std::move(made.graph);
}

}  // namespace
}  // namespace onnx

OnnxImport import_onnx(const onnx::OnnxFile& file, const Bindings& bindings) {
  return onnx::Builder(file, bindings, false).build();
}

Graph import_onnx(const onnx::OnnxFile& file) {
  if (onnx::is_quantised(file)) return onnx::quantised_graph(file);
  OnnxImport made = import_onnx(file, {});
  onnx::check_outputs(file, made);
  return std::move(made.graph);
}

}  // namespace nnomc
