#include "compiler/import/tflite.hpp"

#include <algorithm>
#include <set>

#include "compiler/import/tflite_call.hpp"
#include "compiler/import/tflite_numbers.hpp"
#include "compiler/import/tflite_operators.hpp"
#include "compiler/io/file.hpp"
#include "compiler/simulate/simulate.hpp"

namespace nnomc {
namespace tflite {
namespace {

constexpr int kQuantize = 114, kDequantize = 6;
constexpr int kCallOnce = 129, kVarHandle = 142, kAssignVariable = 144;
constexpr size_t kMostElements = size_t{1} << 28;
constexpr int64_t kMostFolded = int64_t{1} << 24;  // operations and elements of constant arithmetic

/// uint8 is int8 with everything moved by 128.
constexpr int kUint8Zero = 128;

class Builder {
 public:
  explicit Builder(const File& file) : session_{.file = file} {}

  Graph build() {
    check_operators();
    session_.graph.file = session_.file.path();
    const auto* name = session_.file.graph().name();
    session_.graph.name = name && name->size() ? name->str() : "model";
    std::set<int> between;
    for (const auto* op : *session_.file.graph().operators())
      for (const int t : numbers(op->intermediates())) between.insert(t);
    for (const auto* t : *session_.file.graph().tensors())
      session_.values.push_back(
          value_of(*t, between.contains(static_cast<int>(session_.values.size()))));
    session_.quantised = is_quantised();
    const int bits = bits_of_truths();
    for (Value& v : session_.values)  // truths are 1 and 0
      if (session_.quantised && v.type == format::ElementType_boolean)
        v.scale = Quantisation{1, 0, bits};
    for (const int t : numbers(graph().inputs())) add_input(t);
    if (session_.graph.inputs.empty() || numbers(graph().outputs()).empty())
      fail("its graph has no {}: there is nothing to run",
           session_.graph.inputs.empty() ? "inputs" : "outputs");
    for (const auto* op : *session_.file.graph().operators())
      if (session_.file.code(*op) == kCallOnce)
        read_initial(session_.file.options<format::CallOnceOptions>(*op).graph());
    for (const auto* op : *session_.file.graph().operators()) {
      const Row& row = *find_operator(session_.file.code(*op));
      if (!fold(*op, row)) {
        Call call(session_, *op, row.name);
        call.run(row);
      }
    }
    for (const int t : numbers(session_.file.graph().outputs())) add_output(t);
    return std::move(session_.graph);
  }

 private:
  template <class... T>
  [[noreturn]] void fail(fmt::format_string<T...> format, T&&... arguments) const {
    throw Error("{}: {}", session_.file.path(), fmt::format(format, std::forward<T>(arguments)...));
  }

  const format::Graph& graph() const { return session_.file.graph(); }
  Value& value(int t) { return session_.values[static_cast<size_t>(t)]; }

  /// Names every operator that is not supported, how often it occurs and what it gives.
  void check_operators() const {
    std::map<std::string, std::pair<int, std::string>> missing;
    for (const auto* op : *graph().operators()) {
      const int code = session_.file.code(*op);
      if (code >= 0 && find_operator(code)) continue;
      auto& [count, outputs] =
          missing[code < 0 ? "custom operator " + session_.file.custom_name(*op)
                           : operator_name(code)];
      ++count;
      for (const int t : numbers(op->outputs())) {
        const auto* name = session_.file.tensor(t).name();
        if (count <= 3)
          outputs += (outputs.empty() ? "'" : ", '") + (name ? name->str() : "") + "'";
      }
    }
    if (missing.empty()) return;
    std::string list;
    for (const auto& [name, found] : missing)
      list += fmt::format("{}{} ({}{}{}{})", list.empty() ? "" : "; ", name,
                          found.first == 1 ? "once" : fmt::format("{} times", found.first),
                          found.second.empty() ? "" : ", which gives ", found.second,
                          found.first > 3 ? ", ..." : "");
    fail("operators that are not supported: {}", list);
  }

