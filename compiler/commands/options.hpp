/// \file
/// Options that several commands share, and the program they describe.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/compile.hpp"
#include "compiler/measure/measure.hpp"

namespace nnomc {

/// A model and how to convert it, as given on the command line.
struct ModelOptions {
  std::string model;
  HookOptions hooks;
  std::vector<Source> calibrate;
  std::size_t calibration_samples = 100;
  bool keep_state = false;
  Scaling scaling;
  Scheme scheme = Scheme::affine;
  CompileOptions compile;
  bool target_given = false;
  Axes axes = Axes::automatic;
  std::string name, section;
  /// Tells the user what looks wrong but isn't an error; on stderr where there is none.
  std::function<void(const std::string&)> warn = nullptr;
};

/// Adds an option that takes one of a few words.
template <class E>
CLI::Option* add_choice(CLI::App& app, const std::string& flag, E& value,
                        const std::vector<std::pair<std::string, E>>& choices,
                        const std::string& help) {
  std::vector<std::string> words;
  std::string initial;
  for (const auto& [word, meaning] : choices) {
    words.push_back(word);
    if (meaning == value) initial = word;
  }
  const auto choose = [&value, choices](const std::string& chosen) {
    for (const auto& [word, meaning] : choices)
      if (word == chosen) value = meaning;
  };
  return app.add_option_function<std::string>(flag, choose, help + " [" + initial + "]")
      ->check(CLI::IsMember(words))
      ->type_name("");
}

/// MODEL, --lambda, --hooks
void add_model(CLI::App& app, ModelOptions& options);
/// MODEL, --lambda
void add_file(CLI::App& app, std::string& model, HookOptions& hooks);
/// --calibrate, --calibration, --range, --calibration-samples, --scale, --offset,
/// --keep-state
void add_data(CLI::App& app, ModelOptions& options);
/// --target, --layout, --per-channel, --per-tensor, --scheme, --rounding, --kernels
void add_lowering(CLI::App& app, ModelOptions& options);
/// --optimise, --ram-limit, --flash-limit, --input-by-rows, --name, --section
void add_emission(CLI::App& app, ModelOptions& options);
/// --stream
void add_stream(CLI::App& app, ModelOptions& options);
/// --on
void add_on(CLI::App& app, std::string& on);

/// Sets the target to the core that the model runs on, unless the user chose another.
void target_for(ModelOptions& options, const std::string& on);

/// The stem of a file's name: "a/b.keras" gives "b".
std::string stem_of(const std::string& path);

/// The namespace of the generated code: the name the user gave (an Error if it can't be one), or
/// one made from `stem`.
std::string model_name(const ModelOptions& options, const std::string& stem);

struct Compiled {
  Program program;
  std::string calibration;   ///< "calibrated on 100 samples"
  bool sizing_only = false;  ///< on random ones
};

/// Reads samples from `sources`, one for each input, as --scale, --offset and --keep-state say.
Samples read_samples(const Graph& graph, const std::vector<Source>& sources,
                     const ModelOptions& options);

/// The model, with its inputs and outputs as --layout asks.
Graph load_graph(const ModelOptions& options);

/// Throws an Error where ranges have to be chosen and there is no --calibrate.
void check_calibration(const Graph& graph, const ModelOptions& options);

/// Whether ranges are chosen from random numbers, so that only sizes and costs mean anything.
bool is_random(const ModelOptions& options);

/// Quantises `graph` with --calibrate; where that is missing, with the first of `data`; where that
/// is missing too (no samples), with noise.
Compiled compile_model(const Graph& graph, const ModelOptions& options, const Samples& data);

}  // namespace nnomc
