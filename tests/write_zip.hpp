/// \file
/// Zip archives for tests.
#pragma once

#include <zip.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace nnomc {

/// Writes a zip archive of members (name, content), deflated.
inline void write_zip(const std::string& path,
                      const std::vector<std::pair<std::string, std::string>>& members) {
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  bool good = archive != nullptr;
  for (const auto& [name, content] : members) {
    zip_source_t* source = zip_source_buffer(archive, content.data(), content.size(), 0);
    good = good && zip_file_add(archive, name.c_str(), source, 0) >= 0;
  }
  if (!good || zip_close(archive) != 0) throw std::runtime_error("can't write " + path);
}

}  // namespace nnomc
