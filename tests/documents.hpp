/// \file
/// The project's Markdown, cut into what can be checked.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace nnomc {

/// A fenced block. `language` is the first word after the fence, `flavour` the second.
struct CodeBlock {
  std::string language, flavour, text;
  int line = 0;  ///< of its first line of text
};

/// A line of prose: everything outside the fences.
struct ProseLine {
  std::string text;
  int line = 0;
};

struct Document {
  std::string path;  ///< from the root of the project
  std::vector<CodeBlock> blocks;
  std::vector<ProseLine> prose;
};

/// Reads a Markdown file of the project.
Document read_document(const std::string& path);

/// Every Markdown file of the project but those in build folders, in the order of the alphabet.
std::vector<Document> all_documents();

/// The anchors of a document's headings, as GitHub makes them: "What works today" is
/// "what-works-today".
std::vector<std::string> anchors_of(const Document& document);

/// The commands in a text: one a line, but for those that a backslash continues, and loops.
std::vector<std::string> commands_in(const std::string& text);

std::vector<std::string> lines_of(const std::string& text);

/// The words of a line; the width of columns doesn't matter.
std::vector<std::string> words_of(const std::string& line);

/// "13,520" is 13520.
std::optional<double> number_in(std::string word);

/// Within a tenth; whole numbers, such as a rounded share, may differ by one too.
bool close(double a, double b);

/// Whether documents are to be given the numbers of today (NNOM_UPDATE_DOCUMENTS=1).
bool is_updating();

}  // namespace nnomc
