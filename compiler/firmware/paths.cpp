#include "compiler/firmware/paths.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <system_error>

#include "compiler/error.hpp"

namespace nnomc {
namespace {

namespace fs = std::filesystem;

/// The folder of the executable, or of the shared library, that this code is in.
fs::path code_dir() {
  static const char here = 0;
  Dl_info info{};
  if (dladdr(&here, &info) != 0 && info.dli_fname && fs::path(info.dli_fname).extension() == ".so")
    return fs::absolute(info.dli_fname).parent_path();
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

bool holds_data(const fs::path& folder) {
  std::error_code error;
  return fs::exists(folder / "ports" / "boards.json", error);
}

}  // namespace

std::string data_dir() {
  const char* chosen = std::getenv("NNOM_DATA_DIR");
  if (chosen != nullptr && *chosen != 0) {
    if (holds_data(chosen)) return chosen;
    throw Error("NNOM_DATA_DIR={}: no ports/boards.json there", chosen);
  }
  const fs::path installed = (code_dir() / ".." / "share" / "nnom").lexically_normal();
  for (const fs::path& folder : {installed, code_dir() / "data"})
    if (holds_data(folder)) return folder.string();
#ifdef NNOM_SOURCE_DIR
  if (holds_data(NNOM_SOURCE_DIR)) return NNOM_SOURCE_DIR;
#endif
  throw Error("{}: the runtime and the ports are not there; reinstall nnom, or set NNOM_DATA_DIR",
              installed.string());
}

std::string cycles_plugin() {
  constexpr const char* kName = "libqemu_cycles.so";
  const fs::path here = code_dir();
  for (const fs::path& folder : {here, here / "..", fs::path(data_dir())}) {
    std::error_code error;
    if (fs::exists(folder / kName, error)) return (folder / kName).lexically_normal().string();
  }
  return {};
}

std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return access(name.c_str(), X_OK) == 0 ? name : "";
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "/usr/bin:/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path program = fs::path(folder.empty() ? "." : folder) / name;
    std::error_code error;
    if (fs::is_regular_file(program, error) && access(program.c_str(), X_OK) == 0) {
      return program.string();
    }
  }
  return {};
}

TempDir::TempDir() {
  std::error_code error;
  const fs::path parent = fs::temp_directory_path(error);
  std::string name = ((error ? fs::path("/tmp") : parent) / "nnom-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    throw Error("{}: can't make a temporary folder: {}", name, std::strerror(errno));
  }
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code error;
  fs::remove_all(path_, error);
}

}  // namespace nnomc
