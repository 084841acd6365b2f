/// \file
/// What a program's stored integers mean, for other tools to read.
#pragma once

#include <string>

#include "compiler/program.hpp"

namespace nnomc {

/// JSON of every tensor of a quantised program: {"tensors": [...]}, a line each, inputs first and
/// then in the order of the layers: its name, bits, scale and zero_point, so that real =
/// scale * (stored - zero_point). A recurrent layer also has the scales of its 16-bit numbers:
/// "hidden_scale" and, of an LSTM, "cell_scale" of its state, "candidate_scale" of what its
/// `activation` gives, and "gate_scale" of what its `recurrent_activation` gives.
std::string scales_text(const Program& program);

}  // namespace nnomc
