// What the documents say about the project's own files: links, and the names of files in `code`.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>

#include "tests/documents.hpp"

namespace nnomc {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = NNOM_SOURCE_DIR;

std::vector<std::smatch> matches(const std::string& text, const std::regex& pattern) {
  return {std::sregex_iterator(text.begin(), text.end(), pattern), std::sregex_iterator()};
}

/// "README.md:12"
std::string place(const Document& document, int line) {
  return document.path + ":" + std::to_string(line);
}

TEST(Documents, RelativeLinksResolve) {
  static const std::regex link(R"(\]\(([^)\s]+)\))");
  int links = 0;
  for (const Document& document : all_documents())
    for (const ProseLine& line : document.prose)
      for (const std::smatch& match : matches(line.text, link)) {
        const std::string target = match[1];
        if (target.find("://") != std::string::npos || target.starts_with("mailto:")) continue;
        ++links;
        const std::size_t hash = target.find('#');
        const std::string file = target.substr(0, hash);
        const fs::path path =
            file.empty() ? kRoot / document.path : (kRoot / document.path).parent_path() / file;
        EXPECT_TRUE(fs::exists(path)) << place(document, line.line) << " links to " << target;
        if (hash == std::string::npos || path.extension() != ".md") continue;
        const auto anchors = anchors_of(read_document(fs::relative(path, kRoot).string()));
        EXPECT_TRUE(std::count(anchors.begin(), anchors.end(), target.substr(hash + 1)))
            << place(document, line.line) << " links to " << target << ": no such heading";
      }
  EXPECT_GT(links, 5);
}

/// Whether a file or folder of the project is called `name`, a * in whose last part is anything.
bool exists(const std::string& name) {
  const fs::path path = kRoot / name;
  const std::size_t star = path.filename().string().find('*');
  if (star == std::string::npos) return fs::exists(path);
  if (!fs::is_directory(path.parent_path())) return false;
  const std::string before = path.filename().string().substr(0, star);
  const std::string after = path.filename().string().substr(star + 1);
  const fs::directory_iterator all(path.parent_path());
  return std::any_of(begin(all), end(all), [&](const fs::directory_entry& entry) {
    const std::string found = entry.path().filename().string();
    return found.size() >= before.size() + after.size() && found.starts_with(before) &&
           found.ends_with(after);
  });
}

/// Code in prose that begins with one of the project's folders is the name of a file.
TEST(Documents, FilesNamedExist) {
  static const std::regex code(
      "`((?:bench|compiler|docs|examples|fuzz|ports|runtime|scripts|tests)/[^`\\s]*)`");
  int files = 0;
  for (const Document& document : all_documents())
    for (const ProseLine& line : document.prose)
      for (const std::smatch& match : matches(line.text, code)) {
        const std::string name = match[1];
        ++files;
        EXPECT_TRUE(exists(name)) << place(document, line.line) << " names " << name;
      }
  EXPECT_GT(files, 20);
}

/// Code in prose that ends with _test is the name of a test.
TEST(Documents, TestsNamedExist) {
  static const std::regex code("`(\\w+_test)`");
  int tests = 0;
  for (const Document& document : all_documents())
    for (const ProseLine& line : document.prose)
      for (const std::smatch& match : matches(line.text, code)) {
        ++tests;
        EXPECT_TRUE(exists("tests/" + match[1].str() + ".cpp"))
            << place(document, line.line) << " names " << match[1];
      }
  EXPECT_GT(tests, 20);
}

std::string text_of(const std::string& name) {
  std::ifstream file(kRoot / name);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Rows of a document's tables, cell by cell.
std::vector<std::vector<std::string>> rows_of(const std::string& name) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(text_of(name));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| ")) continue;
    std::istringstream cells(line.substr(2));
    rows.emplace_back();
    for (std::string cell; std::getline(cells, cell, '|');) rows.back().push_back(cell);
  }
  return rows;
}

/// What works has a test that shows it.
TEST(Documents, EveryFeatureNamesItsTest) {
  int features = 0;
  for (const auto& row : rows_of("README.md"))
    if (row.size() == 3 && row[1].starts_with(" yes")) {
      ++features;
      EXPECT_NE(row[2].find("_test`"), std::string::npos) << row[0];
    }
  EXPECT_GT(features, 50);
}

/// Every function of the layer API is in a model that runs, and, where there are wrong shapes for
/// it, in one that must not compile.
TEST(Documents, EveryLayerFunctionIsTested) {
  const std::string built =
                        text_of("tests/build_test.cpp") + text_of("tests/build_models_test.cpp"),
                    refused = text_of("tests/build_errors_test.cpp");
  static const std::regex function("`(\\w+)[(<]|, `(\\w+)`");
  int functions = 0;
  for (const auto& row : rows_of("docs/layers.md")) {
    if (row.size() != 3) continue;
    for (const std::smatch& match : matches(row[0], function)) {
      const std::string name = match[1].matched ? match[1] : match[2];
      const std::regex call("\\b" + name + "[(<]");
      ++functions;
      EXPECT_TRUE(std::regex_search(built, call)) << name << " is in no model that runs";
      EXPECT_TRUE(row[1].starts_with(" any") || std::regex_search(refused, call))
          << name << " is in no model that is refused";
    }
  }
  EXPECT_GT(functions, 45);
}

/// The version stands in CMakeLists.txt, and these have to follow.
TEST(Documents, AreOfThisVersion) {
  const auto holds = [](const char* name, const std::string& wanted) {
    EXPECT_NE(text_of(name).find(wanted), std::string::npos) << name << " doesn't hold " << wanted;
  };
  holds("CITATION.cff", "\nversion: " NNOM_VERSION "\n");
  holds("CHANGELOG.md", "\n## [" NNOM_VERSION "]");
}

/// Code stands in fences that say what it is, so that the test of the documents finds it.
TEST(Documents, NoCodeOutsideFences) {
  for (const Document& document : all_documents())
    for (const ProseLine& line : document.prose)
      EXPECT_FALSE(line.text.starts_with("    ")) << place(document, line.line);
}

}  // namespace
}  // namespace nnomc
