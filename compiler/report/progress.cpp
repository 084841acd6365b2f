#include "compiler/report/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "compiler/interrupt.hpp"
#include "compiler/report/table.hpp"

namespace nnomc {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPatience{1000}, kRedraw{200};
constexpr size_t kBar = 24;

bool can_draw() {
  const char* terminal = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && terminal && std::string_view(terminal) != "dumb";
}

/// Whole seconds, as people say them: "3 s", "2 min 5 s".
std::string spoken(double seconds) {
  const auto s = static_cast<long>(std::ceil(seconds));
  return s < 100 ? fmt::format("{} s", s) : fmt::format("{} min {} s", s / 60, s % 60);
}

void stop_if_asked() {
  if (stop_requested) throw Interrupted();
}

}  // namespace

Progress::Progress(std::string label, size_t total)
    : label_(std::move(label)), total_(total), start_(steady_clock::now()) {
  if (can_draw())
    drawer_ = std::jthread([this](const std::stop_token& stop) { draw_until_stopped(stop); });
}

Progress::~Progress() = default;

void Progress::step(size_t n) {
  stop_if_asked();
  const std::lock_guard lock(mutex_);
  done_ += n;
}

void Progress::at(size_t done) {
  stop_if_asked();
  const std::lock_guard lock(mutex_);
  done_ = done;
}

std::string Progress::line(const std::string& label, size_t done, size_t total, double seconds,
                           size_t columns) {
  if (total == 0) return shortened(fmt::format("{}  {}", label, spoken(seconds)), columns);
  const double share = static_cast<double>(std::min(done, total)) / static_cast<double>(total);
  const auto filled = static_cast<size_t>(share * static_cast<double>(kBar));
  const std::string bar = std::string(filled, '#') + std::string(kBar - filled, '-');
  std::string text =
      fmt::format("  {:3.0f} %  {}/{}", std::floor(share * 100), std::min(done, total), total);
  if (done > 0 && done < total) text += "  " + spoken(seconds / share - seconds) + " left";
  const std::string full = fmt::format("{}  [{}]{}", label, bar, text);
  return width_of(full) <= columns ? full : shortened(label + text, columns);
}

void Progress::draw_until_stopped(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto stopped = [&](std::chrono::milliseconds time) {
    return wake_.wait_for(lock, stop, time, [&] { return stop.stop_requested(); });
  };
  if (stopped(kPatience)) return;
  do {
    const double seconds = std::chrono::duration<double>(steady_clock::now() - start_).count();
    // The last column stays free: some terminals wrap there.
    const size_t columns = terminal_columns(STDERR_FILENO) - 1;
    fmt::print(stderr, "\r{}\x1b[K", line(label_, done_, total_, seconds, columns));
    std::fflush(stderr);
  } while (!stopped(kRedraw));
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
}

}  // namespace nnomc
