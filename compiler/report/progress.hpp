/// \file
/// A progress bar on the terminal.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <thread>

namespace nnomc {

/// Shows how far a job is, on stderr, once it has taken a second; gone when it is destroyed.
/// Nothing is drawn where stderr is no terminal. Thread-safe. A total of 0: nobody knows how long
/// the job is.
///
///     Progress progress("calibrating", samples.count());
///     for (...) progress.step();
class Progress {
 public:
  Progress(std::string label, size_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// One more is done. Throws Interrupted if the user asked to stop.
  void step(size_t n = 1);
  /// Sets how many of `total` are done. Throws as step() does.
  void at(size_t done);

  /// "calibrating  [#####-----]  45 %  45/100  3 s left", in at most `columns`.
  static std::string line(const std::string& label, size_t done, size_t total, double seconds,
                          size_t columns);

 private:
  void draw_until_stopped(const std::stop_token& stop);

  std::string label_;
  size_t total_, done_ = 0;
  std::chrono::steady_clock::time_point start_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread drawer_;  // draws by itself: a single step may take long
};

}  // namespace nnomc
