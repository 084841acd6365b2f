#include "tests/documents.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace nnomc {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = NNOM_SOURCE_DIR;

/// Folders that hold nothing of ours: builds, environments, version control.
bool is_foreign(const fs::path& folder) {
  const std::string name = folder.filename().string();
  return name == "build" || name.starts_with(".") || fs::exists(folder / "CMakeCache.txt");
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

}  // namespace nnomc
