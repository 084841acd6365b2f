/// \file
/// The compiler's work, started from Python.
#pragma once

#include <pybind11/pybind11.h>

#include <chrono>
#include <future>
#include <utility>

#include "compiler/interrupt.hpp"

namespace nnomc::binding {

/// Runs `work` without Python's lock, in a thread of its own, and gives back what it returns or
/// throws. Ctrl-C stops it and raises KeyboardInterrupt.
template <class Work>
auto unlocked(Work&& work) {
  const pybind11::gil_scoped_release released;
  auto result = std::async(std::launch::async, std::forward<Work>(work));
  while (result.wait_for(std::chrono::milliseconds(100)) != std::future_status::ready) {
    const pybind11::gil_scoped_acquire locked;
    if (PyErr_CheckSignals() == 0) continue;
    const pybind11::error_already_set raised;
    stop_requested = true;
    {
      const pybind11::gil_scoped_release again;
      result.wait();
    }
    stop_requested = false;
    throw raised;
  }
  return result.get();
}

}  // namespace nnomc::binding
