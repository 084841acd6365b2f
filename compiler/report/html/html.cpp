#include "compiler/report/html/html.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace nnomc {
namespace {

/// Bytes of the UTF-8 character that `text` begins with; 0 if it begins with none.
std::size_t character(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = at(0);
  const std::size_t bytes = first < 0x80                    ? 1
                            : first >= 0xc2 && first < 0xe0 ? 2
                            : first >= 0xe0 && first < 0xf0 ? 3
                            : first >= 0xf0 && first < 0xf5 ? 4
                                                            : 0;
  if (bytes == 0 || bytes > text.size()) return 0;
  for (std::size_t i = 1; i < bytes; ++i)
    if ((at(i) & 0xc0) != 0x80) return 0;
  // No longer form of a shorter character, no half of a pair, nothing above the last.
  if (bytes == 3 && ((first == 0xe0 && at(1) < 0xa0) || (first == 0xed && at(1) > 0x9f))) return 0;
  if (bytes == 4 && ((first == 0xf0 && at(1) < 0x90) || (first == 0xf4 && at(1) > 0x8f))) return 0;
  return bytes;
}

/// Elements that hold nothing: HTML's, and those of SVG that are written often.
bool closes_itself(std::string_view name) {
  for (const std::string_view empty :
       {"br", "meta", "link", "rect", "line", "path", "circle", "polyline"})
    if (name == empty) return true;
  return false;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const char c = text[0];
    const std::size_t bytes = character(text);
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '"')
      result += "&quot;";
    else if (c == '\'')
      result += "&#39;";
    else if (bytes == 0 || (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') ||
             c == 0x7f)
      result += "\xef\xbf\xbd";
    else
      result += text.substr(0, bytes);
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return result;
}

Html Html::raw(std::string markup) {
  Html html;
  html.markup_ = std::move(markup);
  return html;
}

Html tag(std::string_view name, const std::vector<Attribute>& attributes, const Html& content) {
  std::string text = fmt::format("<{}", name);
  for (const Attribute& a : attributes) text += fmt::format(" {}=\"{}\"", a.name, escaped(a.value));
  if (content.empty() && closes_itself(name)) return Html::raw(text + "/>");
  return Html::raw(text + fmt::format(">{}</{}>", content.markup(), name));
}

std::string number(double value) {
  std::string text = fmt::format("{:.2f}", std::isfinite(value) ? value : 0);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

std::string size_text(std::int64_t bytes) {
  if (bytes < 1024) return fmt::format("{}\u00a0B", bytes);
  const bool mega = bytes >= 1024 * 1024;
  const double value = static_cast<double>(bytes) / (mega ? 1024 * 1024 : 1024);
  const bool whole = std::floor(value) == value;
  return fmt::format("{:.{}f}\u00a0{}", value,
                     whole || value >= 100 ? 0
                     : value >= 10         ? 1
                                           : 2,
                     mega ? "MB" : "KB");
}

Html prose(std::string_view text) {
  Html result;
  for (bool code = false;; code = !code) {
    const std::size_t end = text.find('`');
    const std::string_view piece = text.substr(0, end);
    // An option stays on one line.
    const bool option = piece.starts_with('-');
    result += !code    ? Html(piece)
              : option ? tag("code", {{"class", "option"}}, piece)
                       : tag("code", piece);
    if (end == std::string_view::npos) return result;
    text.remove_prefix(end + 1);
  }
}

void HtmlTable::row(std::vector<Cell> cells, std::string_view kind) {
  rows_.push_back(std::move(cells));
  kinds_.emplace_back(kind);
}

bool HtmlTable::shown(std::size_t column) const {
  return std::ranges::any_of(rows_, [column](const std::vector<Cell>& row) {
    return column < row.size() && !row[column].content.empty();
  });
}

Html HtmlTable::cells(const std::vector<Cell>& row) const {
  Html html;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!shown(i)) continue;
    const Cell cell = i < row.size() ? row[i] : Cell{};
    std::vector<Attribute> attributes;
    if (columns_[i].figures) attributes.push_back({"class", "n"});
    if (!cell.order.empty()) attributes.push_back({"data-order", cell.order});
    if (!cell.style.empty()) attributes.push_back({"style", cell.style});
    if (i == 0) attributes.push_back({"scope", "row"});
    html += tag(i == 0 ? "th" : "td", attributes, cell.content);
  }
  return html;
}

Html HtmlTable::html() const {
  Html head, body;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!shown(i)) continue;
    const Column& column = columns_[i];
    std::vector<Attribute> attributes{{"scope", "col"}};
    if (column.figures) attributes.push_back({"class", "n"});
    if (!column.explained.empty()) attributes.push_back({"title", column.explained});
    head += tag("th", attributes, column.title);
  }
  for (std::size_t r = 0; r < rows_.size(); ++r)
    body += tag(
        "tr",
        kinds_[r].empty() ? std::vector<Attribute>{} : std::vector<Attribute>{{"class", kinds_[r]}},
        cells(rows_[r]));
  Html table = tag("caption", caption_) + tag("thead", tag("tr", head)) + tag("tbody", body);
  if (!total_.empty()) table += tag("tfoot", tag("tr", cells(total_)));
  return tag("div",
             {{"class", "scroll"}, {"tabindex", "0"}, {"role", "region"}, {"aria-label", caption_}},
             sortable_ ? tag("table", {{"class", "sortable"}}, table) : tag("table", table));
}

}  // namespace nnomc
