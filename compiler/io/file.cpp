#include "compiler/io/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "compiler/error.hpp"

namespace nnomc {
namespace {

std::string reason(int error) { return std::generic_category().message(error); }

/// A file descriptor that closes itself.
struct Descriptor {
  explicit Descriptor(int descriptor) : fd(descriptor) {}
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int fd;
};

/// Reads a regular file up to `count` bytes, from its start.
std::vector<std::byte> read_up_to(const std::string& path, std::uint64_t count,
                                  std::uint64_t max_bytes) {
  // Without O_NONBLOCK, opening a pipe would wait for its writer.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.fd < 0) throw Error("{}: can't be opened: {}", path, reason(errno));
  struct stat status = {};
  if (::fstat(file.fd, &status) != 0) throw Error("{}: can't be read: {}", path, reason(errno));
  if (S_ISDIR(status.st_mode)) throw Error("{}: is a folder, not a file", path);
  if (!S_ISREG(status.st_mode)) throw Error("{}: isn't a regular file", path);
  const auto size = std::min(static_cast<std::uint64_t>(status.st_size), count);
  if (size > max_bytes)
    throw Error("{}: is too large ({} bytes, {} at most)", path, size, max_bytes);

  std::vector<std::byte> bytes(size);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::read(file.fd, bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error("{}: can't be read: {}", path, reason(errno));
    if (got == 0) break;  // Someone shortened the file meanwhile.
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

bool has_mode(const std::string& path, mode_t mode) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0 && (status.st_mode & S_IFMT) == mode;
}

/// `path` without its symbolic links if it exists, so that a link isn't replaced by a file.
std::string resolved(const std::string& path) {
  char* const real = ::realpath(path.c_str(), nullptr);
  if (real == nullptr) return path;
  std::string result = real;
  std::free(real);
  return result;
}

}  // namespace

std::uint64_t memory_limit() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page = ::sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page <= 0) return std::uint64_t{1} << 30;
  return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page) / 2;
}

bool is_file(const std::string& path) { return has_mode(path, S_IFREG); }

bool is_directory(const std::string& path) { return has_mode(path, S_IFDIR); }

std::vector<std::byte> read_file(const std::string& path, std::uint64_t max_bytes) {
  return read_up_to(path, UINT64_MAX, max_bytes);
}

std::vector<std::byte> read_start(const std::string& path, std::size_t count) {
  return read_up_to(path, count, count);
}

AtomicFile::AtomicFile(const std::string& path) : path_(path), target_(resolved(path)) {
  struct stat status = {};
  const bool exists = ::stat(path.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode))
    throw Error("{}: is a folder, so no file can be written there", path);
  if (exists && !S_ISREG(status.st_mode)) {
    fd_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd_ < 0) fail();
    return;
  }
  for (int attempt = 0; fd_ < 0; ++attempt) {
    temporary_ = fmt::format("{}.{}-{}.tmp", target_, ::getpid(), attempt);
    fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd_ < 0 && (errno != EEXIST || attempt == 100)) fail();
  }
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::fail() const { throw Error("{}: can't be written: {}", path_, reason(errno)); }

void AtomicFile::write(std::string_view content) {
  while (!content.empty()) {
    const ssize_t put = ::write(fd_, content.data(), content.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail();
    content.remove_prefix(static_cast<std::size_t>(put));
  }
}

void AtomicFile::commit() {
  const int fd = std::exchange(fd_, -1);
  if (::close(fd) != 0 && errno != EINTR) fail();
  if (temporary_.empty()) return;
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail();
  temporary_.clear();
}

void write_file(const std::string& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content);
  file.commit();
}

}  // namespace nnomc
