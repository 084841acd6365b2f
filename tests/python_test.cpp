// The Python package: its wheel, and the tests in python/tests that run where it is installed.
#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "compiler/firmware/process.hpp"

namespace nnomc {
namespace {

/// Runs scripts/python_test.sh with `settings` in the environment.
void run_tests(std::vector<std::string> settings) {
  const std::string build = std::filesystem::path(NNOM_BINARY).parent_path().string();
  std::vector<std::string> words = {"env", "-u", "MAKEFLAGS", "-u", "MAKELEVEL"};
  words.insert(words.end(), settings.begin(), settings.end());
  words.insert(words.end(), {NNOM_SOURCE_DIR "/scripts/python_test.sh", build});
  constexpr int kSkipped = 77;
  const Outcome outcome = run_command({.arguments = words});
  if (outcome.exit_code == kSkipped) GTEST_SKIP() << outcome.output;
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output << outcome.errors;
  std::cout << outcome.output;  // what was skipped, and why
}

TEST(Python, IsInstalledAndWorks) { run_tests({}); }

/// With TensorFlow, Keras 2 and PyTorch.
TEST(SlowPython, WorksWithLiveModels) { run_tests({"NNOM_PYTHON_LIVE=1"}); }

}  // namespace
}  // namespace nnomc
