/// \file
/// What of Keras can be imported, by name: for documents and tests.
#pragma once

#include <string_view>
#include <vector>

namespace nnomc::keras {

/// Classes of layers, as files name them.
std::vector<std::string_view> layer_classes();
/// Operations of functional models: of keras.ops by class ("Exp"), of TensorFlow by name
/// ("math.exp").
std::vector<std::string_view> operation_names();
/// Names that may stand in an "activation" field.
std::vector<std::string_view> activation_names();

}  // namespace nnomc::keras
