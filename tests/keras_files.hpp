/// \file
/// Small model files as Keras writes them, and some it never would.
#pragma once

#include <string>

namespace nnomc {

/// How an .h5 model file is written.
enum class H5Style {
  fixed,     ///< names as strings of one length: Keras 2
  variable,  ///< names as strings of any length
  split,     ///< lists of names in several attributes, as when they exceed 64 KiB
  external,  ///< the first weight is a link to another file
  outside,   ///< its data is in another file
  unstored,  ///< it is a gigabyte large but has no data
  missing,   ///< it is named but isn't there
  no_config  ///< there are only weights
};

/// The configuration of a model, as JSON.
inline const std::string kConfig = R"({"class_name": "Sequential", "config": {"layers": []}})";

/// An .h5 file with the layers input, conv (kernel 2 x 3, bias 3) and dense (kernel, bias 3); each
/// weight holds 0, 0.5, 1, ...
std::string make_h5(H5Style style);

/// A model.weights.h5 file with 1, -2, 3 in every type that weights may have, a scalar 7, a text
/// and an optimizer's state.
std::string make_weights_h5();

}  // namespace nnomc
