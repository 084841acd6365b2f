#include "semihosting.hpp"

#include "processor.hpp"

namespace semihosting {
namespace {

enum class Operation : uint32_t {
  kOpen = 0x01,
  kClose = 0x02,
  kWrite0 = 0x04,
  kWrite = 0x05,
  kRead = 0x06,
  kSeek = 0x0a,
  kFileLength = 0x0c,
  kGetCommandLine = 0x15,
  kExitExtended = 0x20,
};
constexpr uint32_t kApplicationExit = 0x20026;

/// Arguments are words: numbers, handles and addresses alike.
int32_t call(Operation operation, const void* argument) {
  return nnom_semihosting(static_cast<uint32_t>(operation), argument);
}

uint32_t word(const void* address) {
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(address));
}

}  // namespace

void write(const char* text) { call(Operation::kWrite0, text); }

void exit(int code) {
  const uint32_t arguments[] = {kApplicationExit, static_cast<uint32_t>(code)};
  for (;;) call(Operation::kExitExtended, arguments);
}

int command_line(char* buffer, uint32_t size) {
  uint32_t arguments[] = {word(buffer), size};
  return call(Operation::kGetCommandLine, arguments) == 0 ? static_cast<int>(arguments[1]) : -1;
}

File::File(const char* name, Mode mode) {
  uint32_t length = 0;
  while (name[length] != 0) ++length;
  const uint32_t arguments[] = {word(name), mode, length};
  handle_ = call(Operation::kOpen, arguments);
}

File::~File() {
  const uint32_t arguments[] = {static_cast<uint32_t>(handle_)};
  if (is_open()) call(Operation::kClose, arguments);
}

int32_t File::length() const {
  const uint32_t arguments[] = {static_cast<uint32_t>(handle_)};
  return call(Operation::kFileLength, arguments);
}

bool File::seek(uint32_t position) {
  const uint32_t arguments[] = {static_cast<uint32_t>(handle_), position};
  return call(Operation::kSeek, arguments) == 0;
}

uint32_t File::read(void* data, uint32_t size) {
  uint32_t done = 0;
  while (done < size) {
    const uint32_t wanted = size - done;
    const uint32_t arguments[] = {static_cast<uint32_t>(handle_),
                                  word(static_cast<unsigned char*>(data) + done), wanted};
    const uint32_t missing = static_cast<uint32_t>(call(Operation::kRead, arguments));
    if (missing >= wanted) break;
    done += wanted - missing;
  }
  return done;
}

uint32_t File::write(const void* data, uint32_t size) {
  const uint32_t arguments[] = {static_cast<uint32_t>(handle_), word(data), size};
  const uint32_t missing = static_cast<uint32_t>(call(Operation::kWrite, arguments));
  return missing <= size ? size - missing : 0;
}

}  // namespace semihosting
