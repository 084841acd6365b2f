/// \file
/// Finds the variables of each layer in a Keras file.
#pragma once

#include "compiler/import/keras_model.hpp"

namespace nnomc::keras {

/// Sets `weights` of all layers of `model`, which must hold only supported layers. A variable that
/// can't be found is left null.
void find_weights(const KerasFile& file, Model& model);

}  // namespace nnomc::keras
