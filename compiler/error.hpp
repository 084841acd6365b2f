/// \file
/// The one exception of the compiler: something the user can put right.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

namespace nnomc {

/// `text` fit for one line of a terminal: control characters become '?', the length is bounded.
inline std::string one_line(std::string text) {
  constexpr std::size_t kLimit = 2000;
  if (text.size() > kLimit) text = text.substr(0, kLimit) + "...";
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  std::replace_if(text.begin(), text.end(), control, '?');
  return text;
}

/// What is wrong, where (file, layer, class) and what to do, on one line. Text from a file may be
/// passed as it is: the message never holds control characters.
///
///     throw Error("{}: layer '{}' ({}): {} isn't supported", file, name, class_name, option);
struct Error : std::runtime_error {
  template <class... T>
  explicit Error(fmt::format_string<T...> format, T&&... arguments)
      : std::runtime_error(one_line(fmt::format(format, std::forward<T>(arguments)...))) {}
};

}  // namespace nnomc