  /// `between` is a tensor that only has a scale: its shape, often of no elements, says nothing.
  Value value_of(const format::Tensor& t, bool between) const {
    Value v;
    v.name = t.name() ? t.name()->str() : "";
    v.type = t.type();
    if (t.sparsity()) fail("tensor '{}' is stored sparsely, which is not supported", v.name);
    size_t size = 1;
    for (const int d : between ? std::vector<int>() : numbers(t.shape())) {
      if (d < 1 || (size *= static_cast<size_t>(d)) > kMostElements)
        fail("tensor '{}' has the impossible shape {}", v.name,
             fmt::join(numbers(t.shape()), " x "));
      v.dims.push_back(d);
    }
    if (v.dims.size() > 6)
      fail("tensor '{}' has {} axes: at most 6 are supported", v.name, v.dims.size());
    read_scales(t, v);
    const auto bytes = session_.file.data(t);
    if (bytes.empty()) return v;
    auto stored = stored_numbers(t.type(), bytes);
    if (!stored)
      fail("tensor '{}' is of type {}, which is not supported", v.name,
           format::EnumNameElementType(t.type()));
    if (stored->size() != size)
      fail("tensor '{}' holds {} elements where its shape asks for {}", v.name, stored->size(),
           size);
    v.is_constant = true;
    v.constant = std::move(*stored);
    if (v.type == format::ElementType_uint8 && v.scale)
      for (double& x : v.constant) x -= kUint8Zero;
    return v;
  }

  void read_scales(const format::Tensor& t, Value& v) const {
    const auto* q = t.quantization();
    if (!q || !q->scale() || q->scale()->size() == 0) return;
    const auto scales = numbers(q->scale());
    const auto zeros = numbers(q->zero_point());
    for (const float s : scales)
      if (!(s > 0) || !std::isfinite(s)) fail("tensor '{}' has the scale {}", v.name, s);
    if (scales.size() > 1) {
      v.channel_scales.assign(scales.begin(), scales.end());
      v.scale_axis = v.rank() == 1 ? 0 : q->axis();
      if (v.scale_axis < 0 || v.scale_axis >= v.rank() ||
          scales.size() != static_cast<size_t>(v.dims[static_cast<size_t>(v.scale_axis)]))
        fail("tensor '{}' has {} scales, which fits none of its axes", v.name, scales.size());
      return;
    }
    const int64_t zero = zeros.empty() ? 0 : zeros[0];
    const int moved = v.type == format::ElementType_uint8 ? kUint8Zero : 0;
    const int bits = v.type == format::ElementType_int16 ? 16 : 8;
    v.scale = Quantisation{static_cast<double>(scales[0]), 0, bits};
    if (zero < v.scale->lowest() + moved || zero > v.scale->highest() + moved)
      fail("tensor '{}' has the zero point {}", v.name, zero);
    v.scale->zero = static_cast<int>(zero) - moved;
  }

  /// The constants that graph `index` assigns to variables, before the first run.
  void read_initial(int index) {
    const format::Graph* once = session_.file.graph(index);
    if (!once) fail("CALL_ONCE runs a graph there is not");
    std::map<int, std::string> names;
    for (const auto* op : *once->operators()) {
      const int code = session_.file.code(*op);
      const auto in = numbers(op->inputs()), out = numbers(op->outputs());
      if (code == kVarHandle && out.size() == 1) {
        names[out[0]] = variable_name(session_.file.options<format::VarHandleOptions>(*op));
        continue;
      }
      if (code != kAssignVariable || in.size() != 2 || !names.contains(in[0]) || in[1] < 0)
        fail("CALL_ONCE does more than assign constants to variables, which is not supported");
      const Value v = value_of(File::tensor(*once, in[1]), false);
      if (!v.is_constant) fail("CALL_ONCE assigns '{}', which is no constant", v.name);
      session_.kept[names[in[0]]].initial = v.constant;
    }
  }

  static bool is_quantised(const Value& v) {
    return v.scale && (v.type == format::ElementType_int8 || v.type == format::ElementType_uint8 ||
                       v.type == format::ElementType_int16);
  }
  /// As other tensors: 16 if any that is computed is int16.
  int bits_of_truths() {
    for (const auto* op : *graph().operators())
      for (const auto* list : {op->inputs(), op->outputs()})
        for (const int t : numbers(list))
          if (t >= 0 && value(t).scale && !value(t).is_constant &&
              value(t).type == format::ElementType_int16)
            return 16;
    return 8;
  }

