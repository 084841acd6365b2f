/// \file
/// What convolutions and pooling share: pictures, channels last, and the window that slides.
#pragma once

#include "compiler/import/onnx_ops.hpp"
#include "compiler/import/sliding.hpp"

namespace nnomc::onnx {

/// The first input of a node, channels last.
struct Picture {
  int tensor;
  int axes;                ///< besides batch and channels: 1 or 2
  std::vector<int> order;  ///< of ONNX's axes in `tensor`
  Dims dims;               ///< of the input, in ONNX's order

  /// A picture that was made of it, with a size and channels of its own.
  Value like(const Call& call, int made) const;
};

/// Error if it hasn't one or two axes besides batch and channels. A batch is each_picture's to
/// take apart.
Picture picture_of(Call& call);

/// The window of `kernel`; strides, dilations and pads as the node's attributes say.
Sliding sliding(const Call& call, const Picture& in, const Dims& kernel);

/// Error if a window that slides over `in` makes a picture too large.
void check_output(const Call& call, const Picture& in, const Sliding& s, int64_t channels);

/// Sizes along the axes of a picture, in attribute `name`, or nothing.
std::optional<nnom::Size> sizes_of(const Call& call, const char* name, int axes);

}  // namespace nnomc::onnx
