#include "compiler/report/table.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace nnomc {
namespace {

constexpr std::size_t kGap = 2;        // spaces between columns
constexpr std::size_t kNarrowest = 8;  // of a column that shrinks

/// True for the second and later bytes of a character.
bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// Byte position of character `n`.
std::size_t position(std::string_view text, std::size_t n) {
  std::size_t i = 0;
  for (; i < text.size(); ++i)
    if (!continues(text[i]) && n-- == 0) break;
  return i;
}

}  // namespace

std::string count_text(std::int64_t n) {
  std::string digits = fmt::format("{}", n);
  const std::size_t first = n < 0 ? 1 : 0;
  for (std::size_t i = digits.size(); i > first + 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string bytes_text(std::int64_t n) { return count_text(n) + " B"; }

std::string percent_text(double share, int decimals) {
  return std::isnan(share) ? "-" : fmt::format("{:.{}f} %", share * 100, decimals);
}

std::string time_text(double seconds) {
  if (!std::isfinite(seconds)) return "-";
  if (seconds >= 99.5) {
    const auto whole = static_cast<std::int64_t>(std::llround(seconds));
    return fmt::format("{} min {} s", whole / 60, whole % 60);
  }
  double value = seconds;
  const char* unit = "s";
  for (const char* smaller : {"ms", "us", "ns"}) {
    if (value >= 0.9995 || value <= 0) break;
    value *= 1000, unit = smaller;
  }
  const int decimals = value >= 99.95 || value <= 0 ? 0 : value >= 9.995 ? 1 : 2;
  return fmt::format("{:.{}f} {}", value, decimals, unit);
}

std::string counted(std::size_t n, std::string_view noun) {
  return fmt::format("{} {}{}", count_text(static_cast<std::int64_t>(n)), noun, n == 1 ? "" : "s");
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

std::string shortened(std::string_view text, std::size_t width) {
  const std::size_t length = width_of(text);
  if (length <= width) return std::string(text);
  if (width < 5) return std::string(text.substr(0, position(text, width)));
  const std::size_t after = (width - 3) / 2, before = width - 3 - after;
  return std::string(text.substr(0, position(text, before))) + "..." +
         std::string(text.substr(position(text, length - after)));
}

std::string wrapped(const std::string& first, const std::string& text, std::size_t width) {
  const std::string indent(width_of(first), ' ');
  std::string all, line = first;
  bool fresh = true;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = std::min(text.find(' ', i), text.size());
    const std::string word = text.substr(i, end - i);
    if (!fresh && width_of(line) + 1 + width_of(word) > width) {
      all += line + "\n";
      line = indent, fresh = true;
    }
    line += (std::exchange(fresh, false) ? "" : " ") + word;
    i = end + 1;
  }
  return all + line + "\n";
}

std::string pad_left(std::string_view text, std::size_t width) {
  const std::size_t w = width_of(text);
  return std::string(width > w ? width - w : 0, ' ') + std::string(text);
}

std::string pad_right(std::string_view text, std::size_t width) {
  const std::size_t w = width_of(text);
  return std::string(text) + std::string(width > w ? width - w : 0, ' ');
}

std::size_t terminal_columns(int fd) {
  constexpr std::size_t kNone = 100, kLeast = 40, kMost = 160;
  std::size_t columns = kNone;
  winsize size = {};
  if (::isatty(fd) == 1 && ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    columns = size.ws_col;
  else if (const char* given = std::getenv("COLUMNS"); given && std::atoi(given) > 0)
    columns = static_cast<std::size_t>(std::atoi(given));
  return std::clamp(columns, kLeast, kMost);
}

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::row(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

void Table::rule() { rows_.emplace_back(); }

std::vector<std::size_t> Table::widths(std::size_t width) const {
  std::vector<std::size_t> widths(columns_.size(), 0);
  for (const auto& cells : rows_)
    for (std::size_t c = 0; c < cells.size(); ++c)
      widths[c] = std::max(widths[c], width_of(cells[c]));
  std::size_t all = 0;
  for (std::size_t c = 0; c < widths.size(); ++c) {
    if (widths[c] == 0) continue;
    widths[c] = std::max(widths[c], width_of(columns_[c].title));
    all += widths[c] + (all ? kGap : 0);
  }
  while (all > width) {
    std::size_t widest = columns_.size();
    for (std::size_t c = 0; c < widths.size(); ++c)
      if (columns_[c].shrinks && widths[c] > kNarrowest &&
          (widest == columns_.size() || widths[c] > widths[widest]))
        widest = c;
    if (widest == columns_.size()) break;
    --widths[widest], --all;
  }
  return widths;
}

std::string Table::text(std::size_t width) const {
  const std::vector<std::size_t> widths = this->widths(width);
  std::string all;
  const auto add = [&](const std::vector<std::string>& cells) {
    std::string line;
    bool first = true;
    for (std::size_t c = 0; c < widths.size(); ++c) {
      if (widths[c] == 0) continue;
      if (!std::exchange(first, false)) line += std::string(kGap, ' ');
      const std::string cell = shortened(cells[c], widths[c]);
      line += columns_[c].align == Column::Align::left ? pad_right(cell, widths[c])
                                                       : pad_left(cell, widths[c]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    all += line + "\n";
  };
  const auto rule = [&] {
    std::size_t length = 0;
    for (const std::size_t w : widths)
      if (w) length += w + (length ? kGap : 0);
    all += std::string(length, '-') + "\n";
  };
  std::vector<std::string> titles;
  for (const Column& c : columns_) titles.push_back(c.title);
  add(titles);
  rule();
  for (const auto& cells : rows_) cells.empty() ? rule() : add(cells);
  return all;
}

}  // namespace nnomc
