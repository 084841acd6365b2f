#include <unistd.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <new>

#include "compiler/commands/commands.hpp"
#include "compiler/commands/help.hpp"
#include "compiler/error.hpp"
#include "compiler/firmware/firmware.hpp"
#include "compiler/version.hpp"

namespace nnomc {
namespace {

constexpr int kFailed = 1, kMisused = 2;

int fail(const char* what) {
  std::fflush(stdout);
  fmt::print(stderr, "nnom: error: {}\n", what);
  return kFailed;
}

}  // namespace

int nnom_main(int count, char** arguments) {
  try {
    CLI::App app("Turns trained neural networks into C++ for microcontrollers.", "nnom");
    app.set_version_flag("--version", std::string("nnom ") + version, "print the version");
    app.require_subcommand(0, 1);
    app.formatter(std::make_shared<HelpFormatter>());
    app.failure_message(misuse_text);
    add_convert(app);
    add_inspect(app);
    add_evaluate(app);
    add_run(app);
    add_compare(app);
    add_report(app);
    add_testset(app);
    add_hooks(app);
    app.footer(
        "Examples:\n"
        "  nnom inspect model.keras\n"
        "  nnom convert model.keras --calibrate images.npy --scale 1/255 -o mnist.hpp\n"
        "  nnom evaluate model.keras --data test.npz:x --labels test.npz:y --scale 1/255\n"
        "  nnom evaluate model.keras --on cortex-m4\n"
        "`nnom COMMAND --help` explains a command.");
    if (count < 2) {
      fmt::print(stderr, "{}", app.help());
      return kMisused;
    }
    const std::string word = arguments[1];
    const auto commands = app.get_subcommands([&](CLI::App* c) { return c->get_name() == word; });
    if (!word.starts_with('-') && commands.empty()) {
      fmt::print(stderr, "nnom: error: there is no command '{}'\n`nnom --help` lists them.\n",
                 one_line(word));
      return kMisused;
    }
    try {
      app.parse(count, arguments);
    } catch (const CLI::ParseError& e) {
      return app.exit(e) == 0 ? 0 : kMisused;
    }
    if (std::fflush(stdout) != 0) return fail("can't write to the standard output");
    return 0;
  } catch (const BuildError& e) {
    fmt::print(stderr, "{}", e.log);
    return fail(e.what());
  } catch (const std::bad_alloc&) {
    return fail("not enough memory for this model and its data");
  } catch (const std::exception& e) {
    return fail(e.what());
  }
}

}  // namespace nnomc
