/// \file
/// The constants of a program as C++: what all ways to emit it share.
#pragma once

#include <string>

#include "compiler/emit/emit.hpp"

namespace nnomc {

/// The first line of each file.
std::string notice();

/// An initialiser of nnom::Quantisation.
std::string quantisation_text(const nnom::Quantisation& q);

/// `Numbers`, the arithmetic of int8 layers, and that the core can read its packing.
std::string numbers_alias(const Program& program);

/// The arrays of a node's data, each called `id` + field; `storage` is what stands before a type.
std::string arrays_text(const NodeData& data, const std::string& id, const std::string& storage,
                        const EmitOptions& options);

/// The Op::Data of node i, called `id`_data.
std::string data_text(const Program& program, size_t i, const std::string& id,
                      const std::string& storage);

/// The compiler's own options don't slow the kernels down: -O0 would ninefold their time.
std::string optimise_pragma(const EmitOptions& options, bool push);

}  // namespace nnomc
