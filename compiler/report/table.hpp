/// \file
/// Text for a terminal: aligned tables, and numbers with units.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nnomc {

/// "1,234,567"
std::string count_text(std::int64_t n);
/// "1,234 B"
std::string bytes_text(std::int64_t n);
/// "12.34 %", for a share from 0 to 1; "-" for none (a NaN).
std::string percent_text(double share, int decimals = 2);
/// Three digits and a unit: "1.23 ms", "45.6 us", "2 min 5 s".
std::string time_text(double seconds);
/// "1 sample", "2 samples"
std::string counted(std::size_t n, std::string_view noun);

/// Columns that `text` takes on a terminal.
std::size_t width_of(std::string_view text);
/// `text` cut to `width` columns, its middle left out: "block_1..._relu".
std::string shortened(std::string_view text, std::size_t width);
/// `first` and `text`, which is broken between words into lines of `width`, indented below itself.
std::string wrapped(const std::string& first, const std::string& text, std::size_t width);
/// `text` filled up with spaces.
std::string pad_left(std::string_view text, std::size_t width);
std::string pad_right(std::string_view text, std::size_t width);

/// Columns of the terminal behind file descriptor `fd`, from 40 to 160; 100 where there is none.
std::size_t terminal_columns(int fd);

struct Column {
  enum class Align { left, right };

  std::string title;
  Align align = Align::right;
  bool shrinks = false;  ///< its texts may be shortened to fit
};

/// A table: a line of titles, then rows.
///
///     Table table({{"Layer", Column::Align::left, true}, {"Operations"}});
///     table.row({"conv", count_text(12)});
///     fmt::print("{}", table.text(80));
class Table {
 public:
  explicit Table(std::vector<Column> columns);

  /// Cells that are missing at the end stay empty.
  void row(std::vector<std::string> cells);
  /// A rule between the rows before and after it.
  void rule();
  bool empty() const { return rows_.empty(); }

  /// The table in lines of at most `width` where its columns can shrink so far. Columns that hold
  /// nothing are left out.
  std::string text(std::size_t width) const;

 private:
  std::vector<std::size_t> widths(std::size_t width) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;  // no cells: a rule
};

}  // namespace nnomc
