/// \file
/// Runs `nnom evaluate` for many models, cores and levels at once.
#pragma once

#include "bench/results.hpp"

namespace nnomc::bench {

struct Job {
  Model model;
  std::string core, optimise;
};

struct Measurement {
  std::vector<Run> runs;              ///< in the order of the jobs, without those that failed
  std::vector<std::string> failures;  ///< "ic on cortex-m0 for speed: why"
};

/// The commit that is checked out, and when it was made; both empty where there is no git.
struct Checkout {
  std::string commit, date;
  bool changed = false;  ///< something besides what `make bench` writes differs from the commit
};
Checkout checkout();

/// Runs all of `jobs`, `at_once` at a time, and shows how far it is.
Measurement measure(const std::vector<Job>& jobs, unsigned at_once, const std::string& commit);

}  // namespace nnomc::bench
