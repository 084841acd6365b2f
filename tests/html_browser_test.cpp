// Reports of real models as Debian's chromium shows them (browser.py): on a screen and on a phone,
// light and dark.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "compiler/firmware/paths.hpp"
#include "compiler/firmware/process.hpp"
#include "compiler/io/file.hpp"
#include "tests/temp_folder.hpp"

namespace nnomc {
namespace {

using Json = nlohmann::json;

const std::string kExamples = NNOM_SOURCE_DIR "/examples/", kShared = NNOM_SHARED_DIR "/models/";
constexpr std::uintmax_t kMost = 2'000'000;  // bytes of a page

struct Case {
  std::string name, model;
  std::vector<std::string> options;
};

/// Of an example, whose samples are `scale` of what they are in their files.
Case example(const std::string& folder, const std::string& model, const std::string& data,
             const std::string& scale) {
  const std::string in = kExamples + folder + "/";
  return {folder,
          in + model,
          {"--calibrate", in + "calibration.npy", "--scale", scale, "--data", in + data, "--labels",
           in + "test_labels.npy", "--limit", "60"}};
}

std::vector<Case> cases() {
  std::vector<Case> all = {
      example("fashion_mnist", "model.keras", "test_images.npy", "1/255"),
      example("keyword_spotting", "cnn.keras", "test_features.npy", "1/256"),
      example("human_activity", "gru.keras", "test_windows.npy", "1/4096"),
      {"inception",
       kExamples + "structures/inception.keras",
       {"--calibrate", "random", "--board", "blue-pill", "--on", "host"}},
      {"kws", kShared + "kws_dscnn/kws_ref_model.tflite", {"--rounding", "double"}},
      {"ic", kShared + "ic_resnet8/pretrainedResnet_quant.tflite", {"--rounding", "double"}},
  };
  std::erase_if(all, [](const Case& c) { return !std::filesystem::exists(c.model); });
  return all;
}

std::vector<Json> look_at(const std::vector<std::string>& pages) {
  Command command{{"python3", NNOM_SOURCE_DIR "/tests/browser.py"}};
  command.arguments.insert(command.arguments.end(), pages.begin(), pages.end());
  command.timeout = std::chrono::seconds(300);
  const Outcome outcome = run_command(command);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
  std::vector<Json> seen;
  std::istringstream lines(outcome.output);
  for (std::string line; std::getline(lines, line);) seen.push_back(Json::parse(line));
  return seen;
}

bool has_browser() { return !find_program("chromium").empty() && !find_program("python3").empty(); }

TEST(Browser, ShowsReportsOnScreensAndPhones) {
  if (!has_browser()) GTEST_SKIP() << "needs chromium and python3 (scripts/setup.sh test)";
  const TempFolder folder;
  std::vector<std::string> pages;
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    pages.push_back(folder / (c.name + ".html"));
    std::vector<std::string> report{NNOM_BINARY, "report", c.model, "-o", pages.back()};
    report.insert(report.end(), c.options.begin(), c.options.end());
    const Outcome outcome = run_command({report});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
    EXPECT_LT(std::filesystem::file_size(pages.back()), kMost);
  }
  const std::vector<Json> seen = look_at(pages);
  ASSERT_EQ(seen.size(), 4 * pages.size());
  std::set<std::pair<int, std::string>> looks;
  for (const Json& page : seen) {
    SCOPED_TRACE(page.dump());
    EXPECT_EQ(page["errors"], Json::array());
    EXPECT_EQ(page["requests"], Json::array());
    EXPECT_EQ(page["inner_width"], page["width"]);
    EXPECT_LE(page["scroll_width"], page["width"]);
    EXPECT_EQ(page["sections"],
              Json({"verdict", "speed", "quality", "memory", "network", "ranges", "advice"}));
    EXPECT_GT(page["visible"], 3000);
    EXPECT_TRUE(page["sorted"]);
    EXPECT_NE(page["tip"], "");
    EXPECT_FALSE(page["open_tip"]);
    looks.emplace(page["width"], page["scheme"]);
  }
  EXPECT_EQ(looks.size(), 4u);
}

/// The test above can fail: a page that is too wide, that asks for something and that complains.
TEST(Browser, SeesWhatIsWrong) {
  if (!has_browser()) GTEST_SKIP() << "needs chromium and python3 (scripts/setup.sh test)";
  const TempFolder folder;
  write_file(
      folder / "bad.html",
      "<!DOCTYPE html><html><head><meta name=\"viewport\" content=\"width=device-width\">"
      "</head><body><div style=\"width:2000px\">x</div>"
      "<img src=\"http://example.com/x.png\"><script>throw new Error(1)</script></body></html>");
  for (const Json& page : look_at({folder / "bad.html"})) {
    EXPECT_GT(page["scroll_width"], page["width"]);
    EXPECT_EQ(page["requests"], Json({"http://example.com/x.png"}));
    EXPECT_GE(page["errors"].size(), 2u) << page["errors"];
    EXPECT_FALSE(page["sorted"]);
  }
}

}  // namespace
}  // namespace nnomc
