/// \file
/// Names of layers as C++ identifiers and strings.
#pragma once

#include <set>
#include <string>

namespace nnomc {

/// `name` with what no identifier holds made an underscore; never empty, never with a leading
/// underscore.
std::string identifier(const std::string& name);

/// Whether generated code can't call anything so: a word of C++, or of ours.
bool is_reserved(const std::string& name);

/// An identifier for `name` that is not reserved.
std::string usable_name(const std::string& name);

/// Identifiers that differ from all given out before.
class Names {
 public:
  std::string unique(const std::string& name);

 private:
  std::set<std::string> used_;
};

/// `text` as a C++ string literal; what is not printable ASCII becomes '?'.
std::string literal(const std::string& text);

}  // namespace nnomc
