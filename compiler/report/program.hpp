/// \file
/// What is to be known of a program before it has run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "compiler/measure/measure.hpp"
#include "compiler/program.hpp"

namespace nnomc {

/// "int8", "int16", "int8 and int16" or "float"
std::string numbers_text(const Program& program);

/// "Conv2D, relu": a node's op, and the activation folded into it.
std::string op_text(const Node& node);

/// The line on the layer that needs the most RAM, and on what no plan could do without.
std::string peak_text(const Program& program);

/// The lines on RAM and flash; code and stack where they are known.
std::string memory_text(const Program& program, std::optional<std::int64_t> stack,
                        std::optional<std::int64_t> code, std::size_t width);

/// The line on the channels that `lean` lacks of those `model` has (drop_channels); empty where it
/// has all.
std::string left_out_text(const Graph& model, const Graph& lean);

/// The layers with types, shapes, parameters and operations, and the RAM and flash they need. The
/// program was made of `model`.
std::string inspect_text(const Program& program, const Graph& model, const std::string& target,
                         std::size_t width);

}  // namespace nnomc
