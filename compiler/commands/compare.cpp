#include "compiler/quantise/compare.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <memory>

#include "compiler/commands/commands.hpp"
#include "compiler/commands/options.hpp"
#include "compiler/error.hpp"
#include "compiler/report/comparison.hpp"
#include "compiler/report/program.hpp"
#include "compiler/report/table.hpp"

namespace nnomc {
namespace {

void compare(const ModelOptions& o) {
  if (is_random(o))
    throw Error("nnom compare: needs real samples: numbers chosen at random show no layer's error");
  const Graph graph = load_graph(o);
  Samples samples = read_samples(graph, o.calibrate, o);
  samples.limit(o.calibration_samples);
  const Program program = compile(graph, samples, o.compile);
  const std::vector<LayerError> errors =
      compare_with_float(program, samples, o.compile.per_channel);
  fmt::print("{}: {} against float on {}, worst layers first\n\n{}", stem_of(o.model),
             numbers_text(program), counted(samples.count(), "sample"),
             comparison_text(program, errors, terminal_columns(STDOUT_FILENO)));
}

}  // namespace

void add_compare(CLI::App& nnom) {
  auto o = std::make_shared<ModelOptions>();
  CLI::App* app =
      nnom.add_subcommand("compare", "Show where int8 differs from float, the worst layers first");
  add_model(*app, *o);
  add_data(*app, *o);
  app->get_option("--calibrate")->required();
  add_lowering(*app, *o);
  app->footer("Example:\n  nnom compare model.keras --calibrate images.npy --scale 1/255");
  app->callback([o] { compare(*o); });
}

}  // namespace nnomc
