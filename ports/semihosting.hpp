/// \file
/// Semihosting: files, text and the exit code of the host that runs the emulator or the debugger.
/// Operations are those of Arm's "Semihosting for AArch32 and AArch64". On a board without a
/// debugger attached every call is a fault.
#pragma once

#include <stdint.h>

namespace semihosting {

/// Writes a zero-terminated text to the host's console.
void write(const char* text);

/// Ends the program; the emulator exits with `code`.
[[noreturn]] void exit(int code);

/// Copies the program's arguments, joined by spaces, into `buffer`.
/// \return their length, or -1 when they do not fit.
int command_line(char* buffer, uint32_t size);

/// A file on the host, closed when it goes out of scope.
class File {
 public:
  enum Mode : uint32_t { kRead = 1, kWrite = 5, kAppend = 9 };  // fopen's "rb", "wb", "ab"

  File(const char* name, Mode mode);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  /// False when the file could not be opened.
  bool is_open() const { return handle_ >= 0; }
  /// The file's length in bytes, or -1.
  int32_t length() const;
  /// Moves to a position counted in bytes from the start; false on failure.
  bool seek(uint32_t position);
  /// Reads up to `size` bytes; fewer only at the end of the file.
  /// \return the bytes read.
  uint32_t read(void* data, uint32_t size);
  /// \return the bytes written; fewer than `size` on failure.
  uint32_t write(const void* data, uint32_t size);

 private:
  int32_t handle_;
};

}  // namespace semihosting
