#include "python/binding/model.hpp"

#include <algorithm>

#include "compiler/commands/runnable.hpp"
#include "compiler/commands/testset.hpp"
#include "compiler/error.hpp"
#include "compiler/hooks/callback.hpp"
#include "compiler/io/file.hpp"
#include "compiler/report/html/hardware.hpp"
#include "compiler/report/html/report.hpp"
#include "compiler/report/program.hpp"
#include "compiler/report/scales.hpp"
#include "compiler/report/weights.hpp"
#include "python/binding/work.hpp"

namespace py = pybind11;

namespace nnomc::binding {
namespace {

/// Reads `arguments` as the command does that takes the options `add` adds.
template <class Options>
void parse(Options& options, void (*add)(CLI::App&, Options&), Arguments arguments) {
  CLI::App app;
  add(app, options);
  std::ranges::reverse(arguments);  // CLI11 takes them from the end
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& e) {
    throw Error("{}", e.what());
  }
}

Port port_of(const Graph& graph, int tensor, const std::vector<std::vector<int>>& orders,
             std::size_t index, const Program* program) {
  const Tensor& t = graph.tensors[static_cast<std::size_t>(tensor)];
  std::vector<int> order = index < orders.size() ? orders[index] : std::vector<int>{};
  if (order.empty())
    for (int axis = 0; axis < t.shape.rank; ++axis) order.push_back(axis);
  const Quantisation none{};
  const Quantisation& q = program ? program->scales[static_cast<std::size_t>(tensor)] : none;
  return {t.name,
          tuple_of(in_file_order(t.shape, orders, index)),
          py::tuple(py::cast(order)),
          program ? static_cast<double>(q.scale) : 0,
          program ? q.zero : 0,
          program ? q.bits : 0};
}

std::vector<Port> ports(const Graph& graph, const std::vector<int>& tensors,
                        const std::vector<std::vector<int>>& orders, const Program* program) {
  std::vector<Port> all;
  for (std::size_t i = 0; i < tensors.size(); ++i)
    all.push_back(port_of(graph, tensors[i], orders, i, program));
  return all;
}

std::vector<py::ssize_t> sizes_of(const Shape& shape, std::size_t samples) {
  std::vector<py::ssize_t> sizes = {static_cast<py::ssize_t>(samples)};
  for (int i = 0; i < shape.rank; ++i) sizes.push_back(shape[i]);
  return sizes;
}

/// Calls `function` with Python's lock; its last owner may be without.
HookFunction callback(const Graph& graph, const Node& node, const py::function& function) {
  const auto unlock = [](py::function* f) {
    const py::gil_scoped_acquire locked;
    delete f;
  };
  const std::shared_ptr<py::function> held(new py::function(function), unlock);
  std::vector<Shape> shapes;
  for (const int t : node.inputs) shapes.push_back(graph.shape(t));
  return [held, shapes, name = node.name](const std::vector<std::vector<float>>& inputs,
                                          std::span<float> output) {
    const py::gil_scoped_acquire locked;
    py::list arrays;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      std::vector<py::ssize_t> sizes = sizes_of(shapes[i], 0);
      sizes.erase(sizes.begin());
      arrays.append(array_of(inputs[i], sizes));
    }
    using Floats = py::array_t<float, py::array::c_style | py::array::forcecast>;
    const Floats made = py::cast<Floats>((*held)(arrays));
    if (static_cast<std::size_t>(made.size()) != output.size())
      throw Error("layer '{}': its function gave {} values, not {}", name, made.size(),
                  output.size());
    std::copy_n(made.data(), output.size(), output.begin());
  };
}

}  // namespace

Network::Network(const Arguments& arguments, const std::map<std::string, py::function>& callbacks,
                 const std::string& shown) {
  parse(options_, add_convert_options, arguments);
  graph_ = unlocked([&] { return load_graph(options_); });
  graph_.file = options_.model = shown;
  for (Node& node : graph_.nodes) {
    if (!node.hook || !options_.hooks.header.empty()) continue;
    for (const std::string& name : {node.hook->layer, node.source})  // or the class
      if (const auto own = callbacks.find(name); own != callbacks.end()) {
        set_callback(*node.hook, callback(graph_, node, own->second));
        break;
      }
  }
}

std::vector<Port> Network::inputs() const {
  return ports(graph_, graph_.inputs, graph_.input_order, nullptr);
}

std::unique_ptr<Model> Network::compile(const std::vector<NamedArray>& samples) {
  if (!samples.empty()) options_.calibrate = sources_of(samples);
  options_.warn = [this](const std::string& text) { warnings_.push_back(text); };
  Compiled compiled = unlocked([&] {
    check_calibration(graph_, options_);
    return compile_model(graph_, options_, {});
  });
  return std::make_unique<Model>(graph_, std::move(compiled), options_);
}

Model::Model(Graph graph, Compiled compiled, ModelOptions options)
    : graph_(std::move(graph)), compiled_(std::move(compiled)), options_(std::move(options)) {
  options_.warn = nullptr;
}

