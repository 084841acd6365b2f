// Every seed of the fuzzers, and what they have found: each file becomes a graph, which is lowered
// and run in both roundings, or an Error. What is wrong with it shows under the sanitizers.
#include <gtest/gtest.h>

#include <filesystem>

#include "compiler/error.hpp"
#include "compiler/import/onnx.hpp"
#include "compiler/import/tflite.hpp"
#include "compiler/io/file.hpp"
#include "fuzz/try_graph.hpp"

namespace nnomc {
namespace {

namespace fs = std::filesystem;

Graph import_file(const fs::path& path) {
  if (path.extension() == ".tflite") return import_tflite(path.string());
  return import_onnx(onnx::read_onnx_file(path.string()));
}

class Corpus : public testing::TestWithParam<const char*> {};

TEST_P(Corpus, IsGraphsOrErrors) {
  int graphs = 0, found = 0;
  for (const auto& entry :
       fs::directory_iterator(fs::path(NNOM_SOURCE_DIR "/fuzz/corpus") / GetParam())) {
    if (entry.path().extension() != std::string(".") + GetParam()) continue;
    SCOPED_TRACE(entry.path().filename());
    found += entry.path().filename().string().starts_with("found_");
    for (const size_t rounding : {0, 1}) {
      try {
        try_graph(import_file(entry.path()), rounding);
        ++graphs;
      } catch (const Error& e) {
        EXPECT_NE(std::string(e.what()), "");
      }
    }
  }
  EXPECT_GT(graphs, 20);
  EXPECT_GT(found, 0);
}

INSTANTIATE_TEST_SUITE_P(All, Corpus, testing::Values("tflite", "onnx"),
                         [](const auto& format) { return format.param; });

}  // namespace
}  // namespace nnomc
