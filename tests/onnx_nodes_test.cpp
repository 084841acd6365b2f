/// \file
/// ONNX's own tests of its operators, as Debian packs them (libonnx-testdata): each is computed
/// right or refused, and docs/onnx.md says how many of each operator.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "tests/onnx_cases.hpp"

namespace nnomc {
namespace {

namespace fs = std::filesystem;

const std::string kData = "/usr/share/libonnx-testdata/data/";
const std::string kDocument = NNOM_SOURCE_DIR "/docs/onnx.md";
const std::string kHeader = "| operator | cases | passed | unsupported |\n|---|---|---|---|\n";

struct Count {
  int cases = 0, passed = 0, unsupported = 0;
};

std::string table(const std::map<std::string, Count>& counts) {
  std::string text = kHeader;
  const auto row = [&](const std::string& name, const Count& c) {
    text += fmt::format("| {} | {} | {} | {} |\n", name, c.cases, c.passed, c.unsupported);
  };
  Count all;
  for (const auto& [name, c] : counts) {
    row(name, c);
    all.cases += c.cases, all.passed += c.passed, all.unsupported += c.unsupported;
  }
  row("all", all);
  return text;
}

/// Runs all cases of one kind; those that are wrong are failures.
std::map<std::string, Count> run_all(const std::string& kind) {
  std::vector<std::string> folders;
  for (const auto& entry : fs::directory_iterator(kData + kind)) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  std::map<std::string, Count> counts;
  for (const std::string& folder : folders) {
    const OnnxCase c = run_case(folder);
    Count& count = counts[c.op_type.empty() ? "not readable" : c.op_type];
    ++count.cases;
    if (c.outcome == OnnxCase::Outcome::passed) {
      ++count.passed;
    } else if (c.outcome == OnnxCase::Outcome::unsupported) {
      ++count.unsupported;
      fmt::print("unsupported {}: {}\n", c.name, c.message.substr(c.message.find(": ") + 2));
    } else {
      ADD_FAILURE() << c.name << " is wrong: " << c.message;
    }
  }
  return counts;
}

class OnnxNodes : public testing::Test {
  void SetUp() override {
    if (!fs::exists(kData)) GTEST_SKIP() << "needs ONNX's tests: apt-get install libonnx-testdata";
  }
};

TEST_F(OnnxNodes, OfPyTorchAreComputedOrRefused) {
  for (const char* kind : {"pytorch-converted", "pytorch-operator", "simple"})
    fmt::print("{}\n{}", kind, table(run_all(kind)));
}

TEST_F(OnnxNodes, AreComputedOrRefused) {
  const std::map<std::string, Count> counts = run_all("node");
  std::ifstream file(kDocument);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::string ours = table(counts);
  fmt::print("{}", ours);
  if (text.find(ours) != std::string::npos) return;
  const char* update = std::getenv("NNOM_UPDATE_DOCUMENTS");
  const size_t at = text.find(kHeader);
  ASSERT_NE(at, std::string::npos) << kDocument << " has no table";
  if (!update || *update != '1')
    FAIL() << kDocument << " has another table (NNOM_UPDATE_DOCUMENTS=1 takes this one over)";
  text.replace(at, text.find("\n\n", at) + 1 - at, ours);
  std::ofstream(kDocument) << text;
}

}  // namespace
}  // namespace nnomc
