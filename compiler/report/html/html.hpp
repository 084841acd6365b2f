/// \file
/// HTML that can't be broken by a name: text is escaped unless it is HTML already.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nnomc {

/// `text` with what means something in HTML and XML escaped; control characters and broken UTF-8
/// are replaced.
std::string escaped(std::string_view text);

/// A piece of a page. A string becomes one by being escaped.
class Html {
 public:
  Html() = default;
  Html(std::string_view text) : markup_(escaped(text)) {}
  Html(const std::string& text) : Html(std::string_view(text)) {}
  Html(const char* text) : Html(std::string_view(text)) {}
  /// What is HTML already: never what comes from a file.
  static Html raw(std::string markup);

  Html& operator+=(const Html& more) {
    markup_ += more.markup_;
    return *this;
  }
  friend Html operator+(Html a, const Html& b) { return a += b; }
  const std::string& markup() const { return markup_; }
  bool empty() const { return markup_.empty(); }

 private:
  std::string markup_;
};

struct Attribute {
  std::string_view name;
  std::string value;  ///< to be escaped
};

/// `<name attributes>content</name>`. One that holds nothing is closed at once if HTML or SVG has
/// it so.
///
///     tag("td", {{"class", "number"}}, count_text(12))
Html tag(std::string_view name, const std::vector<Attribute>& attributes, const Html& content = {});
inline Html tag(std::string_view name, const Html& content) { return tag(name, {}, content); }

/// A coordinate or share: at most two decimals, "12.5".
std::string number(double value);

/// "12.9 KB", "1.46 MB": of 1024, as memories are. The space doesn't break.
std::string size_text(std::int64_t bytes);

/// Text with `code` in backquotes. No line ends in what begins with a hyphen.
Html prose(std::string_view text);

/// A table whose figures stand on the right, in a box that scrolls by itself where it is too wide.
/// Columns that are empty in every row are left out.
class HtmlTable {
 public:
  struct Column {
    std::string title;
    bool figures = true;      ///< on the right
    std::string explained{};  ///< what the title means
  };
  /// `sortable`: a click on a title sorts the rows.
  HtmlTable(std::string caption, std::vector<Column> columns, bool sortable = false)
      : caption_(std::move(caption)), columns_(std::move(columns)), sortable_(sortable) {}

  struct Cell {
    Html content{};
    std::string order{};  ///< what to sort by, if not by the text
    std::string style{};
  };
  /// The first cell is the row's heading.
  void row(std::vector<Cell> cells, std::string_view kind = "");
  /// A row below the others, which sorting leaves there.
  void total(std::vector<Cell> cells) { total_ = std::move(cells); }
  Html html() const;

 private:
  Html cells(const std::vector<Cell>& row) const;
  bool shown(std::size_t column) const;

  std::string caption_;
  std::vector<Column> columns_;
  bool sortable_;
  std::vector<std::vector<Cell>> rows_;
  std::vector<std::string> kinds_;
  std::vector<Cell> total_;
};

}  // namespace nnomc
