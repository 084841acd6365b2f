/// \file
/// What `nnom testset` does, without its output.
#pragma once

#include <string>
#include <vector>

#include "compiler/commands/options.hpp"

namespace nnomc {

struct TestsetOptions : ModelOptions {
  std::vector<Source> data;
  Source labels;
  std::string output;
  std::size_t limit = 0;
};

struct Testset {
  std::size_t samples = 0, bytes = 0;
};

/// Writes the samples as `program` stores them, and their classes.
Testset write_testset(const Program& program, const TestsetOptions& options);

}  // namespace nnomc
