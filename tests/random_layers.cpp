#include "tests/random_layers.hpp"

#include <algorithm>
#include <cmath>

#include "compiler/op_table.hpp"
#include "nnom/window.hpp"

namespace nnomc {
namespace {

template <class... O>
struct Names {
  static std::vector<std::string> list() { return {O::name...}; }
};
template <class... O>
struct Defaults {
  static std::vector<Op> list() { return {Op(O{})...}; }
};

nnom::Border random_border(Random& r, int most, bool one_row) {
  nnom::Border b{r.whole(0, most), r.whole(0, most), r.whole(0, most), r.whole(0, most)};
  if (one_row) b.top = b.bottom = 0;
  return b;
}

/// Kernel, strides, dilation and border of a sliding op; `pools` have a border within the kernel.
void randomise_window(auto& op, const Shape& in, bool pools, Random& r) {
  const bool one_row = in.rank < 3, one_pixel = in.rank < 2;
  op.kernel = {one_row ? 1 : r.whole(1, 5), one_pixel ? 1 : r.whole(1, 5)};
  op.stride = {one_row ? 1 : r.whole(1, 3), one_pixel ? 1 : r.whole(1, 3)};
  op.dilation = {1, 1};
  if (r.one_in(4)) op.dilation = {one_row ? 1 : r.whole(1, 3), r.whole(1, 3)};
  op.pad = {};
  if (one_pixel || r.one_in(2)) return;
  if (r.one_in(3)) {
    op.pad = nnom::same_border(nnom::image(in), op.kernel, op.stride, op.dilation);
  } else if (pools) {
    op.pad = {r.whole(0, op.kernel.h - 1), r.whole(0, op.kernel.w - 1), r.whole(0, op.kernel.h - 1),
              r.whole(0, op.kernel.w - 1)};
  } else {
    op.pad = random_border(r, r.one_in(4) ? 7 : 2, one_row);
  }
}

/// A shape that is broadcast to `s`.
Shape broadcast_to(const Shape& s, Random& r) {
  if (r.one_in(3)) return s;
  Shape b;
  const int dropped = r.one_in(2) ? r.whole(0, s.rank) : 0;
  for (int i = dropped; i < s.rank; ++i) b.d[b.rank++] = r.one_in(2) ? 1 : s[i];
  return b;
}

/// Random fields, each op's own; a bad draw is told by the op's shape rule.
struct Randomise {
  const std::vector<Shape>& in;
  Random& r;

  int channels() const { return r.of({1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17}); }

