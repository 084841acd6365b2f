/// \file
/// Where the files that come with the command lie, and a place for those made on the way.
#pragma once

#include <filesystem>
#include <string>

namespace nnomc {

/// The folder that holds `runtime/` and `ports/`: $NNOM_DATA_DIR if set, <prefix>/share/nnom of the
/// installed command, `data` beside the Python package's library, else the source tree it was built
/// from. Error if it is nowhere.
std::string data_dir();

/// The emulator plugin that counts cycles: beside the executable or the library, in the folder
/// above it (a build tree) or in data_dir(); empty if it was not built.
std::string cycles_plugin();

/// The full path of a program in $PATH; empty if there is none.
std::string find_program(const std::string& name);

/// A new folder of its own, removed with all it holds when it goes out of scope.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// The full name of a file in it.
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace nnomc
