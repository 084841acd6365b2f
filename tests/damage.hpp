/// \file
/// Damaged files: a reader must refuse or accept each, and never crash or hang.
#pragma once

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>

#include "compiler/error.hpp"

namespace nnomc {

/// The message of the Error that `read` throws, or "" if it throws none.
template <class Read>
std::string error_of(Read read) {
  try {
    read();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

/// How the tries of a reader ended.
struct Outcome {
  int accepted = 0;
  int refused = 0;
  int crashed = 0;  // in a process made to bear that, so refused as well
};

/// Calls `read` on `content` cut off at every fiftieth of its length, with bytes changed at random
/// (`mutations` times, from a fixed seed; half of them within the first `dense` bytes, where the
/// structure is), and on noise of several lengths.
template <class Read>
Outcome try_damaged(const std::string& content, int mutations, std::size_t dense, Read read) {
  Outcome outcome;
  const auto attempt = [&](const std::string& damaged) {
    const std::string message = error_of([&] { read(damaged); });
    ++(message.empty() ? outcome.accepted : outcome.refused);
    if (message.find("crashed") != std::string::npos) ++outcome.crashed;
  };
  for (std::size_t i = 0; i < 50; ++i) attempt(content.substr(0, content.size() * i / 50));

  std::mt19937 random(1);
  const auto below = [&](std::size_t n) { return random() % n; };
  const auto byte = [&] { return static_cast<char>(below(4) == 0 ? 255 : below(256)); };
  for (int i = 0; i < mutations; ++i) {
    std::string damaged = content;
    const std::size_t range = i % 2 == 0 ? content.size() : std::min(dense, content.size());
    for (std::size_t n = 1 + below(4); n > 0; --n) damaged[below(range)] = byte();
    attempt(damaged);
  }
  for (const std::size_t length : {1U, 8U, 100U, 5000U}) {
    std::string noise = content.substr(0, 8);  // so that it passes for the format
    while (noise.size() < length) noise += byte();
    attempt(noise);
  }
  return outcome;
}

}  // namespace nnomc
