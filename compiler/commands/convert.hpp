/// \file
/// What `nnom convert` does, a step a function.
#pragma once

#include <string>
#include <vector>

#include "compiler/commands/options.hpp"

namespace nnomc {

enum class Emission { structures, layers };

struct ConvertOptions : ModelOptions {
  std::string output;  ///< the header; empty: called as the model, in the current folder
  std::string scales;  ///< a file for the scales; empty: none
  bool single_header = false, c_api = false;
  Emission emission = Emission::structures;

  bool layers() const { return emission == Emission::layers; }
  bool one_file() const { return single_header || layers(); }
  std::string header() const { return output.empty() ? stem_of(model) + ".hpp" : output; }
};

/// MODEL and all options of `nnom convert`.
void add_convert_options(CLI::App& app, ConvertOptions& options);

/// Throws an Error where options don't go together, or files can't be called so.
void check(const ConvertOptions& options);

/// Writes `compiled` as C++ to the header and the files beside it: all of them, or none. Returns
/// their paths, the header's first.
std::vector<std::string> write_model(const Compiled& compiled, const ConvertOptions& options);

}  // namespace nnomc
