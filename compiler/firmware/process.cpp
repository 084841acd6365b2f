#include "compiler/firmware/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "compiler/error.hpp"

extern char** environ;

namespace nnomc {
namespace {

using Clock = std::chrono::steady_clock;

class Pipe {
 public:
  Pipe() {
    if (pipe2(ends_.data(), O_CLOEXEC) != 0) throw Error("pipe: {}", std::strerror(errno));
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int reader() const { return ends_[0]; }
  int writer() const { return ends_[1]; }
  void close_writer() { close_end(1); }

 private:
  void close_end(std::size_t i) {
    if (ends_[i] >= 0) close(ends_[i]);
    ends_[i] = -1;
  }

  std::array<int, 2> ends_{-1, -1};
};

class Actions {
 public:
  Actions() { posix_spawn_file_actions_init(&actions_); }
  ~Actions() { posix_spawn_file_actions_destroy(&actions_); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

/// A started program; killed if nobody waited for it.
class Child {
 public:
  Child(const Command& command, const Pipe& output, const Pipe& errors) {
    Actions actions;
    posix_spawn_file_actions_addopen(actions.get(), 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(actions.get(), output.writer(), 1);
    posix_spawn_file_actions_adddup2(actions.get(), errors.writer(), 2);
    if (!command.directory.empty()) {
      posix_spawn_file_actions_addchdir_np(actions.get(), command.directory.c_str());
    }
    std::vector<char*> arguments;
    for (const std::string& argument : command.arguments) {
      arguments.push_back(const_cast<char*>(argument.c_str()));
    }
    arguments.push_back(nullptr);
    const int failure =
        posix_spawnp(&pid_, arguments[0], actions.get(), nullptr, arguments.data(), environ);
    if (failure != 0) {
      pid_ = -1;
      throw Error("can't run {}: {}", command.arguments[0], std::strerror(failure));
    }
  }
  ~Child() {
    if (pid_ > 0) {
      stop();
      wait();
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void stop() { kill(pid_, SIGKILL); }
  int wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
};

/// Cuts what arrives into lines.
class Lines {
 public:
  explicit Lines(const std::function<void(std::string_view)>& on_line) : on_line_(on_line) {}

  void add(std::string_view text) {
    if (!on_line_) return;
    rest_ += text;
    std::size_t begin = 0;
    for (std::size_t end; (end = rest_.find('\n', begin)) != std::string::npos; begin = end + 1) {
      on_line_(std::string_view(rest_).substr(begin, end - begin));
    }
    rest_.erase(0, begin);
  }
  void finish() {
    if (on_line_ && !rest_.empty()) on_line_(rest_);
  }

 private:
  const std::function<void(std::string_view)>& on_line_;
  std::string rest_;
};

/// Reads what is there; false at the end.
bool read_some(int descriptor, std::string& into, std::size_t& added) {
  std::array<char, 65536> buffer;
  const ssize_t count = read(descriptor, buffer.data(), buffer.size());
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  if (count <= 0) return false;
  added = static_cast<std::size_t>(count);
  into.append(buffer.data(), added);
  return true;
}

/// Milliseconds left for poll(); -1 without a limit.
int remaining(const Command& command, Clock::time_point deadline) {
  if (command.timeout.count() == 0) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, 1'000'000'000));
}

}  // namespace

Outcome run_command(const Command& command) {
  Pipe output, errors;
  Child child(command, output, errors);
  output.close_writer();
  errors.close_writer();

  Outcome outcome;
  Lines lines(command.on_line);
  const auto deadline = Clock::now() + command.timeout;
  std::array<pollfd, 2> ends{{{output.reader(), POLLIN, 0}, {errors.reader(), POLLIN, 0}}};
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    const int ready = poll(ends.data(), ends.size(), remaining(command, deadline));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      outcome.timed_out = true;
      child.stop();
      break;
    }
    for (pollfd& end : ends) {
      if (end.fd < 0 || end.revents == 0) continue;
      const bool is_output = end.fd == output.reader();
      std::string& text = is_output ? outcome.output : outcome.errors;
      std::size_t added = 0;
      if (!read_some(end.fd, text, added)) end.fd = -1;
      if (is_output) lines.add(std::string_view(text).substr(text.size() - added));
    }
  }
  lines.finish();
  outcome.exit_code = child.wait();
  return outcome;
}

}  // namespace nnomc
