#include "compiler/report/html/report.hpp"

#include <fmt/format.h>

#include <memory>
#include <sstream>

#include "compiler/commands/commands.hpp"
#include "compiler/commands/options.hpp"
#include "compiler/commands/quality.hpp"
#include "compiler/data/read.hpp"
#include "compiler/error.hpp"
#include "compiler/io/file.hpp"
#include "compiler/report/html/hardware.hpp"
#include "compiler/report/table.hpp"

namespace nnomc {
namespace {

struct Options : ModelOptions {
  std::vector<Source> data;
  Source labels;
  std::string board, on, output, classes;
  std::size_t limit = 0, top_k = 3;
  Metric metric = Metric::accuracy;
};

/// The board, and whether to run the firmware for its core. The core and the board say each other
/// where only one is given.
Hardware board_for(const Options& o) {
  if (!o.board.empty()) {
    Hardware board = find_hardware(o.board);
    if (!o.on.empty() && o.on != "host" && o.on != board.core)
      throw Error("--on {}: the core of --board {} is a {}: leave out one of them", o.on, o.board,
                  board.core);
    return board;
  }
  if (!o.on.empty() && o.on != "host") return hardware_with(o.on);
  const std::string& target = o.compile.target;
  const bool core = o.target_given && target != "any" && target != "host";
  return core ? hardware_with(target) : find_hardware(Hardware::usual);
}

std::vector<std::string> split(const std::string& names) {
  std::vector<std::string> all;
  std::istringstream stream(names);
  for (std::string name; std::getline(stream, name, ',');) all.push_back(name);
  return all;
}

/// Accuracy of the program and of float, on this computer: a board gives the same bytes.
EvaluationReport judge(const Graph& graph, const Program& program, const Options& o,
                       Samples samples) {
  const Judge judge(graph, o.metric, o.top_k, o.labels, samples.count());
  if (o.limit) samples.limit(o.limit);
  samples.check_finite();
  EvaluationReport report;
  report.on = "host", report.metric = o.metric, report.top_k = o.top_k;
  report.samples = samples.count();
  report.quality =
      judge.judge(program, run_on_host(program, inputs_of(program, samples), "running"), samples);
  const Program reference = lower_float(graph);
  const Measured ran = run_on_host(reference, inputs_of(reference, samples), "running float");
  report.reference = judge.judge(reference, ran, samples);
  return report;
}

void report(Options& o) {
  if (o.data.empty() && !o.labels.empty())
    throw Error("--labels {}: give the samples that they belong to with --data", o.labels.name);
  const Hardware board = board_for(o);
  target_for(o, board.core);
  const Graph graph = load_graph(o);
  check_calibration(graph, o);
  Samples data = o.data.empty() ? Samples() : read_samples(graph, o.data, o);
  const Compiled compiled = compile_model(graph, o, data);
  ReportRequest request{.name = o.name.empty() ? stem_of(o.model) : o.name,
                        .model = graph,
                        .program = compiled.program,
                        .options = o.compile,
                        .calibration = compiled.calibration,
                        .sizing_only = is_random(o) && !graph.quantised(),
                        .board = board.name,
                        .measure = o.on != "host",
                        .classes = split(o.classes)};
  if (o.classes.empty() && is_directory(o.labels.name))
    request.classes = list_media(o.labels.name).names;
  // What was calibrated on random numbers has errors that mean nothing, and answers too.
  if (!is_random(o)) {
    request.samples = o.calibrate.empty() ? data : read_samples(graph, o.calibrate, o);
    request.samples.limit(o.calibration_samples);
  }
  if (!request.sizing_only && !o.data.empty() &&
      (!o.labels.empty() || o.metric != Metric::accuracy))
    request.evaluation = judge(graph, compiled.program, o, data);
  const std::string page = html_report(request);
  write_file(o.output, page);
  if (!o.output.starts_with("/dev/"))
    fmt::print("{}: {}, a page to open in a browser; for the {}\n", o.output,
               bytes_text(static_cast<std::int64_t>(page.size())), board.title);
}

}  // namespace

void add_report(CLI::App& nnom) {
  auto o = std::make_shared<Options>();
  CLI::App* app = nnom.add_subcommand(
      "report", "Write a page of HTML: whether a model fits, its speed, accuracy, memory, ranges");
  add_model(*app, *o);
  app->add_option("-o,--output", o->output, "the page to write")->type_name("FILE")->required();
  std::string names;
  for (const Hardware& h : all_hardware()) names += (names.empty() ? "" : ", ") + h.name;
  app->add_option("--board", o->board,
                  fmt::format("the board it is for: {} [{}, or the first with the core of --on or "
                              "--target]",
                              names, Hardware::usual))
      ->type_name("BOARD");
  add_on(*app, o->on);
  app->add_option("--data", o->data,
                  "samples to judge the answers by, as --calibrate takes them; repeat it for a "
                  "model of several inputs")
      ->type_name("X")
      ->expected(1)
      ->take_all();
  app->add_option("--labels", o->labels,
                  "the right answers: classes as integers or one-hot, or targets for mse and mae")
      ->type_name("Y");
  app->add_option("--classes", o->classes,
                  "names of the classes: cat,dog,bird [numbers, or the folders of --labels]")
      ->type_name("NAMES");
  app->add_option("--limit", o->limit, "judge only the first N samples")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  add_choice<Metric>(*app, "--metric", o->metric,
                     {{"accuracy", Metric::accuracy},
                      {"mse", Metric::mse},
                      {"mae", Metric::mae},
                      {"auc", Metric::auc}},
                     "what to judge by");
  add_data(*app, *o);
  add_lowering(*app, *o);
  add_emission(*app, *o);
  app->footer(
      "The firmware for the board's core is built and run under QEMU; --on host leaves that out.\n"
      "Example:\n"
      "  nnom report model.keras --calibrate images.npy --scale 1/255 --data test.npy \\\n"
      "    --labels labels.npy --board nano-33-ble -o report.html");
  app->callback([o] { report(*o); });
}

}  // namespace nnomc
