/// \file
/// What a layer that multiplies by weights gives to a target: windows on its input, and where their
/// products go.
#pragma once

#include "nnom/lines.hpp"
#include "nnom/numbers.hpp"

namespace nnom {

/// A row of output pixels, `step` elements apart in the input and `out_step` in the output.
template <class N>
struct Pixels {
  Window<LineOf<N>> window;
  int step, count;
  typename N::Out* out;
  int out_step;
  bool paired = false;  ///< windows are patches, two of them together: see Scalar::pairs_pixels
};

}  // namespace nnom
