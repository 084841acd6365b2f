/// \file
/// A generated model on an emulated core: what `nnom run --on` and `nnom evaluate --on` do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compiler/firmware/firmware.hpp"

namespace nnomc {

struct ModelRunOptions {
  bool profile = false;    // time every layer, over all samples
  std::size_t follow = 1;  // samples that keep the state from one to the next; then it is reset
  bool layers = false;     // fetch what every layer gave for the first sample
  bool count = true;       // count instructions and cycles of the first sample
  std::function<void(std::size_t done, std::size_t samples)> on_progress = nullptr;
  std::chrono::milliseconds timeout{0};
};

/// Ticks are of the emulated clock, where an instruction takes a nanosecond.
struct LayerTicks {
  std::string name;
  std::uint64_t ticks = 0;
};

struct ModelRun {
  Run run;                              // counts of one inference, in all, by layer and by function
  std::vector<std::byte> output;        // the bytes of the model's outputs, sample after sample
  std::vector<std::byte> layer_output;  // of the first sample, layer after layer
  std::vector<LayerTicks> layer_ticks;  // of all samples
  std::uint64_t stack = 0;              // bytes one inference takes
  std::uint64_t ticks = 0, ticks_per_second = 0;  // of all samples
};

/// Adds the harness (ports/harness.cpp) for the model whose generated header is `header` and
/// whose graph is the C++ type `graph` (such as "mnist::Graph"), and builds. \return the path of
/// the ELF file.
std::string build_model_firmware(Build build, const std::string& header, const std::string& graph);

/// Runs the model on `input`: the bytes of its inputs, sample after sample.
ModelRun run_model_firmware(const std::string& elf, const std::string& core,
                            std::span<const std::byte> input, const ModelRunOptions& options = {});

}  // namespace nnomc
