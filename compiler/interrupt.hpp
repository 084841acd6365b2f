/// \file
/// Stopping long work because the user asked to.
#pragma once

#include <atomic>
#include <exception>

namespace nnomc {

/// Set by any thread, it ends all work that shows its progress.
inline std::atomic<bool> stop_requested{false};

/// What such work throws then.
struct Interrupted : std::exception {
  const char* what() const noexcept override { return "interrupted"; }
};

}  // namespace nnomc
