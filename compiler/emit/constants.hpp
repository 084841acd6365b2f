/// \file
/// The constants of a program as C++: what all ways to emit it share.
#pragma once

#include <string>

#include "compiler/emit/emit.hpp"

namespace nnomc {

/// What each file begins with.
std::string notice(const EmitOptions& options);

/// An initialiser of nnom::Quantisation.
std::string quantisation_text(const nnom::Quantisation& q);

/// `Numbers`, the arithmetic of int8 layers, and that the core can read its packing.
std::string numbers_alias(const Program& program);

/// The arrays of node i's data, each called `id` + field, and the call of its hook; `storage` is
/// what stands before a type.
std::string arrays_text(const Program& program, size_t i, const std::string& id,
                        const std::string& storage, const EmitOptions& options);

/// The Op::Data of node i, called `id`_data.
std::string data_text(const Program& program, size_t i, const std::string& id,
                      const std::string& storage);

/// The compiler's own options don't slow the kernels down: -O0 would ninefold their time. A user's
/// functions give what they give on the host: no step is fused with the next.
std::string optimise_pragma(const Program& program, const EmitOptions& options, bool push);

/// The header of the user's functions, to stand before any namespace; empty without such functions.
std::string hooks_include(const Graph& graph);

}  // namespace nnomc
