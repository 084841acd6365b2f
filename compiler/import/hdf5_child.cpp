#include "compiler/import/hdf5_child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "compiler/error.hpp"

// The sanitizers reserve terabytes of addresses, which no limit on them allows.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define NNOMC_LIMIT_ADDRESSES 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define NNOMC_LIMIT_ADDRESSES 0
#endif
#endif
#ifndef NNOMC_LIMIT_ADDRESSES
#define NNOMC_LIMIT_ADDRESSES 1
#endif

namespace nnomc {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kMaxNames = 64U << 20;  // bytes of everything but weights

std::string reason() { return std::generic_category().message(errno); }

// ---- In the child ----

void limit(decltype(RLIMIT_CPU) resource, std::uint64_t value) {
  rlimit current = {};
  if (::getrlimit(resource, &current) != 0) return;
  current.rlim_cur = std::min<rlim_t>(value, current.rlim_max);
  ::setrlimit(resource, &current);
}

/// Bytes of addresses in use: what the program that called has had before.
std::uint64_t addresses_in_use() {
  const int file = ::open("/proc/self/statm", O_RDONLY);
  char text[64] = {};
  if (file < 0 || ::read(file, text, sizeof text - 1) < 0) return 0;
  return std::strtoull(text, nullptr, 10) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void confine(const Hdf5Limits& limits) {
  // Handlers of the parent (a test's or a fuzzer's) aren't meant for what happens here.
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTRAP, SIGALRM, SIGXCPU,
                           SIGXFSZ, SIGINT, SIGTERM, SIGHUP, SIGPIPE}) {
    std::signal(signal, SIG_DFL);
  }
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_CPU, static_cast<std::uint64_t>(limits.time.count()) / 1000 + 1);
  if (NNOMC_LIMIT_ADDRESSES != 0) limit(RLIMIT_AS, addresses_in_use() + limits.address_space);
  // What the C library says of a corrupted heap is not for the user.
  const int null = ::open("/dev/null", O_WRONLY);
  if (null >= 0) ::dup2(null, STDERR_FILENO);
}

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) ::_exit(2);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

[[noreturn]] void run_child(int fd, const Hdf5Limits& limits,
                            const std::function<void(Hdf5MessageWriter&)>& work) {
  confine(limits);
  Hdf5MessageWriter out([fd](std::string_view bytes) { write_all(fd, bytes); });
  try {
    work(out);
    out.end();
  } catch (const std::bad_alloc&) {
    out.failure("can't be read: it takes too much memory");
  } catch (const std::exception& error) {
    out.failure(error.what());
  }
  ::_exit(0);
}

// ---- In the parent ----

/// The process and the end of the pipe that its message comes from.
class Child {
 public:
  Child(pid_t pid, int fd) : pid_(pid), fd_(fd) {}
  ~Child() {
    ::close(fd_);
    if (pid_ > 0) wait(Clock::now());
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  enum class Ended { closed, late, long_winded };

  /// Collects the message until the child closes it, `deadline` passes or it exceeds `max_bytes`.
  Ended receive(Clock::time_point deadline, std::uint64_t max_bytes, std::vector<std::byte>& to) {
    constexpr std::size_t kStep = 64 << 10;
    std::size_t size = 0;
    for (;;) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
      if (left <= 0) return Ended::late;
      pollfd event = {fd_, POLLIN, 0};
      const int ready = ::poll(&event, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
      if (ready < 0 && errno != EINTR) throw Error("can't wait for a process: {}", reason());
      if (ready <= 0) continue;
      if (to.size() < size + kStep) to.resize(std::max(2 * size, kStep));
      const ssize_t got = ::read(fd_, to.data() + size, to.size() - size);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw Error("can't read from a process: {}", reason());
      if (got == 0) break;
      size += static_cast<std::size_t>(got);
      if (size > max_bytes) return Ended::long_winded;
    }
    to.resize(size);
    return Ended::closed;
  }

  /// Waits for the end of the process, which is killed at `deadline`; its wait status, or 0 if
  /// that isn't known.
  int wait(Clock::time_point deadline) {
    int status = 0;
    for (;;) {
      const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
      if (ended < 0 && errno == EINTR) continue;
      if (ended != 0) {
        pid_ = -1;
        return ended > 0 ? status : 0;
      }
      if (Clock::now() >= deadline) ::kill(pid_, SIGKILL);
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }

 private:
  pid_t pid_;
  int fd_;
};

[[noreturn]] void fail(const std::string& name, const std::string& what) {
  throw Error(
      "{}: can't be read: the HDF5 library {}. The file is damaged: save it again from Keras", name,
      what);
}

/// Error if `status` isn't that of a process that came to its end.
void check_status(const std::string& name, int status) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    if (signal == SIGXCPU || signal == SIGKILL) fail(name, "didn't finish");
    fail(name, fmt::format("crashed on it (signal {})", signal));
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
    fail(name, fmt::format("crashed on it (exit status {})", WEXITSTATUS(status)));
  }
}

}  // namespace

Hdf5Content run_confined(const std::string& name, const Hdf5Limits& limits,
                         const std::function<void(Hdf5MessageWriter&)>& work) {
  int ends[2] = {-1, -1};
  if (::pipe(ends) != 0) throw Error("{}: can't make a pipe: {}", name, reason());
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    run_child(ends[1], limits, work);
  }
  ::close(ends[1]);
  Child child(pid, ends[0]);
  if (pid < 0) throw Error("{}: can't start a process to read it: {}", name, reason());

  std::vector<std::byte> message;
  const Clock::time_point deadline = Clock::now() + limits.time;
  switch (child.receive(deadline, limits.weights + kMaxNames, message)) {
    case Child::Ended::late:
      fail(name, "didn't finish");
    case Child::Ended::long_winded:
      fail(name, "went wrong on it");
    case Child::Ended::closed:
      break;
  }
  check_status(name, child.wait(deadline));
  return parse_hdf5_message(name, message);
}

Hdf5Content read_hdf5(const std::string& name, std::span<std::byte> image, Hdf5Kind kind,
                      const Hdf5Limits& limits) {
  return run_confined(name, limits, [&](Hdf5MessageWriter& out) {
    read_hdf5_here(image, kind, limits.weights, out);
  });
}

}  // namespace nnomc
