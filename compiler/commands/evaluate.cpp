#include "compiler/commands/evaluate.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <memory>

#include "compiler/commands/commands.hpp"
#include "compiler/commands/quality.hpp"
#include "compiler/commands/runnable.hpp"
#include "compiler/error.hpp"
#include "compiler/io/file.hpp"
#include "compiler/measure/measure.hpp"
#include "compiler/passes/stream.hpp"
#include "compiler/report/evaluation.hpp"
#include "compiler/report/table.hpp"

namespace nnomc {
namespace {

void check(const EvaluateOptions& o) {
  if (o.as_float && o.on != "host")
    throw Error("--float runs on the host only: leave out --on {}, or --float", o.on);
  if (o.data.empty() && !o.labels.empty())
    throw Error("--labels {}: give the samples that they belong to with --data", o.labels.name);
  if (o.data.empty() && o.metric != Metric::accuracy)
    throw Error("--metric {}: give samples with --data", name_of(o.metric));
}

/// The samples, and the judge of what comes out.
struct Task {
  Samples samples;
  std::unique_ptr<Judge> judge;
};

Task read_task(const Graph& graph, const EvaluateOptions& o) {
  Task task;
  if (o.data.empty()) return task;
  task.samples = read_samples(graph, o.data, o);
  task.judge = std::make_unique<Judge>(graph, o.metric, o.top_k, o.labels, task.samples.count());
  return task;
}

}  // namespace

Evaluation evaluate(const Graph& graph, const EvaluateOptions& o, const Compiled* compiled) {
  const auto start = std::chrono::steady_clock::now();
  check(o);
  Evaluation made;
  EvaluationReport& report = made.report;
  Program program;
  report.model = o.name.empty() ? stem_of(o.model) : model_name(o, o.name);
  Task task = read_task(graph, o);
  report.on = o.on;
  report.metric = o.metric;
  report.top_k = o.top_k;
  if (graph.outputs.size() > 1 && task.judge)
    report.notes.push_back("judged by the first of its outputs, '" +
                           graph.tensors[static_cast<std::size_t>(graph.outputs[0])].name + "'");
  if (o.as_float) {
    program = lower_float(o.compile.stream ? step_by_step(graph) : graph);
  } else {
    Compiled made_here = compiled ? *compiled : compile_model(graph, o, task.samples);
    program = std::move(made_here.program);
    report.notes.insert(report.notes.begin(), made_here.calibration);
  }
  // What is left out may still have calibrated the model.
  if (o.limit) task.samples.limit(o.limit);
  task.samples.check_finite();
  report.samples = task.samples.count();
  const Runnable model(std::move(program), graph, o);
  if (o.compile.stream)
    report.notes.push_back("a step a run: " + counted(model.steps, "run") +
                           " a sample; costs are of one");
  const Inputs inputs = task.judge ? inputs_of(model.whole, task.samples) : noise_for(model.whole);
  made.measured = model.measure_on(o.on, inputs, o, true);
  if (task.judge) report.quality = task.judge->judge(model.whole, made.measured, task.samples);
  made.program = model.program;
  if (task.judge && o.with_float && !o.as_float) {
    const Program reference = lower_float(graph);
    const Measured ran =
        run_on_host(reference, inputs_of(reference, task.samples), "running float");
    report.reference = task.judge->judge(reference, ran, task.samples);
  }
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return made;
}

namespace {

void evaluate_and_print(EvaluateOptions& o) {
  target_for(o, o.on);
  const auto [report, program, measured] = evaluate(load_graph(o), o);
  if (!o.json.empty() && o.json != "-")
    write_file(o.json, evaluation_json(report, program, measured));
  fmt::print("{}", o.json == "-" ? evaluation_json(report, program, measured)
                                 : evaluation_text(report, program, measured,
                                                   terminal_columns(STDOUT_FILENO)));
}

}  // namespace

void add_evaluate_options(CLI::App& app, EvaluateOptions& o) {
  add_model(app, o);
  app.add_option("--data", o.data,
                 "samples to run, as --calibrate takes them; repeat it for a model of several "
                 "inputs [one inference on noise]")
      ->type_name("X")
      ->expected(1)
      ->take_all();
  app.add_option(
         "--labels", o.labels,
         "the right answers: classes as integers or one-hot, or targets for mse and mae, as "
         ".npy, .npz:key or .csv; or --data's folder, whose folders are the classes")
      ->type_name("Y");
  app.add_option("--limit", o.limit, "run only the first N samples")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  add_choice<Metric>(app, "--metric", o.metric,
                     {{"accuracy", Metric::accuracy},
                      {"mse", Metric::mse},
                      {"mae", Metric::mae},
                      {"auc", Metric::auc}},
                     "what to compare by; an autoencoder's auc is of its error");
  app.add_option("--top-k", o.top_k, "how many answers count as right beside top-1 [3]")
      ->type_name("K")
      ->check(CLI::PositiveNumber);
  add_stream(app, o);
  add_on(app, o.on);
  app.add_flag("--float", o.as_float, "run the float model instead, on the host");
  app.add_flag("--with-float", o.with_float, "show the float model's accuracy beside");
  app.add_option("--json", o.json, "write the figures as JSON ('-': print nothing else)")
      ->type_name("FILE");
  add_data(app, o);
  add_lowering(app, o);
  add_emission(app, o);
}

void add_evaluate(CLI::App& nnom) {
  auto o = std::make_shared<EvaluateOptions>();
  CLI::App* app = nnom.add_subcommand(
      "evaluate", "Measure a model: accuracy, and the cost of each layer, here or on a board");
  add_evaluate_options(*app, *o);
  app->footer(
      "Examples:\n"
      "  nnom evaluate model.keras --data test.npz:x --labels test.npz:y --scale 1/255 "
      "--with-float\n"
      "  nnom evaluate model.keras --on cortex-m4 --json cost.json\n"
      "The JSON holds model, on, samples, top1, topk, macs, arena_bytes, weights_bytes,\n"
      "code_bytes, stack_bytes, instructions, cycles and seconds, null where not measured; layers\n"
      "(name, op, macs, instructions, cycles) and functions (name, instructions, cycles) on a "
      "core;\n"
      "and mse, mae or auc where that is the metric; float_... of each with --with-float.");
  app->callback([o] { evaluate_and_print(*o); });
}

}  // namespace nnomc
