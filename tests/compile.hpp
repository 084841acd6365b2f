/// \file
/// Compiling small programs in a test: what does and what must not compile.
#pragma once

#include <string>
#include <vector>

namespace nnomc {

/// Whether a compiler of this name is installed.
bool has_compiler(const std::string& name);

/// The packages that are missing to build and run firmware for a core; empty if none is.
std::string missing_for(const std::string& core);

/// What `compiler` says about a source file that holds `source`; empty if it compiles without a
/// word. Nothing is kept.
std::string complaint(const std::string& source, const std::vector<std::string>& flags,
                      const std::string& compiler = "g++");

/// The words of a command line, and two lists of them as one.
std::vector<std::string> words(const std::string& text);
std::vector<std::string> operator+(std::vector<std::string> a, const std::vector<std::string>& b);

/// Runs a program; returns what it says, and whether it ended with 0.
struct Said {
  bool success = false;
  std::string output;
};
Said run_program(const std::vector<std::string>& arguments, const std::string& directory = {});

}  // namespace nnomc
