#include "compiler/commands/help.hpp"

#include <unistd.h>

#include <algorithm>

#include "compiler/report/table.hpp"

namespace nnomc {
namespace {

constexpr std::size_t kColumn = 30;  // where descriptions begin

std::string entry(const std::string& name, const std::string& description) {
  const std::size_t width = terminal_columns(STDOUT_FILENO);
  const std::string start = "  " + name;
  if (width_of(start) + 2 <= kColumn) return wrapped(pad_right(start, kColumn), description, width);
  return start + "\n" + wrapped(std::string(kColumn, ' '), description, width);
}

}  // namespace

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  std::string name = make_option_name(option, is_positional);
  std::replace(name.begin(), name.end(), ',', ' ');
  std::string description = make_option_desc(option);
  if (option->get_required() && !is_positional) description += " (required)";
  return entry(name + (is_positional ? "" : make_option_opts(option)), description);
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  // "WORD", "WORD:{a,b}" or ":{a,b}"
  std::string type = option->get_type_name();
  const auto colon = type.find(':');
  if (colon == 0)
    type = type.substr(1);
  else if (colon != std::string::npos)
    type = type.substr(0, colon);
  std::erase_if(type, [](char c) { return c == '{' || c == '}'; });
  std::replace(type.begin(), type.end(), ',', '|');
  return type.empty() || option->get_items_expected_max() == 0 ? "" : " " + type;
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  return entry(command->get_name(), command->get_description());
}

std::string HelpFormatter::make_footer(const CLI::App* app) const {
  // Examples are to be copied, so their lines stay as they are.
  return app->get_footer() + "\n";
}

std::string misuse_text(const CLI::App* app, const CLI::Error& error) {
  std::string command = "nnom";
  for (const CLI::App* chosen : app->get_subcommands()) command += " " + chosen->get_name();
  return std::string("nnom: error: ") + error.what() + "\n`" + command +
         " --help` explains the options.\n";
}

}  // namespace nnomc
