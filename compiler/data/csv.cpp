#include <charconv>
#include <cstring>

#include "compiler/data/read.hpp"
#include "compiler/error.hpp"
#include "compiler/io/file.hpp"

namespace nnomc {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\"";
  const auto first = text.find_first_not_of(kBlank);
  return first == std::string_view::npos
             ? std::string_view{}
             : text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// The number that is all of `field`.
bool parse(std::string_view field, float& value) {
  field = trimmed(field);
  if (field.starts_with('+')) field.remove_prefix(1);
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  return error == std::errc{} && end == field.data() + field.size();
}

}  // namespace

Array read_csv(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path);
  std::string_view rest = as_text(bytes);
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  std::vector<float> values;
  std::int64_t rows = 0, columns = 0;
  for (int number = 1; !rest.empty(); ++number) {
    const auto end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (trimmed(line).empty()) continue;
    const auto separator = line.find_first_of(",;\t");
    const char mark = separator == std::string_view::npos ? ',' : line[separator];
    std::int64_t found = 0;
    for (bool more = true; more; ++found) {
      const auto stop = line.find(mark);
      const std::string_view field = line.substr(0, stop);
      more = stop != std::string_view::npos;
      line.remove_prefix(more ? stop + 1 : line.size());
      float value = 0;
      if (parse(field, value)) {
        values.push_back(value);
      } else if (rows == 0 && number == 1) {
        found = -1;  // a heading
        break;
      } else {
        throw Error("{}: line {}, column {}: '{}' is no number", path, number, found + 1,
                    trimmed(field));
      }
    }
    if (found < 0) {
      values.clear();
      continue;
    }
    if (rows == 0) columns = found;
    if (found != columns)
      throw Error("{}: line {} has {} numbers, those before it have {}", path, number, found,
                  columns);
    ++rows;
  }
  if (rows == 0) throw Error("{}: holds no numbers", path);
  Array array;
  array.shape = {rows, columns};
  array.bytes.resize(values.size() * sizeof(float));
  std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
  return array;
}

}  // namespace nnomc
