/// \file
/// Writes a program as C++.
#pragma once

#include <string>

#include "compiler/program.hpp"

namespace nnomc {

enum class Optimise { size, balanced, speed };

struct EmitOptions {
  std::string name = "model";      ///< namespace, and the stem of the files; a C++ identifier
  std::string section;             ///< of the weights; empty: .rodata
  std::string file = "model.hpp";  ///< name of the header, as the source includes it
  Optimise optimise = Optimise::balanced;
  bool channels_first = false;  ///< of inputs and outputs, to be said in comments
  bool sizing_only = false;  ///< to be said when it is compiled: it was calibrated on nothing real
};

/// The text of the two files: `header` is C++11-clean, `source` is C++20.
struct Generated {
  std::string header, source;
};

Generated emit(const Program& program, const EmitOptions& options);
/// Both in one C++20 header.
std::string emit_single_header(const Program& program, const EmitOptions& options);
/// The same model as a C++20 header of the layer API: its memory is planned when it is compiled.
std::string emit_layers(const Program& program, const EmitOptions& options);
/// Where the layer API places its tensors.
Plan layers_plan(const Program& program);

}  // namespace nnomc
