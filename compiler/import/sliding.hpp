/// \file
/// What the importers say of a window that slides over a picture.
#pragma once

#include "nnom/core.hpp"

namespace nnomc {

/// The fields that all ops share that slide a window.
struct Sliding {
  nnom::Size kernel, stride, dilation;
  nnom::Border pad;
};

/// An op that slides that window.
template <class T>
T with(const Sliding& s) {
  T op;
  op.kernel = s.kernel;
  op.stride = s.stride;
  op.dilation = s.dilation;
  op.pad = s.pad;
  return op;
}

}  // namespace nnomc
