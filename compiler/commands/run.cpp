#include <fmt/format.h>

#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include "compiler/commands/commands.hpp"
#include "compiler/commands/options.hpp"
#include "compiler/commands/runnable.hpp"
#include "compiler/error.hpp"
#include "compiler/io/file.hpp"
#include "compiler/measure/measure.hpp"
#include "compiler/passes/stream.hpp"
#include "compiler/report/table.hpp"

namespace nnomc {
namespace {

struct Options : ModelOptions {
  std::vector<std::string> inputs, outputs;
  std::string on = "host";
  bool as_float = false;
};

bool is_bin(const std::string& path) { return path.ends_with(".bin"); }

/// The real numbers of output `output` of every sample.
Array real_output(const Program& program, const Measured& measured, std::size_t output) {
  const Shape& shape = program.graph.shape(program.graph.outputs[output]);
  const std::vector<float> values = output_values(program, measured, output);
  Array array;
  array.shape.push_back(static_cast<std::int64_t>(values.size()) / shape.size());
  for (int i = 0; i < shape.rank; ++i) array.shape.push_back(shape[i]);
  array.bytes.resize(values.size() * sizeof(float));
  std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
  return array;
}

/// Writes all the files, or none.
void write_outputs(const Options& o, const Program& program, const Measured& measured) {
  std::size_t written = 0;
  try {
    for (; written < o.outputs.size(); ++written) {
      const std::string& path = o.outputs[written];
      if (!is_bin(path))
        write_npy(path, real_output(program, measured, written));
      else if (o.outputs.size() == 1)
        write_file(path, as_text(measured.outputs));
      else
        write_file(path, as_text(output_stored(program, measured, written)));
    }
  } catch (...) {
    std::error_code ignored;
    for (std::size_t i = 0; i < written; ++i) std::filesystem::remove(o.outputs[i], ignored);
    throw;
  }
}

void check(const Options& o, const Graph& graph) {
  if (o.as_float && o.on != "host")
    throw Error("--float runs on the host only: leave out --on {}, or --float", o.on);
  const std::size_t outputs = graph.outputs.size();
  const bool together = o.outputs.size() == 1 && is_bin(o.outputs[0]);
  if (!together && o.outputs.size() != outputs)
    throw Error("{}: the model has {} outputs, so give -o {} times, or one .bin file for all",
                graph.file, outputs, outputs);
}

void run(Options& o) {
  target_for(o, o.on);
  const Graph graph = load_graph(o);
  check(o, graph);
  const bool stored = is_bin(o.inputs[0]);
  for (const std::string& input : o.inputs)
    if (is_bin(input) != stored) throw Error("--input: all inputs have to be .bin files, or none");
  Samples samples;
  if (!stored) {
    samples = read_samples(graph, {o.inputs.begin(), o.inputs.end()}, o);
    samples.check_finite();
  } else if (!o.as_float && !graph.quantised() && o.calibrate.empty()) {
    throw Error(
        "--input {}: stored bytes mean something only with the model's scales; give the "
        "samples they are chosen from with --calibrate",
        o.inputs[0]);
  }
  Program program;
  if (o.as_float) {
    program = lower_float(o.compile.stream ? step_by_step(graph) : graph);
  } else {
    Compiled compiled = compile_model(graph, o, samples);
    program = std::move(compiled.program);
    if (o.calibrate.empty()) fmt::print(stderr, "nnom: {}\n", compiled.calibration);
  }
  const Runnable model(std::move(program), graph, o);
  Inputs inputs = stored ? read_stored(model.whole, o.inputs) : inputs_of(model.whole, samples);
  if (o.keep_state) inputs.follow = inputs.count;
  write_outputs(o, model.whole, model.measure_on(o.on, inputs, o, false));
}

}  // namespace

void add_run(CLI::App& nnom) {
  auto o = std::make_shared<Options>();
  CLI::App* app = nnom.add_subcommand("run", "Run a model on samples and write its outputs");
  add_model(*app, *o);
  app->add_option("--input", o->inputs,
                  "samples, as --calibrate takes them, or X.bin with the model's own bytes; repeat "
                  "it for a model of several inputs")
      ->type_name("X")
      ->expected(1)
      ->take_all()
      ->required();
  app->add_option("-o,--output", o->outputs,
                  "where the outputs go: Y.npy as real numbers, Y.bin as the model's own bytes; "
                  "repeat it for a model of several outputs")
      ->type_name("Y")
      ->expected(1)
      ->take_all()
      ->required();
  add_stream(*app, *o);
  add_on(*app, o->on);
  app->add_flag("--float", o->as_float, "run the float model instead, on the host");
  add_data(*app, *o);
  add_lowering(*app, *o);
  add_emission(*app, *o);
  app->footer(
      "Example:\n"
      "  nnom run model.keras --calibrate images.npy --input test.npy -o scores.npy\n"
      "  nnom run model.keras --calibrate images.npy --input test.bin -o scores.bin --on "
      "cortex-m4");
  app->callback([o] { run(*o); });
}

}  // namespace nnomc
