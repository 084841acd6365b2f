#include "compiler/firmware/firmware.hpp"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <sstream>
#include <system_error>
#include <thread>

#include "compiler/firmware/boards.hpp"
#include "compiler/firmware/counts.hpp"
#include "compiler/firmware/paths.hpp"
#include "compiler/firmware/process.hpp"

namespace nnomc {
namespace {

namespace fs = std::filesystem;

std::string require_program(const std::string& name, const std::string& packages,
                            const std::string& purpose) {
  std::string path = find_program(name);
  if (path.empty()) {
    throw Error("{} is needed to {} but not installed; on Debian or Ubuntu: apt-get install {}",
                name, purpose, packages);
  }
  return path;
}

void require_success(const Outcome& outcome, const std::string& what) {
  if (outcome.exit_code == 0) return;
  const std::string log = outcome.output + outcome.errors;
  throw BuildError(fmt::format("{}: {}", what, first_complaint(log)), log);
}

/// Runs the commands on all processors; the outcomes are in their order.
std::vector<Outcome> run_all(const std::vector<Command>& commands) {
  std::vector<Outcome> outcomes(commands.size());
  std::vector<std::exception_ptr> failures(commands.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i; (i = next++) < commands.size();) {
      try {
        outcomes[i] = run_command(commands[i]);
      } catch (...) {
        failures[i] = std::current_exception();
      }
    }
  };
  {
    const std::size_t processors = std::max(1U, std::thread::hardware_concurrency());
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < std::min(processors, commands.size()); ++i)
      threads.emplace_back(work);
    work();
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
  return outcomes;
}

Command compile_command(const Build& build, const Board& board, const std::string& compiler,
                        const std::string& source, const std::string& object) {
  const std::string data = data_dir();
  std::vector<std::string> arguments = {compiler};
  arguments.insert(arguments.end(), board.flags.begin(), board.flags.end());
  arguments.insert(arguments.end(),
                   {build.optimise, "-I" + data + "/runtime", "-I" + data + "/ports"});
  for (const std::string& folder : build.include_dirs) arguments.push_back("-I" + folder);
  for (const std::string& define : build.defines) arguments.push_back("-D" + define);
  // The board's flags are for C++: what C doesn't know is passed over. Libraries in C read words by
  // memcpy, which only a hosted compiler inlines.
  if (source.ends_with(".c"))
    arguments.insert(arguments.end(), {"-x", "c", "-std=gnu11", "-fhosted"});
  arguments.insert(arguments.end(), {"-c", source, "-o", object});
  return {.arguments = std::move(arguments)};
}

Command link_command(const Build& build, const Board& board, const std::string& compiler,
                     const std::vector<std::string>& objects, const std::string& elf) {
  std::vector<std::string> arguments = {compiler};
  arguments.insert(arguments.end(), board.flags.begin(), board.flags.end());
  arguments.push_back(build.optimise);
  arguments.insert(arguments.end(), objects.begin(), objects.end());
  arguments.insert(arguments.end(), board.link_flags.begin(), board.link_flags.end());
  arguments.insert(arguments.end(), {"-T", board.linker_script, "-o", elf});
  return {.arguments = std::move(arguments)};
}

/// A comma ends a value in QEMU's options; a doubled one is a comma.
std::string quoted(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == ',' ? ",," : std::string(1, c);
  return result;
}

/// A QEMU without plugins, or with another version of their interface, ends before it starts.
bool refuses_plugin(const Outcome& outcome) {
  return outcome.exit_code == 1 && outcome.output.empty() &&
         outcome.errors.find("plugin") != std::string::npos;
}

std::vector<std::string> emulator_arguments(const Board& board, const std::string& elf,
                                            const RunOptions& options) {
  std::string semihosting = "enable=on,target=native,chardev=console";
  for (const std::string& argument : options.arguments) {
    if (argument.empty() || argument.find(' ') != std::string::npos) {
      throw Error("firmware arguments can't be empty or hold spaces: '{}'", argument);
    }
    semihosting += ",arg=" + quoted(argument);
  }
  std::vector<std::string> arguments = {
      require_program(board.emulator, board.emulator_packages, "run firmware"),
      "-machine",
      board.machine,
      "-icount",
      "shift=0",  // an instruction is a nanosecond: every run is the same
      "-display",
      "none",
      "-monitor",
      "none",
      "-serial",
      "none",
      "-chardev",
      "stdio,id=console,signal=off",
      "-semihosting-config",
      semihosting,
      "-kernel",
      fs::absolute(elf).string()};
  arguments.insert(arguments.end(), board.emulator_flags.begin(), board.emulator_flags.end());
  return arguments;
}

}  // namespace

