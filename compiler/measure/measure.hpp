/// \file
/// A program run on samples, on the host or on an emulated board, and what it cost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compiler/data/samples.hpp"
#include "compiler/emit/emit.hpp"
#include "compiler/program.hpp"

namespace nnomc {

/// Samples to run: fill() writes input `input` of sample `sample` as the model stores it. It is
/// called from several threads at once.
struct Inputs {
  std::size_t count = 0;
  std::function<void(std::size_t sample, std::size_t input, std::span<unsigned char> to)> fill;
  std::size_t follow = 1;  ///< samples that keep the state from one to the next; then it is reset
};

/// Samples as a program stores them. `samples` must outlive the result.
Inputs inputs_of(const Program& program, const Samples& samples);
/// One sample of noise over all of the inputs' range (from 0 to 1 for floats); always the same.
Inputs noise_for(const Program& program);
/// Samples already stored as the program does: one file with all inputs of each sample in turn, or
/// one file for each input. Throws an Error that names a file whose length doesn't fit.
Inputs read_stored(const Program& program, const std::vector<std::string>& files);

/// `program`, which takes one of `steps` steps of the sequences of `whole` a run (step_by_step), as
/// one with whole sequences for inputs and outputs: what these are read and written by.
Program with_sequences(Program program, const Graph& whole);
/// Samples of whole sequences, step by step.
Inputs steps_of(const Inputs& whole, std::size_t steps);
/// The outputs of the steps, brought to what `whole` (with_sequences) has: rows of each step, or
/// what is there after the last. \return the outputs of each sequence.
std::vector<std::byte> sequences_of(const Program& stepwise, const Program& whole,
                                    std::span<const std::byte> outputs, std::size_t steps);

/// What a layer costs in one inference, as far as it was measured.
struct LayerMeasure {
  std::optional<double> seconds;
  std::optional<std::uint64_t> instructions, cycles;
};

/// What the instructions of one function cost in one inference, those that it calls left out.
struct FunctionMeasure {
  std::string name;  ///< as C++ has it
  std::uint64_t instructions = 0;
  std::optional<std::uint64_t> cycles;
};

struct Measured {
  std::vector<std::byte> outputs;  ///< sample after sample, each the bytes of all outputs in order
  std::vector<LayerMeasure> layers;        ///< one a node; empty where layers weren't measured
  std::vector<FunctionMeasure> functions;  ///< of one inference, the most expensive first
  std::optional<std::int64_t> code_bytes, stack_bytes;
  std::optional<std::uint64_t> instructions, cycles;  ///< of one inference
  std::optional<double> seconds;                      ///< of one inference
  double clock_hz = 0;  ///< of the board for which `seconds` were worked out; 0 on the host
};

/// Runs on this computer, with the kernels, packings and memory plan of the board.
Measured run_on_host(const Program& program, const Inputs& inputs, const std::string& label);

/// Emits the program, builds its firmware and runs it in the emulator. `core` is a name in
/// ports/boards.json. `costs` asks for the size of the code too, which builds a second firmware.
Measured run_on_core(const Program& program, const Inputs& inputs, const std::string& core,
                     const EmitOptions& options, bool costs);

/// Bytes of one sample's outputs together, and of one output.
std::size_t output_bytes(const Program& program);
std::size_t output_bytes(const Program& program, std::size_t output);

/// Output `output` of every sample, as real numbers.
std::vector<float> output_values(const Program& program, const Measured& measured,
                                 std::size_t output);

/// The same as the model stores it.
std::vector<std::byte> output_stored(const Program& program, const Measured& measured,
                                     std::size_t output);

/// For each node, the bytes of the arena that are in use while it runs.
std::vector<int> live_bytes(const Program& program);

}  // namespace nnomc
