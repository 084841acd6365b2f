/// \file
/// Finds the variables of each layer in a Keras file.
#pragma once

#include "compiler/import/keras_model.hpp"

namespace nnomc::keras {

/// Sets `weights` of all layers of `model`, which must hold only supported layers, to what is in a
/// .keras archive. A variable that can't be found is left null.
void find_archive_weights(const KerasFile& file, Model& model);

/// The same for an .h5 file.
void find_h5_weights(const KerasFile& file, Model& model);

}  // namespace nnomc::keras