std::string first_complaint(const std::string& log) {
  for (const char* sign : {"overflowed by", "undefined reference", "error:", ""}) {
    std::istringstream lines(log);
    for (std::string line; std::getline(lines, line);) {
      if (!line.empty() && line.find(sign) != std::string::npos) return line;
    }
  }
  return "no reason given";
}

std::string build_firmware(const Build& build) {
  const Board board = find_board(build.core);
  const std::string compiler =
      require_program(board.compiler, board.compiler_packages, "build firmware for " + build.core);
  std::error_code error;
  fs::create_directories(build.directory, error);
  if (error) throw Error("{}: can't make the folder: {}", build.directory, error.message());

  std::vector<std::string> sources = build.sources;
  sources.insert(sources.end(), board.sources.begin(), board.sources.end());
  std::vector<std::string> objects;
  std::vector<Command> commands;
  for (const std::string& source : sources) {
    const std::string name =
        fmt::format("{}_{}.o", objects.size(), fs::path(source).stem().string());
    objects.push_back((fs::path(build.directory) / name).string());
    commands.push_back(compile_command(build, board, compiler, source, objects.back()));
  }
  const std::vector<Outcome> outcomes = run_all(commands);
  for (std::size_t i = 0; i < outcomes.size(); ++i) require_success(outcomes[i], sources[i]);

  std::string elf = (fs::path(build.directory) / "firmware.elf").string();
  require_success(run_command(link_command(build, board, compiler, objects, elf)),
                  "linking for " + build.core);
  return elf;
}

Run run_firmware(const std::string& elf, const std::string& core, const RunOptions& options) {
  const Board board = find_board(core);
  Command command{.arguments = emulator_arguments(board, elf, options),
                  .directory = options.directory,
                  .on_line = options.on_line,
                  .timeout = options.timeout};
  const TempDir folder;
  const std::string counts = folder.file("counts");
  const std::string plugin = options.count ? cycles_plugin() : "";
  if (!plugin.empty()) {
    command.arguments.push_back("-plugin");
    command.arguments.push_back(fmt::format("{},core={},out={}", quoted(plugin),
                                            quoted(board.cycle_model), quoted(counts)));
  }
  Outcome outcome = run_command(command);
  if (outcome.timed_out) {
    throw Error("{} on {} did not end within {:.1f} s", elf, core,
                static_cast<double>(options.timeout.count()) / 1000.0);
  }
  if (!plugin.empty() && refuses_plugin(outcome)) {
    RunOptions uncounted = options;
    uncounted.count = false;
    return run_firmware(elf, core, uncounted);
  }
  if (outcome.exit_code != 0 && !outcome.errors.empty()) {
    throw Error("{}: {}", board.emulator, first_complaint(outcome.errors));
  }
  Run run;
  run.exit_code = outcome.exit_code;
  run.output = std::move(outcome.output);
  read_counts(counts, !board.cycle_model.empty(), run);
  return run;
}

void check(const Run& run) {
  if (run.exit_code == 0) return;
  std::istringstream lines(run.output);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("FAULT")) throw Error("the firmware crashed: {}", line);
    if (line.starts_with("error ")) throw Error("the firmware says: {}", line.substr(6));
  }
  throw Error("the firmware ended with code {}", run.exit_code);
}

}  // namespace nnomc
