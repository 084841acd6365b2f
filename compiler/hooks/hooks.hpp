/// \file
/// The user's C++ functions behind Lambda nodes: what they look like, in generated code and on this
/// computer.
#pragma once

#include <string>

#include "compiler/graph.hpp"

namespace nnomc {

/// "void swirl(const auto& x, auto& y, const auto& p)"
std::string hook_signature(const Node& node);

/// Declares, in namespace hooks, a stand-in for each function of the graph's: what isn't in the
/// user's header, or doesn't fit, is found out by it.
std::string hook_stand_ins(const Graph& graph);

/// `id` + "_hook", which calls the node's function: a template over the type that tensors are
/// stored in, and the parameters it passes. Where the node has weights, an array `id` + "_weights"
/// comes before. Doesn't compile, with a message that names the layer and the signature to write,
/// where the function isn't there.
std::string hook_text(const Graph& graph, const Node& node, const std::string& id);

/// A header for the user to fill in, with each function once. Error if the model needs none.
std::string hook_skeleton(const Graph& graph);

/// Compiles the user's header with this computer's compiler and notes the functions in the graph's
/// nodes. Throws a BuildError with all the compiler said, or an Error if there is no compiler, no
/// such file, or no node that needs it. The functions stay loaded until the program ends.
void load_hooks(Graph& graph, const std::string& header);

/// Throws an Error that says what to write where nodes call functions that are not loaded.
void check_hooks(const Graph& graph);

/// The same where no header has them, so that no source can be generated.
void check_hooks_in_source(const Graph& graph);

}  // namespace nnomc
