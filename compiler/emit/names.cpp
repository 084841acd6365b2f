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

bool is_reserved(const std::string& name) {
  static const std::set<std::string> kWords = {"alignas",       "alignof",     "and",
                                               "and_eq",        "asm",         "auto",
                                               "bitand",        "bitor",       "bool",
                                               "break",         "case",        "catch",
                                               "char",          "char16_t",    "char32_t",
                                               "char8_t",       "class",       "co_await",
                                               "co_return",     "co_yield",    "compl",
                                               "concept",       "const",       "const_cast",
                                               "consteval",     "constexpr",   "constinit",
                                               "continue",      "decltype",    "default",
                                               "delete",        "do",          "double",
                                               "dynamic_cast",  "else",        "enum",
                                               "explicit",      "export",      "extern",
                                               "false",         "float",       "for",
                                               "friend",        "goto",        "if",
                                               "inline",        "int",         "long",
                                               "mutable",       "namespace",   "new",
                                               "noexcept",      "not",         "not_eq",
                                               "nullptr",       "operator",    "or",
                                               "or_eq",         "private",     "protected",
                                               "public",        "register",    "reinterpret_cast",
                                               "requires",      "return",      "short",
                                               "signed",        "sizeof",      "static",
                                               "static_assert", "static_cast", "struct",
                                               "switch",        "template",    "this",
                                               "thread_local",  "throw",       "true",
                                               "try",           "typedef",     "typeid",
                                               "typename",      "union",       "unsigned",
                                               "using",         "virtual",     "void",
                                               "volatile",      "wchar_t",     "while",
                                               "xor",           "xor_eq",      "nnom",
                                               "std",           "main",        "linux",
                                               "unix"};
  return kWords.contains(name);
}

std::string usable_name(const std::string& name) {
  const std::string usable = identifier(name);
  return is_reserved(usable) ? usable + "_" : usable;
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