  /// Whether everything computed is int8 or int16; real numbers may stand before QUANTIZE and after
  /// DEQUANTIZE.
  bool is_quantised() {
    std::set<int> outside;
    for (const auto* op : *graph().operators()) {
      const int code = session_.file.code(*op);
      const int in = first(op->inputs());
      if (code == kQuantize && is_graph_input(in) && value(in).type == format::ElementType_float32)
        outside.insert(in);
      if (code == kDequantize) outside.insert(first(op->outputs()));
    }
    bool any = false;
    const auto check = [&](int t) {
      const Value& v = value(t);
      if (v.is_constant || outside.contains(t)) return true;
      any |= is_quantised(v);
      return v.type != format::ElementType_float32;
    };
    for (const auto* op : *graph().operators()) {
      if (session_.file.code(*op) != kDequantize)
        for (const int t : numbers(op->outputs()))
          if (!check(t)) return false;
      for (const int t : numbers(op->inputs()))
        if (t >= 0 && session_.file.code(*op) != kQuantize && outside.contains(t)) return false;
    }
    for (const int t : numbers(graph().inputs()))
      if (!check(t)) return false;
    return any;
  }

  /// The first tensor of a list, -1 if there is none.
  static int first(const flatbuffers::Vector<int>* list) {
    return list && list->size() ? numbers(list)[0] : -1;
  }
  bool is_graph_input(int t) const {
    const auto inputs = numbers(graph().inputs());
    return std::count(inputs.begin(), inputs.end(), t) > 0;
  }

  void add_input(int t) {
    Value& v = value(t);
    if (v.is_constant) return;
    v.tensor = session_.graph.add_input(v.name, v.shape());
    if (!session_.quantised) return;
    // A real input is given as what QUANTIZE makes of it.
    for (const auto* op : *graph().operators())
      if (!v.scale && session_.file.code(*op) == kQuantize && first(op->inputs()) == t &&
          first(op->outputs()) >= 0)
        v.scale = value(first(op->outputs())).scale;
    if (!v.scale) fail("input '{}' has no scale", v.name);
    session_.graph.tensors.back().quantisation = v.scale;
  }

  /// An output that is an input, a constant or another output gets a tensor of its own.
  void add_output(int t) {
    Value& v = value(t);
    if (v.is_constant || v.tensor < 0) fail("output '{}' is not computed by the graph", v.name);
    Graph& g = session_.graph;
    if (g.producer(v.tensor) < 0 || g.is_output(v.tensor)) {
      Node copy;
      copy.name = v.name + "/output", copy.source = "output";
      nnom::Slice all;  // the content of a variable changes before the output is read
      all.out = g.shape(v.tensor);
      copy.op = g.is_variable(v.tensor) ? Op(all) : Op(nnom::Reshape{all.out});
      copy.inputs = {v.tensor};
      const auto scale = g.tensors[static_cast<size_t>(v.tensor)].quantisation;
      v.tensor = g.add(std::move(copy));
      g.tensors.back().quantisation = scale;
    }
    g.outputs.push_back(v.tensor);
  }

  /// Computes an operator whose inputs are all constants, in real numbers; its outputs become
  /// constants too.
  bool fold(const format::Operator& op, const Row& row) {
    if (numbers(op.inputs()).empty()) return false;
    for (const int t : numbers(op.inputs()))
      if (t >= 0 && !value(t).is_constant) return false;
    Session inner{.file = session_.file, .folding = true, .values = session_.values};
    inner.graph.file = session_.file.path();
    Call call(inner, op, row.name);
    call.run(row);
    int64_t work = inner.graph.macs();
    for (const Tensor& t : inner.graph.tensors) work += t.shape.size();
    if (work > kMostFolded)
      call.fail("its inputs are constants, and too large to compute with here");
    for (const int t : numbers(op.outputs())) {
      const Value& made = inner.values[static_cast<size_t>(t)];
      if (made.is_constant) {
        value(t) = made;
        continue;
      }
      inner.graph.outputs = {made.tensor};
      const std::vector<float> result = run_float(inner.graph, call.bound())[0];
      Value& v = value(t);
      v.is_constant = true;
      v.scale.reset();
      v.constant.assign(result.begin(), result.end());
    }
    return true;
  }

  Session session_;
};

}  // namespace
}  // namespace tflite

Graph import_tflite(const std::string& path, std::vector<std::byte> bytes) {
  const tflite::File file(path, std::move(bytes));
  return tflite::Builder(file).build();
}

Graph import_tflite(const std::string& path) { return import_tflite(path, read_file(path)); }

}  // namespace nnomc
