/// \file
/// The commands of `nnom`. Each adds itself to the command line, and runs when it is parsed.
#pragma once

#include <CLI/CLI.hpp>

namespace nnomc {

void add_convert(CLI::App& nnom);
void add_inspect(CLI::App& nnom);
void add_evaluate(CLI::App& nnom);
void add_run(CLI::App& nnom);
void add_compare(CLI::App& nnom);
void add_report(CLI::App& nnom);
void add_testset(CLI::App& nnom);
void add_hooks(CLI::App& nnom);

/// The whole command: what main() returns.
int nnom_main(int count, char** arguments);

}  // namespace nnomc