template <class Options>
Options Model::options_of(void (*add)(CLI::App&, Options&), const Arguments& arguments) const {
  Options options;
  Arguments all = {options_.model};
  all.insert(all.end(), arguments.begin(), arguments.end());
  parse(options, add, all);
  const std::string name = options.name, section = options.section;
  static_cast<ModelOptions&>(options) = options_;
  options.name = name, options.section = section;
  return options;
}

std::vector<Port> Model::inputs() const {
  const Graph& graph = compiled_.program.graph;
  return ports(graph, graph.inputs, graph.input_order, &compiled_.program);
}

std::vector<Port> Model::outputs() const {
  const Graph& graph = compiled_.program.graph;
  return ports(graph, graph.outputs, graph.output_order, &compiled_.program);
}

std::vector<py::array> Model::run(const std::vector<NamedArray>& inputs, const std::string& on,
                                  bool stored) const {
  const Program& program = compiled_.program;
  const Graph& graph = program.graph;
  ModelOptions options = options_;
  options.keep_state |= stream();
  options.compile.stream = false;  // samples are steps
  const std::vector<Source> sources = sources_of(inputs);
  std::size_t count = 0;
  const Measured measured = unlocked([&] {
    const Samples samples = read_samples(graph, sources, options);
    samples.check_finite();
    count = samples.count();
    Inputs runs = inputs_of(program, samples);
    if (options.keep_state) runs.follow = runs.count;
    return Runnable(program, graph, options).measure_on(on, runs, options, false);
  });
  std::vector<py::array> all;
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    const std::vector<py::ssize_t> sizes = sizes_of(graph.shape(graph.outputs[i]), count);
    const int bits = program.scales[static_cast<std::size_t>(graph.outputs[i])].bits;
    all.push_back(stored ? array_of(output_stored(program, measured, i), bits, sizes)
                         : array_of(output_values(program, measured, i), sizes));
  }
  return all;
}

Evaluation Model::measure(const Arguments& arguments, const std::vector<NamedArray>& data,
                          const std::vector<NamedArray>& labels) const {
  EvaluateOptions options = options_of(add_evaluate_options, arguments);
  if (!data.empty()) options.data = sources_of(data);
  if (!labels.empty()) options.labels = sources_of(labels)[0];
  return unlocked([&] { return nnomc::evaluate(graph_, options, &compiled_); });
}

std::pair<std::string, std::string> Model::evaluate(const Arguments& arguments,
                                                    const std::vector<NamedArray>& data,
                                                    const std::vector<NamedArray>& labels) const {
  const Evaluation made = measure(arguments, data, labels);
  return {evaluation_text(made.report, made.program, made.measured, 100),
          evaluation_json(made.report, made.program, made.measured)};
}

std::vector<std::string> Model::save(const Arguments& arguments) const {
  const ConvertOptions options = options_of(add_convert_options, arguments);
  check(options);
  return unlocked([&] { return write_model(compiled_, options); });
}

std::size_t Model::testset(const std::vector<NamedArray>& data,
                           const std::vector<NamedArray>& labels, const std::string& path) const {
  TestsetOptions options;
  static_cast<ModelOptions&>(options) = options_;
  options.data = sources_of(data);
  options.labels = sources_of(labels)[0];
  options.output = path;
  return unlocked([&] { return write_testset(compiled_.program, options).samples; });
}

std::string Model::usual_board() const {
  const std::string& target = options_.compile.target;
  return target == "any" || target == "host" ? Hardware::usual : hardware_with(target).name;
}

void Model::report(const std::string& path, const Arguments& arguments,
                   const std::vector<NamedArray>& data, const std::vector<NamedArray>& labels,
                   const std::string& board, bool measured,
                   const std::vector<std::string>& classes) const {
  ReportRequest request{.name = options_.name.empty() ? stem_of(options_.model) : options_.name,
                        .model = graph_,
                        .program = compiled_.program,
                        .options = options_.compile,
                        .calibration = compiled_.calibration,
                        .sizing_only = compiled_.sizing_only,
                        .board = board.empty() ? usual_board() : board,
                        .measure = measured,
                        .classes = classes};
  if (!options_.calibrate.empty() && !compiled_.sizing_only) {
    request.samples = read_samples(graph_, options_.calibrate, options_);
    request.samples.limit(options_.calibration_samples);
  }
  if (!data.empty()) request.evaluation = measure(arguments, data, labels).report;
  unlocked([&] { write_file(path, html_report(request)); });
}

std::string Model::summary(std::size_t width) const {
  return inspect_text(compiled_.program, graph_, options_.compile.target, width);
}

std::string Model::scales() const { return scales_text(compiled_.program); }

py::list Model::weights() const {
  py::list layers;
  for (const StoredLayer& layer : stored_weights(compiled_.program, options_.compile.per_channel)) {
    const auto channels = static_cast<py::ssize_t>(layer.scale.size());
    const auto values = static_cast<py::ssize_t>(layer.values.size());
    layers.append(py::make_tuple(
        layer.name, py::array_t<std::int8_t>({channels, values / channels}, layer.values.data()),
        py::array_t<double>(channels, layer.scale.data()),
        py::array_t<double>(channels, layer.bias.data())));
  }
  return layers;
}

}  // namespace nnomc::binding
