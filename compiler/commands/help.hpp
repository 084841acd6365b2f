/// \file
/// How `nnom` explains itself.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace nnomc {

/// Lists options with their choices, and breaks the lines where the terminal ends.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_subcommand(const CLI::App* command) const override;
  std::string make_footer(const CLI::App* app) const override;
};

/// What is said of a command line that can't be understood.
std::string misuse_text(const CLI::App* app, const CLI::Error& error);

}  // namespace nnomc
