#include "compiler/emit/names.hpp"

#include <cctype>

namespace nnomc {

std::string identifier(const std::string& name) {
  std::string s;
  for (const char c : name) {
    const bool usable =
        std::isalnum(static_cast<unsigned char>(c)) && static_cast<unsigned char>(c) < 128;
    if (usable)
      s += c;
    else if (!s.empty() && s.back() != '_')
      s += '_';
  }
  while (!s.empty() && s.back() == '_') s.pop_back();
  if (s.empty() || std::isdigit(static_cast<unsigned char>(s[0]))) s = "layer" + s;
  return s;
}

std::string Names::unique(const std::string& name) {
  const std::string base = identifier(name);
  std::string s = base;
  for (int i = 2; !used_.insert(s).second; ++i) s = base + "_" + std::to_string(i);
  return s;
}

std::string literal(const std::string& text) {
  std::string s = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') s += '\\';
    s += c >= 0x20 && c < 0x7f ? c : '?';
  }
  return s + "\"";
}

}  // namespace nnomc
