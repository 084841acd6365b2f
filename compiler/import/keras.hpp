/// \file
/// Keras models, from the file alone.
#pragma once

#include <string>

#include "compiler/graph.hpp"
#include "compiler/hooks/options.hpp"
#include "compiler/import/keras_file.hpp"

namespace nnomc {

/// Turns what a .keras or .h5 file holds into a graph. Throws an Error that names every layer that
/// is not supported, with its class. A Lambda, and a layer that is not supported but named in
/// `lambdas`, becomes a function of the user's own.
Graph import_keras(const KerasFile& file, const std::vector<LambdaOption>& lambdas = {});

}  // namespace nnomc
