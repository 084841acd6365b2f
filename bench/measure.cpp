#include "bench/measure.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <thread>

#include "compiler/error.hpp"
#include "compiler/firmware/firmware.hpp"
#include "compiler/firmware/process.hpp"
#include "compiler/report/progress.hpp"

namespace nnomc::bench {
namespace {

std::string describe(const Job& job) {
  return fmt::format("{} on {} for {}", job.model.name, job.core, job.optimise);
}

Run run(const Job& job) {
  Command command{.arguments = {NNOM_BINARY, "evaluate", job.model.file, "--name", "model", "--on",
                                job.core, "--optimise", job.optimise, "--json", "-"},
                  .directory = in_project("")};
  command.arguments.insert(command.arguments.end(), job.model.options.begin(),
                           job.model.options.end());
  const Outcome outcome = run_command(command);
  if (outcome.exit_code != 0) throw Error("{}", first_complaint(outcome.errors));
  const Json figures = Json::parse(outcome.output);
  if (figures.at("instructions").is_null())
    throw Error("QEMU runs without the plugin that counts (build/libqemu_cycles.so)");
  Run result = run_of(figures);
  result.model = job.model.name;
  result.optimise = job.optimise;
  return result;
}

/// What git prints, without the end of the line.
std::optional<std::string> git(const std::vector<std::string>& arguments) {
  Command command{.arguments = {"git"}, .directory = in_project("")};
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  Outcome outcome = run_command(command);
  if (outcome.exit_code != 0) return {};
  while (outcome.output.ends_with('\n')) outcome.output.pop_back();
  return outcome.output;
}

}  // namespace

Checkout checkout() {
  const auto commit = git({"rev-parse", "--short=7", "HEAD"});
  const auto date = git({"log", "-1", "--format=%cs"});
  const auto changes =
      git({"status", "--porcelain", "--untracked-files=no", "--", ".", ":!bench/results.json",
           ":!bench/history.json", ":!docs/benchmarks.md"});
  if (!commit || !date || !changes) return {};
  return {*commit, *date, !changes->empty()};
}

Measurement measure(const std::vector<Job>& jobs, unsigned at_once, const std::string& commit) {
  std::vector<std::optional<Run>> runs(jobs.size());
  Measurement result;
  std::mutex mutex;
  std::atomic<std::size_t> next{0};
  {
    Progress progress("measuring", jobs.size());
    const auto work = [&] {
      for (std::size_t i; (i = next++) < jobs.size();) {
        std::string failure;
        try {
          runs[i] = run(jobs[i]);
          runs[i]->commit = commit;
        } catch (const std::exception& error) {
          failure = fmt::format("{}: {}", describe(jobs[i]), error.what());
        }
        const std::lock_guard lock(mutex);
        if (!failure.empty()) result.failures.push_back(failure);
        if (isatty(STDERR_FILENO))
          progress.step();
        else
          fmt::print(stderr, "{} of {}: {}\n", i + 1, jobs.size(), describe(jobs[i]));
      }
    };
    std::vector<std::jthread> threads;
    for (unsigned i = 1; i < at_once; ++i) threads.emplace_back(work);
    work();
  }
  for (std::optional<Run>& r : runs)
    if (r) result.runs.push_back(std::move(*r));
  return result;
}

}  // namespace nnomc::bench
