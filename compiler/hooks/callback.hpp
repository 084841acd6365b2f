/// \file
/// Functions of the program that uses the compiler, in place of the user's C++ ones.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "compiler/graph.hpp"

namespace nnomc {

/// Computes a layer on real numbers: `inputs` and `output` hold the elements of its tensors,
/// channels last. It is called from several threads at once and may throw.
using HookFunction =
    std::function<void(const std::vector<std::vector<float>>& inputs, std::span<float> output)>;

/// Has `function` compute the layer of `hook` on this computer, as load_hooks() has one of a
/// header; no source can be generated of it. It is kept as long as a copy of `hook` is. Throws an
/// Error where 64 are in use.
void set_callback(Hook& hook, HookFunction function);

}  // namespace nnomc
