/// \file
/// A folder for the files of one test.
#pragma once

#include <filesystem>
#include <string>

#include "compiler/firmware/paths.hpp"

namespace nnomc {

struct TempFolder : TempDir {
  /// The path of the file `name` in the folder.
  std::string operator/(const std::string& name) const { return file(name); }

  /// How many files the folder holds.
  int count() const {
    int files = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(path())) ++files;
    return files;
  }
};

}  // namespace nnomc
