#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <utility>

#include "compiler/commands/commands.hpp"
#include "compiler/commands/options.hpp"
#include "compiler/passes/drop_channels.hpp"
#include "compiler/report/program.hpp"
#include "compiler/report/table.hpp"

namespace nnomc {
namespace {

void inspect(const ModelOptions& o) {
  // Neither RAM nor flash depends on the values of the scales, so no samples are needed.
  const Graph graph = load_graph(o);
  Graph lean = graph;
  drop_many_channels(lean, lowering_of(o.compile).numbers);
  const Program program = lower(std::move(lean), {}, lowering_of(o.compile));
  fmt::print("{}", inspect_text(program, graph, o.compile.target, terminal_columns(STDOUT_FILENO)));
}

}  // namespace

void add_inspect(CLI::App& nnom) {
  auto o = std::make_shared<ModelOptions>();
  CLI::App* app =
      nnom.add_subcommand("inspect", "Show a model's layers, and the RAM and flash it will need");
  add_model(*app, *o);
  add_lowering(*app, *o);
  app->footer("Example:\n  nnom inspect model.keras --target cortex-m4");
  app->callback([o] { inspect(*o); });
}

}  // namespace nnomc
