/// \file
/// A port for a PC with Linux: a program for a board of mps2/, its files and arguments included,
/// runs there too.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "port.hpp"
#include "semihosting.hpp"

namespace nnom::port {

void print(const char* text) { fputs(text, stdout); }

uint32_t ticks() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint32_t>(uint64_t(now.tv_sec) * 1'000'000 + uint64_t(now.tv_nsec) / 1'000);
}

uint32_t ticks_per_second() { return 1'000'000; }

}  // namespace nnom::port

namespace semihosting {

void write(const char* text) { nnom::port::print(text); }

void exit(int code) { ::exit(code); }

int command_line(char* buffer, uint32_t size) {
  File file("/proc/self/cmdline", File::kRead);
  char character = 1;  // of the program's name first
  while (character != 0)
    if (file.read(&character, 1) == 0) return -1;
  const uint32_t length = file.read(buffer, size);
  if (length == size) return -1;
  for (uint32_t i = 0; i + 1 < length; ++i)
    if (buffer[i] == 0) buffer[i] = ' ';
  if (length == 0) buffer[0] = 0;
  return static_cast<int>(length > 0 ? length - 1 : 0);
}

File::File(const char* name, Mode mode) {
  const int flags = mode == kRead    ? O_RDONLY
                    : mode == kWrite ? O_WRONLY | O_CREAT | O_TRUNC
                                     : O_WRONLY | O_CREAT | O_APPEND;
  handle_ = open(name, flags, 0666);
}

File::~File() {
  if (is_open()) close(handle_);
}

int32_t File::length() const {
  struct stat status;
  return fstat(handle_, &status) == 0 ? static_cast<int32_t>(status.st_size) : -1;
}

bool File::seek(uint32_t position) { return lseek(handle_, position, SEEK_SET) >= 0; }

uint32_t File::read(void* data, uint32_t size) {
  uint32_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(handle_, static_cast<char*>(data) + done, size - done);
    if (got <= 0) break;
    done += static_cast<uint32_t>(got);
  }
  return done;
}

uint32_t File::write(const void* data, uint32_t size) {
  const ssize_t written = ::write(handle_, data, size);
  return written < 0 ? 0 : static_cast<uint32_t>(written);
}

}  // namespace semihosting
