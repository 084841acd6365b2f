/// \file
/// Whole files: read at once, written so that a reader sees the old content or the new.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nnomc {

/// The most bytes one file or array may occupy: half of the machine's memory.
std::uint64_t memory_limit();

/// True if `path` names an existing regular file (symbolic links are followed).
bool is_file(const std::string& path);

/// True if `path` names an existing directory.
bool is_directory(const std::string& path);

/// The content of a regular file. Error if it can't be read or is larger than `max_bytes`.
std::vector<std::byte> read_file(const std::string& path, std::uint64_t max_bytes = memory_limit());

/// The first `count` bytes of a regular file, or all of a shorter one.
std::vector<std::byte> read_start(const std::string& path, std::size_t count);

/// `bytes` seen as text.
inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A file that appears under its name, complete, at commit(); until then, and if commit() is never
/// reached, nothing at that name changes. A device or pipe (/dev/stdout) is written directly.
///
///     AtomicFile file("model.hpp");
///     file.write(text);
///     file.commit();
class AtomicFile {
 public:
  /// Opens a temporary file in the folder of `path`. Error if that can't be done.
  explicit AtomicFile(const std::string& path);
  /// Removes the temporary file if it wasn't committed.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Appends `content`. Error if the disk is full or fails.
  void write(std::string_view content);
  /// Puts the file in place. Error if that can't be done; nothing may be written afterwards.
  void commit();

 private:
  [[noreturn]] void fail() const;

  std::string path_;       // what the user called it
  std::string target_;     // the same with symbolic links resolved
  std::string temporary_;  // empty if written directly or committed
  int fd_ = -1;
};

/// Writes `content` to `path` atomically.
void write_file(const std::string& path, std::string_view content);

}  // namespace nnomc
