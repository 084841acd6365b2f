#include "tests/documents.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace nnomc {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = NNOM_SOURCE_DIR;

/// Folders that hold nothing of ours: builds, environments, version control.
bool is_foreign(const fs::path& folder) {
  const std::string name = folder.filename().string();
  return name == "build" || name.starts_with(".") || fs::exists(folder / "CMakeCache.txt") ||
         fs::exists(folder / "pyvenv.cfg");
}

void collect(const fs::path& folder, std::vector<Document>& found) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory() && !is_foreign(entry.path())) collect(entry.path(), found);
    if (entry.path().extension() == ".md")
      found.push_back(read_document(fs::relative(entry.path(), kRoot).string()));
  }
}

}  // namespace

Document read_document(const std::string& path) {
  Document document;
  document.path = path;
  std::ifstream file(kRoot / path);
  int number = 0;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.starts_with("```")) {
      inside = !inside;
      if (!inside) continue;
      CodeBlock block;
      std::istringstream(line.substr(3)) >> block.language >> block.flavour;
      block.line = number + 1;
      document.blocks.push_back(block);
    } else if (inside) {
      document.blocks.back().text += line + "\n";
    } else {
      document.prose.push_back({line, number});
    }
  }
  return document;
}

std::vector<Document> all_documents() {
  std::vector<Document> found;
  collect(kRoot, found);
  std::sort(found.begin(), found.end(),
            [](const Document& a, const Document& b) { return a.path < b.path; });
  return found;
}

std::vector<std::string> anchors_of(const Document& document) {
  std::vector<std::string> anchors;
  for (const ProseLine& line : document.prose) {
    const std::size_t text = line.text.find_first_not_of('#');
    if (text == 0 || text == std::string::npos || line.text[text] != ' ') continue;
    std::string anchor;
    for (const char c : line.text.substr(text + 1)) {
      const auto u = static_cast<unsigned char>(c);
      if (std::isalnum(u) || c == '-' || c == '_' || u >= 0x80)
        anchor += static_cast<char>(std::tolower(u));
      else if (c == ' ')
        anchor += '-';
    }
    anchors.push_back(anchor);
  }
  return anchors;
}

std::vector<std::string> commands_in(const std::string& text) {
  std::vector<std::string> commands;
  std::istringstream lines(text);
  std::string command;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string::npos || line[begin] == '#') continue;
    const bool continued = line.back() == '\\';
    command += line.substr(begin, line.size() - begin - (continued ? 1 : 0));
    if (continued) continue;
    if (command.starts_with("for ") && !command.ends_with("done")) {
      command += "\n";
      continue;
    }
    commands.push_back(std::move(command));
    command.clear();
  }
  return commands;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream words(line);
  return {std::istream_iterator<std::string>(words), {}};
}

std::optional<double> number_in(std::string word) {
  std::erase(word, ',');
  char* end = nullptr;
  const double value = std::strtod(word.c_str(), &end);
  if (end == word.c_str() || *end != 0) return {};
  return value;
}

bool close(double a, double b) {
  const double unit = a == std::round(a) && b == std::round(b) ? 1 : 0.1;
  return std::abs(a - b) <= 0.1 * std::max(std::abs(a), std::abs(b)) + unit;
}

bool is_updating() {
  const char* wish = std::getenv("NNOM_UPDATE_DOCUMENTS");
  return wish != nullptr && *wish == '1';
}

}  // namespace nnomc
