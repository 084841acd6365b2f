#include "compiler/hooks/hooks.hpp"

#include <memory>

#include "compiler/commands/commands.hpp"
#include "compiler/commands/options.hpp"
#include "compiler/error.hpp"
#include "compiler/io/file.hpp"

namespace nnomc {
namespace {

struct Options {
  std::string model, output = "hooks.hpp";
  HookOptions hooks;
};

void write_skeleton(const Options& o) {
  if (is_file(o.output)) throw Error("-o {}: is there already and is not overwritten", o.output);
  write_file(o.output, hook_skeleton(load_model(o.model, o.hooks)));
  fmt::print("{0}: fill in its functions, then give it with --hooks {0}\n", o.output);
}

}  // namespace

void add_hooks(CLI::App& nnom) {
  auto o = std::make_shared<Options>();
  CLI::App* app = nnom.add_subcommand(
      "hooks", "Write a header to fill in: the C++ functions of layers that are your own code");
  add_file(*app, o->model, o->hooks);
  app->add_option("-o,--output", o->output, "the header [hooks.hpp]")->type_name("FILE");
  app->footer(
      "Example:\n"
      "  nnom hooks model.keras --lambda swirl=28x28x1,alpha=0.5 -o hooks.hpp\n"
      "then fill it in, and\n"
      "  nnom convert model.keras --lambda swirl=28x28x1,alpha=0.5 --hooks hooks.hpp "
      "--calibrate images.npy");
  app->callback([o] { write_skeleton(*o); });
}

}  // namespace nnomc