  void operator()(nnom::Conv2D& op) const {
    randomise_window(op, in[0], false, r);
    const int c = in[0].back();
    op.out.c = channels();
    op.groups = 1;
    if (r.one_in(3)) {
      std::vector<int> divisors;
      for (int g = 1; g <= c; ++g)
        if (c % g == 0) divisors.push_back(g);
      op.groups = r.of(divisors);
      op.out.c = op.groups * r.whole(1, std::max(1, 17 / op.groups));
    }
  }
  void operator()(nnom::DepthwiseConv2D& op) const { randomise_window(op, in[0], false, r); }
  void operator()(nnom::MaxPool2D& op) const { randomise_window(op, in[0], true, r); }
  void operator()(nnom::AveragePool2D& op) const {
    randomise_window(op, in[0], true, r);
    op.rule.of_uint8 = r.one_in(3);
  }
  void operator()(nnom::SumPool2D& op) const { randomise_window(op, in[0], true, r); }
  void operator()(nnom::DynamicSumPool2D& op) const { randomise_window(op.pool, in[0], true, r); }
  void operator()(nnom::Dense& op) const { op.out = channels(); }
  void operator()(nnom::TransposeConv2D& op) const {
    const bool one_row = in[0].rank < 3, one_pixel = in[0].rank < 2;
    op.kernel = {one_row ? 1 : r.whole(1, 5), one_pixel ? 1 : r.whole(1, 5)};
    op.stride = {one_row ? 1 : r.whole(1, 4), one_pixel ? 1 : r.whole(1, 4)};
    if (!r.one_in(3)) op.pad = random_border(r, 4, one_row);
    if (one_pixel) op.pad = {};
    op.extra = {};
    op.extra = {one_row ? 0 : r.whole(0, 2), one_pixel ? 0 : r.whole(0, 2)};
    op.out.c = channels();
  }
  void operator()(nnom::MatMul& op) const {
    for (bool& t : op.transposed) t = r.one_in(2);
  }
  template <class Rule>
  void operator()(nnom::Reduce<Rule>& op) const {
    for (int i = 0; i < in[0].rank; ++i) op.axes[i] = r.one_in(2);
    op.keep = r.one_in(2);
  }
  template <class Rule>
  void operator()(nnom::Elementwise<Rule>& op) const {
    if constexpr (std::is_same_v<Rule, nnom::AddRule>) op.rule.minus = r.one_in(3);
    if constexpr (std::is_same_v<Rule, nnom::CompareRule>)
      op.rule.relation = static_cast<nnom::Relation>(r.whole(0, 5));
    if (in.size() == Rule::operands) return;
    op.constant = r.whole(0, Rule::operands - 1);
    op.constant_shape = broadcast_to(in[0], r);
  }
  void operator()(nnom::Concat& op) const {
    op.axis = r.one_in(3) ? r.whole(0, std::max(0, in[0].rank - 1)) : -1;
  }
  void operator()(nnom::Activation& op) const {
    using nnom::Function;
    op.function = static_cast<Function>(r.whole(0, static_cast<int>(Function::sparse_plus)));
    const bool hard = op.function == Function::hard_sigmoid || op.function == Function::hard_silu;
    op.slope = hard ? r.of({0.2f, 1.0f / 6}) : r.of({0.0f, 0.1f, 1.0f});
    if (op.function == Function::celu) op.slope = r.of({0.5f, 2.0f});
    op.threshold = hard ? 0.5f : r.of({0.0f, 0.5f});
    op.high = r.of({std::numeric_limits<float>::infinity(), 1.5f, 6.0f});
  }
  void operator()(nnom::Softmax& op) const {
    op.beta = r.of({1.0f, 1.0f, 0.3f, 2.0f});
    op.log = r.one_in(3);
  }
  void operator()(nnom::Pad& op) const {
    op.mode = static_cast<nnom::Beyond>(r.whole(0, 3));
    op.value = r.of({0.0f, 0.0f, 1.0f, -0.7f});
    for (int i = 0; i < in[0].rank; ++i)
      if (r.one_in(2)) op.before[i] = r.whole(0, 3), op.after[i] = r.whole(0, 3);
  }
  void operator()(nnom::Slice& op) const {
    op.out = in[0];
    for (int i = 0; i < in[0].rank; ++i) {
      op.out.d[i] = r.one_in(2) ? in[0][i] : r.whole(1, in[0][i]);
      op.step[i] = r.of({1, 1, 1, 2, 3, -1, -2});
      const int room = in[0][i] - 1 - (op.out[i] - 1) * std::abs(op.step[i]);
      op.begin[i] = r.whole(0, std::max(room, 0));
      if (op.step[i] < 0) op.begin[i] += (op.out[i] - 1) * -op.step[i];
    }
  }
  void operator()(nnom::Resize& op) const {
    op.coordinate = static_cast<nnom::Coordinate>(r.whole(0, 3));
    op.interpolation = static_cast<nnom::Interpolation>(r.one_in(2) ? 0 : r.whole(1, 4));
    op.out.h = in[0].rank < 3 ? 1 : r.whole(1, 13);
    op.out.w = r.whole(1, 13);
    if (r.one_in(3)) op.ratio[0] = op.ratio[1] = r.of({0.5f, 0.75f, 1.0f, 1.5f});
  }
  void operator()(nnom::Gather& op) const {
    op.axis = r.whole(0, std::max(0, in[0].rank - 1));
    op.indices.rank = r.of({0, 1, 1, 2});
    for (int i = 0; i < op.indices.rank; ++i) op.indices.d[i] = r.whole(1, 4);
  }
  void operator()(nnom::ArgMax& op) const {
    op.axis = r.whole(0, std::max(0, in[0].rank - 1));
    if (in[0][op.axis] > 256) op.axis = in[0].rank;  // int8 can't tell so many places apart
    op.smallest = r.one_in(2), op.last = r.one_in(2);
  }
  void operator()(nnom::Constant& op) const { op.out = in[0]; }
  void operator()(nnom::Embedding& op) const { op.rows = r.whole(1, 30), op.width = r.whole(1, 6); }
  void operator()(nnom::Lstm& op) const {
    op.units = r.whole(1, 11);
    op.stateful = r.one_in(2);
    op.clip = r.of({0.0f, 0.0f, 0.5f});
  }
  template <class Cell>
  void operator()(nnom::RecurrentLayer<Cell>& op) const {
    using Layer = nnom::RecurrentLayer<Cell>;
    op.units = in.size() > 1 ? in[1].back() : r.whole(1, 11);
    size_t given = 1;
    for (int k = 0; k < Layer::states; ++k) {
      const size_t left = in.size() - given, open = static_cast<size_t>(Layer::states - k);
      op.begin[k] = left && (left == open || r.one_in(2)) ? nnom::Begin::input
                    : r.one_in(3)                         ? nnom::Begin::constant
                                                          : nnom::Begin::zero;
      given += op.begin[k] == nnom::Begin::input;
    }
    for (nnom::GateFunction& f : op.functions) {
      using nnom::Function;
      if (r.one_in(4))
        f.function = r.of({Function::hard_sigmoid, Function::relu, Function::linear, Function::tanh,
                           Function::sigmoid});
      f.slope = r.of({0.2f, 1.0f / 6}), f.offset = r.of({0.5f, 0.3f});
    }
    op.stateful = in.size() == 1 && r.one_in(3);
    op.backwards = r.one_in(3), op.sequences = r.one_in(2);
    if (Layer::states > 1 && r.one_in(4)) op.shown = Layer::kCell;
    if constexpr (requires { op.cell.reset_after; }) op.cell.reset_after = r.one_in(2);
    if constexpr (requires { op.cell.peepholes; }) op.cell.peepholes = r.one_in(3);
  }
  void operator()(nnom::Svdf& op) const {
    op.units = r.whole(1, 9), op.rank = r.whole(1, 3), op.memory_size = r.whole(1, 6);
  }
  void operator()(nnom::Lambda&) const {}  // none of op_names()
  void operator()(nnom::Reshape& op) const {
    const int n = in[0].size();
    std::vector<int> divisors;
    for (int d = 1; d <= n; ++d)
      if (n % d == 0) divisors.push_back(d);
    const int d = r.of(divisors);
    op.out = r.one_in(2) ? Shape{1, {n}} : Shape{2, {n / d, d}};
    if (r.one_in(3)) op.out = Shape{3, {1, n / d, d}};
  }
  void operator()(nnom::Transpose& op) const {
    for (int i = 0; i < 6; ++i) op.order[i] = i;
    for (int i = 1; i < in[0].rank; ++i) std::swap(op.order[i], op.order[r.whole(0, i)]);
  }
};

Range random_range(Random& r) {
  constexpr float all = std::numeric_limits<float>::infinity();
  return r.of({Range{}, Range{}, Range{0, all}, Range{0, 1.5f}, Range{-0.5f, 1}});
}

/// Weights that leave the variance of evenly spread values about as it is.
void randomise_weights(Node& node, Random& r) {
  const size_t channels = info(node.op).channels(node.op);
  const size_t count = info(node.op).weights(node.op);
  const double size = std::sqrt(3.0 * static_cast<double>(channels) / static_cast<double>(count));
  const bool depthwise = std::holds_alternative<nnom::DepthwiseConv2D>(node.op);
  std::vector<double> spread(channels);  // channels of unlike size
  for (double& s : spread) s = size * r.real(0.2, 1);
  for (size_t i = 0; i < count; ++i)
    node.weights.push_back(static_cast<float>(
        r.real(-1, 1) * spread[depthwise ? i % channels : i / (count / channels)]));
  if (r.one_in(4)) return;
  for (size_t i = 0; i < channels; ++i) node.bias.push_back(static_cast<float>(r.real(-0.5, 0.5)));
}

/// Weights and biases of a node that remembers.
void randomise_recurrent(Node& node, Random& r) {
  const size_t biases = info(node.op).channels(node.op);
  const double size = std::visit(  // so that nothing grows beyond all bounds
      [](const auto& op) {
        if constexpr (requires { op.functions; })
          for (const nnom::GateFunction& f : op.functions)
            if (!f.bounded()) return 0.25;
        return 1.0;
      },
      node.op);
  for (size_t i = info(node.op).weights(node.op); i > 0; --i)
    node.weights.push_back(static_cast<float>(r.real(-size, size)));
  for (size_t i = r.one_in(4) ? 0 : biases; i > 0; --i)
    node.bias.push_back(static_cast<float>(r.real(-0.5, 0.5)));
}

/// Constants of a node that has no weights.
void randomise_constants(Node& node, Random& r) {
  const size_t count = info(node.op).weights(node.op);
  const auto* gather = std::get_if<nnom::Gather>(&node.op);
  for (size_t i = 0; i < count; ++i)
    node.weights.push_back(gather        ? static_cast<float>(r.whole(0, gather->size - 1))
                           : r.one_in(8) ? 0
                                         : static_cast<float>(r.real(-1, 2)));
}

Shape random_shape(const std::string& name, Random& r) {
  const int c = r.of({1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17});
  if (name == "Dense" || name == "Svdf") return {1, {r.one_in(4) ? r.whole(30, 70) : c}};
  if (name == "Lstm") return {2, {r.whole(1, 6), c}};
  if (name.ends_with("Layer"))
    return r.one_in(4) ? Shape{3, {r.whole(1, 4), r.whole(1, 3), c}} : Shape{2, {r.whole(1, 6), c}};
  const std::vector<std::string> any = {"Transpose", "Reshape", "Concat",  "Pad",     "Slice",
                                        "Gather",    "Mean",    "Sum",     "Product", "ReduceMax",
                                        "ReduceMin", "Add",     "Compare", "Select",  "ArgMax"};
  if (std::count(any.begin(), any.end(), name) && !r.one_in(4)) {
    Shape s{r.whole(1, r.one_in(6) ? 6 : 4), {}};
    for (int i = 0; i < s.rank; ++i) s.d[i] = r.whole(1, s.rank > 4 ? 3 : 6);
    return s;
  }
  if (name == "Softmax" && r.one_in(20)) return {1, {r.whole(200, 3000)}};
  if (r.one_in(12)) return {1, {c}};
  if (r.one_in(4)) return {2, {r.whole(1, 20), c}};
  return {3, {r.whole(1, 11), r.whole(1, 11), c}};
}

/// Shapes of inputs that an op may take.
std::vector<Shape> random_inputs(const std::string& name, Random& r) {
  const Shape shape = random_shape(name, r);
  std::vector<Shape> shapes;
  if (name == "MatMul") {
    const int m = r.whole(1, 9), k = r.whole(1, 9), n = r.whole(1, 9);
    const Shape batch{r.whole(0, 3), {r.whole(1, 4), r.whole(1, 4), r.whole(1, 3)}};
    for (const auto& [rows, columns] : {std::pair(m, k), std::pair(k, n)}) {
      Shape s = broadcast_to(batch, r);
      const bool transposed = r.one_in(2);
      s.d[s.rank++] = transposed ? columns : rows;
      s.d[s.rank++] = transposed ? rows : columns;
      shapes.push_back(s);
    }
  } else if (name.ends_with("Layer")) {  // recurrent: states may be given
    shapes.push_back(shape);
    const int batch = shape.rank == 3 ? shape[1] : 1, units = r.whole(1, 11);
    for (int n = r.one_in(3) ? r.whole(1, info(op_named(name)).max_inputs - 1) : 0; n > 0; --n)
      shapes.push_back(shape.rank == 3 ? Shape{2, {batch, units}} : Shape{1, {units}});
  } else if (name == "Concat") {
    const int axis = r.whole(0, shape.rank - 1);
    for (int n = r.whole(1, 8); n > 0; --n) {
      shapes.push_back(shape);
      shapes.back().d[axis] = r.whole(1, 6);
    }
  } else {
    const int operands = info(op_named(name)).max_inputs;
    const int inputs = operands > 1 && r.one_in(3) ? operands - 1 : operands;
    const bool even = r.one_in(3);
    for (int i = 0; i < inputs; ++i)
      shapes.push_back(operands == 1 || even ? shape : broadcast_to(shape, r));
  }
  return shapes;
}

}  // namespace

Op op_named(const std::string& name) {
  for (const Op& op : nnom::Ops<Defaults>::list())
    if (info(op).name == name) return op;
  return {};
}

std::vector<std::string> op_names() {
  std::vector<std::string> names = nnom::Ops<Names>::list();
  std::erase(names, "Lambda");  // whose functions come from a user's file: lambda_test
  return names;
}

int add_random(Graph& graph, const std::string& name, const std::vector<int>& inputs,
               Random& random) {
  std::vector<Shape> shapes;
  for (const int t : inputs) shapes.push_back(graph.shape(t));
  for (int attempt = 0; attempt < 40; ++attempt) {
    Node node;
    node.name = "layer " + std::to_string(graph.nodes.size());
    node.source = "Random";
    node.op = op_named(name);
    if (info(node.op).min_inputs) node.inputs = inputs;
    std::visit(Randomise{shapes, random}, node.op);
    const auto result =
        info(node.op).infer(node.op, shapes.data(), static_cast<int>(node.inputs.size()));
    if (result.error || result.out.size() > 20000) continue;
    if (info(node.op).linear)
      randomise_weights(node, random);
    else if (info(node.op).channels(node.op))
      randomise_recurrent(node, random);
    else
      randomise_constants(node, random);
    if (info(node.op).clamps) node.range = random_range(random);
    return graph.add(std::move(node));
  }
  return -1;
}

Graph random_layer(const std::string& name, Random& random) {
  for (;;) {
    Graph graph;
    graph.file = graph.name = "random";
    std::vector<int> inputs;
    for (const Shape& s : random_inputs(name, random))
      inputs.push_back(graph.add_input("input " + std::to_string(inputs.size()), s));
    const int output = add_random(graph, name, inputs, random);
    if (output < 0) continue;
    graph.outputs = {output};
    return graph;
  }
}

std::string describe(const Node& node) {
  return std::string(info(node.op).name) + " " + info(node.op).op_text(node.op);
}

bool has_int16(const std::string& name) {
  return std::visit([]<class O>(const O&) { return !real_only<O> && !int8_only<O>; },
                    op_named(name));
}

std::vector<Numbers> all_numbers() {
  std::vector<Numbers> list = {{}};
  for (const Rounding r : {Rounding::single_rounding, Rounding::double_rounding, Rounding::nearest})
    for (const Layout l : {Layout::plain, Layout::dsp, Layout::vector, Layout::helium,
                           Layout::compact, Layout::quads})
      list.push_back({true, r, l});
  list.push_back({true, Rounding::truncating, Layout::plain});
  return list;
}

std::string describe(const Numbers& n) {
  const char* const layouts[] = {"Plain", "Dsp", "Vector", "Helium", "Compact", "Quads"};
  if (!n.quantised) return "Float";
  if (n.width == Width::int16) return "Int16";
  const char* const roundings[] = {"Single ", "Double ", "PowerOfTwo ", "PowerOfTwo truncating "};
  return std::string(roundings[static_cast<size_t>(n.rounding)]) +
         layouts[static_cast<size_t>(n.layout)];
}

}  // namespace nnomc
